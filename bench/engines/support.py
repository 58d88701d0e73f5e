"""Reasons why a cell cannot run on a device, found before loading. Pure: the facts are arguments."""

from bisect import bisect_right
from dataclasses import dataclass

from bench.records import reasons
from bench.records.cell import Requested
from bench.records.enums import Attention
from bench.records.reasons import FlashAttentionBroken, UnsupportedReason

_AMPERE = 8.0
_SAMPLES_PER_S = 16_000
_SAMPLES_PER_FRAME = 160
_AUDIO_TOKENS_PER_S = 12.5
_MARKER_EVERY_S = 2
_AUDIO_BOUNDS = 2
_DEFAULT_TEXT = 24  # tokens of the default prompt, as in bench/data/prompt-ids.json


@dataclass(frozen=True)
class SupportFacts:
    """The facts that decide whether a cell is supported. None is unknown.

    `flash_attn` is the installed version, `max_positions` the length of the model's context,
    `flash_attention_problem` the error of FlashAttention 2 when a worker tried it on the card.
    """

    device_kind: str
    compute_capability: str | None
    flash_attn: str | None
    max_positions: int | None = None
    flash_attention_problem: FlashAttentionBroken | None = None


def unsupported(requested: Requested, here: SupportFacts) -> UnsupportedReason | None:
    """Return the reason why this cell cannot run; None if it can."""
    if requested.attention is Attention.FLASH_ATTENTION_2:
        reason = _no_flash_attention(requested.dtype, here)
        if reason is not None:
            return reason
    if requested.dtype == "bfloat16" and (too_old := _before_ampere(here)) is not None:
        return reasons.Bfloat16NeedsNewerGpu(needed=_AMPERE, compute_capability=too_old)
    return _too_long(requested, here.max_positions) if here.max_positions is not None else None


def _before_ampere(here: SupportFacts) -> str | None:
    """Return the compute capability of a card before Ampere; None for any other device."""
    capability = here.compute_capability
    if here.device_kind != "cuda" or capability is None:
        return None
    return capability if float(capability) < _AMPERE else None


def _no_flash_attention(dtype: str, here: SupportFacts) -> UnsupportedReason | None:
    """Return the reason why FlashAttention 2 cannot run; None if it can.

    It needs CUDA, compute capability 8.0 (its README: Ampere, Ada or Hopper) and 16 bits. Nothing
    replaces it, neither SDPA nor a kernel from the Hub.
    """
    if here.device_kind != "cuda":
        return reasons.FlashAttentionNeedsGpu()
    if (too_old := _before_ampere(here)) is not None:
        return reasons.FlashAttentionNeedsNewerGpu(needed=_AMPERE, compute_capability=too_old)
    if dtype == "float32":
        return reasons.FlashAttentionNeeds16Bits()
    if here.flash_attn is None:
        return reasons.FlashAttentionNotInstalled()
    return here.flash_attention_problem


def _too_long(requested: Requested, max_positions: int) -> UnsupportedReason | None:
    left = max_positions - requested.max_tokens
    if audio_positions(requested.clip_seconds, requested.time_markers) <= left:
        return None
    return reasons.BeyondContext(
        max_positions=max_positions,
        max_tokens=requested.max_tokens,
        longest_clip_s=longest_clip_s(max_positions, requested.max_tokens, requested.time_markers),
    )


def longest_clip_s(max_positions: int, max_tokens: int, time_markers: bool) -> int:
    """Return the longest clip, in whole seconds, that fits the model's context together with the answer."""
    return bisect_right(
        range(1, max_positions),
        max_positions - max_tokens,
        key=lambda length: audio_positions(length, time_markers),
    )


def prompt_positions(clip_seconds: float) -> int:
    """Return the length of the default prompt for a clip, with time markers: 832 for 60 s."""
    return _DEFAULT_TEXT + audio_positions(clip_seconds, time_markers=True)


def audio_positions(clip_seconds: float, time_markers: bool) -> int:
    """Return the positions of a clip in the prompt, with its bounds and markers, without text.

    Mel frames are halved three times, 12.5 tokens a second; a marker has one token per digit of its second.
    """
    tokens = round(clip_seconds * _SAMPLES_PER_S) // _SAMPLES_PER_FRAME
    for _ in range(3):
        tokens = (tokens - 1) // 2 + 1
    last = int(tokens / _AUDIO_TOKENS_PER_S)
    return tokens + _AUDIO_BOUNDS + (_marker_digits(last) if time_markers else 0)


def _marker_digits(last: int) -> int:
    """Return the digits of all markers up to a second: from each power of 10 on, a number has one more."""
    found, power = 0, 1
    while power <= last:
        found += last // _MARKER_EVERY_S - (power - 1) // _MARKER_EVERY_S
        power *= 10
    return found
