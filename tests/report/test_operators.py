"""Operators in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.enums import Phase
from bench.report.operators import plain
from bench.text import MAX_NAME


@pytest.mark.parametrize(
    ("phase", "operator", "words"),
    [
        (Phase.ENCODE, "audio_encoder: aten::gelu", "stem GELU"),
        (Phase.ENCODE, "audio_encoder.conv2: aten::convolution", "stem convolution"),
        (Phase.ENCODE, "audio_encoder.layers.31.self_attn: aten::bmm", "attention of the encoder"),
        (Phase.ENCODE, "audio_encoder.layers.0.fc1: aten::addmm", "MLP of the encoder"),
        (Phase.ENCODE, "deepstack_audio_merger_list.1.up_proj: aten::mm", "DeepStack merger"),
        (Phase.PREFILL, "lm_head: aten::mm", "logits of every position"),
        (Phase.DECODE, "lm_head: aten::mm", "logits"),
        (Phase.PREFILL, "language_model.layers.3.mlp.act_fn: aten::silu", "MLP of a layer"),
        (Phase.PREFILL, "language_model.layers.3.self_attn: aten::_softmax", "attention scores"),
        (Phase.PREFILL, "language_model.layers.3.self_attn: aten::cat", "attention of a layer"),
        (Phase.DECODE, "language_model.layers.3.self_attn: aten::cat", "KV cache, old and new at once"),
        (Phase.PREFILL, "aten::where", "choosing the next token"),
        (Phase.DECODE, "aten::_softmax", "choosing the next token"),
        (Phase.DECODE, "aten::bitwise_and", "between two tokens"),
        (Phase.LOAD, "aten::empty_strided", "loading the weights"),
    ],
)
def test_known_operators_have_words(phase: Phase, operator: str, words: str) -> None:
    assert plain(phase, operator, all_logits=True) == words


def test_the_last_position_alone_is_not_every_position() -> None:
    assert plain(Phase.PREFILL, "lm_head: aten::mm", all_logits=False) == "logits"


def test_an_operator_without_words_is_shown_as_it_is() -> None:
    raw = "language_model: aten::arange"
    assert plain(Phase.PREFILL, raw, all_logits=True) == raw


@given(st.sampled_from([Phase.ENCODE, Phase.PREFILL, Phase.DECODE]), st.text(max_size=500), st.booleans())
def test_any_text_is_a_short_line(phase: Phase, operator: str, all_logits: bool) -> None:
    words = plain(phase, operator, all_logits=all_logits)
    assert len(words) <= MAX_NAME
    assert "\x1b" not in words
    assert "\n" not in words
