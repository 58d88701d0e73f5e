"""Ceilings against arithmetic by hand, and against what no card can do."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import shipped
from bench.arithmetic import architecture
from bench.arithmetic.shapes import Shapes, shapes_of
from bench.hardware.catalog import Card, cards
from bench.predict.roofline import ceiling
from bench.records.prediction import Ceiling

SHAPES: Shapes = shapes_of(
    json.loads(shipped.data("models", "MOSS-Audio-4B-Instruct.json").read_text(encoding="utf-8"))
)
CARD: Card = next(card for card in cards() if card.slug == "rtx-4070")


def of(card: Card = CARD, *, tokens: int = 512, seconds: int = 60, last: bool = False) -> Ceiling:
    prompt = architecture.audio_tokens(100 * seconds) + 26
    return ceiling(
        SHAPES,
        card,
        mel_frames=100 * seconds,
        prompt_tokens=prompt,
        max_tokens=tokens,
        logits_positions=1 if last else prompt,
        element_bytes=2,
    )


def test_decoding_cannot_outrun_the_bandwidth() -> None:
    found = of().decode_tokens_per_s
    read = architecture.decode_bytes_per_token(
        SHAPES, prompt_tokens=776, generated_tokens=512, element_bytes=2
    )
    assert found == pytest.approx(504.2e9 / read)
    assert 55 < (found or 0) < 65, "504.2 GB/s over 8.2 GB of weights and cache"


def test_times_add_up() -> None:
    found = of()
    assert found.encode_s and found.prefill_s and found.time_to_first_token_s and found.decode_tokens_per_s
    assert found.time_to_first_token_s == pytest.approx(found.encode_s + found.prefill_s)
    assert found.latency_s == pytest.approx(found.time_to_first_token_s + 511 / found.decode_tokens_per_s)


def test_a_long_prompt_is_bound_by_arithmetic_and_a_short_one_by_its_weights() -> None:
    long, short = of(seconds=600), of(seconds=1)
    prompt = architecture.audio_tokens(60_000) + 26
    operations = architecture.prefill_operations(SHAPES, prompt_tokens=prompt, logits_positions=prompt)
    assert CARD.bf16_operations_per_s and CARD.memory_bandwidth_bytes_per_s
    assert long.prefill_s == pytest.approx(operations / CARD.bf16_operations_per_s)
    read = 2 * 4_022_468_096  # the layers and the head, as many as the embeddings
    assert short.prefill_s == pytest.approx(read / CARD.memory_bandwidth_bytes_per_s)


def test_an_answer_of_one_token_ends_with_the_prefill() -> None:
    found = of(tokens=1)
    assert found.decode_tokens_per_s is None
    assert found.latency_s == found.time_to_first_token_s


@pytest.mark.parametrize(
    "card", [replace(CARD, memory_bandwidth_bytes_per_s=None), replace(CARD, bf16_operations_per_s=None)]
)
def test_what_the_catalog_does_not_know_is_not_made_up(card: Card) -> None:
    assert set(of(card).model_dump(exclude={"provenance"}).values()) == {None}


def test_a_card_without_bf16_has_no_ceiling_in_it() -> None:
    turing = replace(CARD, compute_capability="7.5")
    assert set(of(turing).model_dump(exclude={"provenance"}).values()) == {None}


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(2, 4096))
def test_longer_clips_and_answers_never_take_less(some: int, more: int, tokens: int) -> None:
    short, long = (of(tokens=tokens, seconds=seconds) for seconds in sorted((some, more)))
    assert (short.latency_s or 0) <= (long.latency_s or 0)
    assert (short.decode_tokens_per_s or 0) >= (long.decode_tokens_per_s or 0)
    assert (of(tokens=tokens, seconds=some).latency_s or 0) < (
        of(tokens=tokens + 1, seconds=some).latency_s or 0
    )
    assert (of(tokens=tokens, seconds=some, last=True).prefill_s or 0) <= (
        of(tokens=tokens, seconds=some).prefill_s or 0
    )
