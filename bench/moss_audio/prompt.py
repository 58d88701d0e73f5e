"""From a clip's length and a text to token ids: the audio span, its time markers, the default prompt."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from bench.errors import UsageError
from bench.shipped import data

TOKENS_PER_MARKER: Final = 25  # audio tokens in the two seconds between markers
SECONDS_PER_MARKER: Final = 2
_FIRST_DIGIT_ID: Final = 15  # '0' in byte-level vocabularies of the GPT-2 family, Qwen's among them
_SPAN: Final = re.compile(r"<\|audio_bos\|>(?:<\|AUDIO\|>)+<\|audio_eos\|>")

BEFORE_AUDIO: Final = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
AFTER_AUDIO: Final = "\n{prompt}<|im_end|>\n<|im_start|>assistant\n"

Tokenize = Callable[[str], list[int]]


class PromptError(UsageError, ValueError):
    """A text that cannot become a prompt."""


@dataclass(frozen=True, slots=True)
class AudioIds:
    """The three ids around and inside an audio span; released models: 151654, 151669, 151670."""

    audio_token_id: int
    audio_start_id: int
    audio_end_id: int

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Read the keys of `processor_config.json`.

        Raises:
            PromptError: a key is missing, or its value is not a whole number.
        """
        ids = {name: values.get(name) for name in ("audio_token_id", "audio_start_id", "audio_end_id")}
        found = {name: value for name, value in ids.items() if isinstance(value, int)}
        if len(found) < len(ids):
            missing = ", ".join(sorted(ids.keys() - found.keys()))
            raise PromptError(f"processor_config.json has no usable {missing}")
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a prompt, and the positions in them that the audio takes."""

    input_ids: list[int]
    audio_slots: list[int]


def placeholders(audio_tokens: int, audio_token_id: int, *, time_markers: bool) -> list[int]:
    """The run of audio slots, with the elapsed seconds in decimal digits after every 25th where wanted.

    A marker follows each full two seconds, so one may come last; markers are text, they take no audio slot.
    """
    run: list[int] = []
    for index in range(1, audio_tokens + 1):
        run.append(audio_token_id)
        if time_markers and index % TOKENS_PER_MARKER == 0:
            seconds = SECONDS_PER_MARKER * (index // TOKENS_PER_MARKER)
            run.extend(_FIRST_DIGIT_ID + int(digit) for digit in str(seconds))
    return run


def build_prompt(
    text: str, audio_tokens: int, tokenize: Tokenize, ids: AudioIds, *, time_markers: bool
) -> Prompt:
    """Return the whole prompt for one clip.

    Args:
        text: a question, put into the default chat prompt; or a text with its own audio span
            (`<|audio_bos|><|AUDIO|><|audio_eos|>`), used as it is.
        audio_tokens: how many slots the clip takes.
        tokenize: text to ids without adding special tokens; called once per piece around the audio.
        ids: the ids of the audio span.
        time_markers: whether elapsed seconds are written into the span.

    Raises:
        PromptError: more than one audio span, or a broken one.
    """
    before, after = split_text(text)
    run = placeholders(audio_tokens, ids.audio_token_id, time_markers=time_markers)
    return assemble(tokenize(before), run, tokenize(after), ids)


def assemble(before: list[int], run: list[int], after: list[int], ids: AudioIds) -> Prompt:
    """Join text ids and an audio span. Slots are given by position, so that no text is mistaken for one."""
    first = len(before) + 1
    slots = [first + offset for offset, token in enumerate(run) if token == ids.audio_token_id]
    return Prompt([*before, ids.audio_start_id, *run, ids.audio_end_id, *after], slots)


def split_text(text: str) -> tuple[str, str]:
    """Split a text into the parts before and after the audio.

    Raises:
        PromptError: more than one audio span, or a broken one.
    """
    pieces = _SPAN.split(text)
    if any("<|audio_bos|>" in piece or "<|audio_eos|>" in piece or "<|AUDIO|>" in piece for piece in pieces):
        raise PromptError(
            "The text holds a broken audio span", hint="Write <|audio_bos|><|AUDIO|><|audio_eos|>"
        )
    if len(pieces) == 1:
        return BEFORE_AUDIO, AFTER_AUDIO.replace("{prompt}", text)
    if len(pieces) > 2:
        raise PromptError(f"The text holds {len(pieces) - 1} audio spans for one clip", hint="Leave one span")
    return pieces[0], pieces[1]


@dataclass(frozen=True, slots=True)
class ShippedPrompt:
    """The default prompt in Qwen's ids, for models with random weights, which have no tokenizer."""

    text: str
    before_audio: list[int]
    after_audio: list[int]
    ids: AudioIds

    @classmethod
    def load(cls) -> Self:
        """Read `bench/data/prompt-ids.json`: 24 text tokens, and the audio bounds."""
        values = json.loads(data("prompt-ids.json").read_text(encoding="utf-8"))
        return cls(
            values["prompt"], values["before_audio"], values["after_audio"], AudioIds.from_dict(values)
        )

    def tokenize(self, piece: str) -> list[int]:
        """Return the ids of one of the two pieces of the default prompt.

        Raises:
            PromptError: any other text.
        """
        known = {
            BEFORE_AUDIO: self.before_audio,
            AFTER_AUDIO.replace("{prompt}", self.text): self.after_audio,
        }
        if piece not in known:
            raise PromptError(
                "Without a tokenizer only the default prompt can be used", hint=f"It is: {self.text}"
            )
        return list(known[piece])
