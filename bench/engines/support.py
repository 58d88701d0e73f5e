"""What cannot run here, known before anything is loaded. Pure: the facts are arguments."""

from bisect import bisect_right
from dataclasses import dataclass

from bench.records.enums import Attention
from bench.records.record import Requested

_AMPERE = 8.0
_SAMPLES_PER_S = 16_000
_SAMPLES_PER_FRAME = 160
_AUDIO_TOKENS_PER_S = 12.5
_MARKER_EVERY_S = 2
_AUDIO_BOUNDS = 2
_CONTEXT = "the model has "


@dataclass(frozen=True)
class Surroundings:
    """The facts that decide; None where a fact is not known.

    `flash_attn` is the installed version, `max_positions` the length of the model's context,
    `flash_attention_problem` what went wrong when a worker tried FlashAttention 2 on the card.
    """

    device_kind: str
    compute_capability: str | None
    flash_attn: str | None
    max_positions: int | None = None
    flash_attention_problem: str | None = None


def unsupported(requested: Requested, here: Surroundings) -> str | None:
    """Why this cell cannot run here; None if nothing speaks against it."""
    if requested.attention is Attention.FLASH_ATTENTION_2:
        reason = _no_flash_attention(requested.dtype, here)
        if reason is not None:
            return reason
    if requested.dtype == "bfloat16" and _is_before_ampere(here):
        return f"BF16 needs compute capability 8.0; this card has {here.compute_capability}, and emulates it"
    return _too_long(requested, here.max_positions) if here.max_positions is not None else None


def _is_before_ampere(here: Surroundings) -> bool:
    return (
        here.device_kind == "cuda"
        and here.compute_capability is not None
        and float(here.compute_capability) < _AMPERE
    )


def _no_flash_attention(dtype: str, here: Surroundings) -> str | None:
    """FlashAttention 2 needs CUDA, compute capability 8.0 (its README: Ampere, Ada or Hopper) and 16 bits.

    It is never replaced by something else, neither by SDPA nor by a kernel from the Hub.
    """
    if here.device_kind != "cuda":
        return "FlashAttention 2 needs an NVIDIA GPU; this is a CPU"
    if _is_before_ampere(here):
        return f"FlashAttention 2 needs compute capability 8.0; this card has {here.compute_capability}"
    if dtype == "float32":
        return "FlashAttention 2 computes in 16 bits; the suite asks for float32"
    if here.flash_attn is None:
        return "the package flash-attn is not installed"
    return here.flash_attention_problem


def _too_long(requested: Requested, max_positions: int) -> str | None:
    room = max_positions - requested.max_tokens
    if audio_positions(requested.clip_seconds, requested.time_markers) <= room:
        return None
    longest = longest_clip_s(max_positions, requested.max_tokens, requested.time_markers)
    return (
        f"{_CONTEXT}{max_positions:,} positions: with {requested.max_tokens} tokens to answer "
        f"no clip beyond {longest} s fits"
    )


def longest_clip_s(max_positions: int, max_tokens: int, time_markers: bool) -> int:
    """The longest clip, in whole seconds, that leaves room in the model's context for the answer."""
    return bisect_right(
        range(1, max_positions),
        max_positions - max_tokens,
        key=lambda length: audio_positions(length, time_markers),
    )


def is_too_long(reason: str) -> bool:
    """Whether this is what `unsupported` says of a clip beyond the model's context."""
    return reason.startswith(_CONTEXT)


def audio_positions(clip_seconds: float, time_markers: bool) -> int:
    """Positions that a clip takes in the prompt, its bounds and markers included, the text around it not.

    Mel frames are halved three times, 12.5 tokens a second; a marker has one token per digit of its second.
    """
    tokens = round(clip_seconds * _SAMPLES_PER_S) // _SAMPLES_PER_FRAME
    for _ in range(3):
        tokens = (tokens - 1) // 2 + 1
    last = int(tokens / _AUDIO_TOKENS_PER_S)
    digits = sum(len(str(second)) for second in range(_MARKER_EVERY_S, last + 1, _MARKER_EVERY_S))
    return tokens + _AUDIO_BOUNDS + (digits if time_markers else 0)
