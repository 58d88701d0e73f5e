"""Audio spans, time markers, and the default prompt."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.moss_audio.prompt import (
    AFTER_AUDIO,
    BEFORE_AUDIO,
    AudioIds,
    PromptError,
    ShippedPrompt,
    build_prompt,
    placeholders,
    split_text,
)

IDS = AudioIds(audio_token_id=1000, audio_start_id=1001, audio_end_id=1002)


def characters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


@given(tokens=st.integers(0, 3000))
def test_markers_say_the_seconds_that_have_passed(tokens: int) -> None:
    run = placeholders(tokens, 1000, time_markers=True)
    text = "".join("a" if token == 1000 else str(token - 15) for token in run)
    assert text.count("a") == tokens
    heard = 0
    for slots, digits in re.findall(r"(a+)(\d*)", text):
        heard += len(slots)
        if digits:
            assert int(digits) == heard / 12.5
            assert int(digits) <= int(tokens / 12.5)
    assert len(re.findall(r"\d+", text)) == tokens // 25


def test_a_marker_may_come_last_and_tens_take_two_tokens() -> None:
    assert placeholders(25, 1000, time_markers=True) == [*[1000] * 25, 17]
    assert placeholders(125, 1000, time_markers=True)[-2:] == [16, 15]


@given(tokens=st.integers(0, 300))
def test_without_markers_there_are_slots_only(tokens: int) -> None:
    assert placeholders(tokens, 1000, time_markers=False) == [1000] * tokens


def test_a_question_is_put_into_the_default_prompt() -> None:
    prompt = build_prompt("What {prompt} is 17?", 2, characters, IDS, time_markers=True)
    before, after = (
        characters(BEFORE_AUDIO),
        characters("\nWhat {prompt} is 17?<|im_end|>\n<|im_start|>assistant\n"),
    )
    assert prompt.input_ids == [*before, 1001, 1000, 1000, 1002, *after]
    assert prompt.audio_slots == [len(before) + 1, len(before) + 2]


@pytest.mark.parametrize("placeholder", ["<|AUDIO|>", "<|AUDIO|>" * 5])
def test_a_text_with_its_own_span_is_used_as_it_is(placeholder: str) -> None:
    text = f"Hear 24: <|audio_bos|>{placeholder}<|audio_eos|> and answer"
    prompt = build_prompt(text, 30, characters, IDS, time_markers=True)
    before = characters("Hear 24: ")
    span = [1001, *[1000] * 25, 17, *[1000] * 5, 1002]
    assert prompt.input_ids == [*before, *span, *characters(" and answer")]
    assert len(prompt.audio_slots) == 30
    assert all(prompt.input_ids[slot] == 1000 for slot in prompt.audio_slots)


def test_text_that_happens_to_hold_the_audio_id_or_digits_is_no_slot() -> None:
    def everything_is_audio(text: str) -> list[int]:
        return [1000, 15, 16, 17]

    prompt = build_prompt("0 1 2", 3, everything_is_audio, IDS, time_markers=True)
    assert prompt.audio_slots == [5, 6, 7]


@pytest.mark.parametrize(
    "text",
    [
        "<|audio_bos|><|audio_eos|>",
        "<|AUDIO|>",
        "<|audio_bos|><|AUDIO|>",
        "<|audio_bos|><|AUDIO|><|audio_eos|> and <|audio_bos|><|AUDIO|><|audio_eos|>",
    ],
)
def test_broken_or_many_spans_are_refused(text: str) -> None:
    with pytest.raises(PromptError, match="span"):
        split_text(text)


def test_the_shipped_ids_are_as_long_as_a_real_prompt() -> None:
    shipped = ShippedPrompt.load()
    assert len(shipped.before_audio) + len(shipped.after_audio) == 24
    assert shipped.tokenize(BEFORE_AUDIO) == shipped.before_audio
    assert shipped.tokenize(AFTER_AUDIO.replace("{prompt}", "Describe this audio.")) == shipped.after_audio
    assert shipped.ids == AudioIds(151654, 151669, 151670)
    with pytest.raises(PromptError, match="only the default prompt"):
        shipped.tokenize("Transcribe.")


@pytest.mark.parametrize("values", [{}, {"audio_token_id": 1, "audio_start_id": 2}, {"audio_token_id": "1"}])
def test_missing_ids_are_named(values: dict[str, object]) -> None:
    with pytest.raises(PromptError, match="audio_end_id"):
        AudioIds.from_dict(values)
