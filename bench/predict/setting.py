"""Settings that decide a trace, apart from the lengths of clip and prompt. Pure: no torch."""

from dataclasses import dataclass
from typing import Final, Literal

from bench.engines.native.profiles import settings_of
from bench.predict.attention import attention_of
from bench.predict.target import Target
from bench.records.cell import Requested, Sampling
from bench.records.enums import AttentionKernel, EncoderAttention

_SAMPLES_PER_S: Final = 16_000
_SAMPLES_PER_FRAME: Final = 160


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that decides a trace, apart from lengths.

    `kernel` is that of the language model, FlashAttention 2 being `flash`: on a card it allocates the same.
    `is_grouped`: SDPA gets fewer heads of keys than of queries. `chunks_at_once` None is the model's own,
    `mlp_positions_at_once` None all. `kind` is the device whose kernels allocate.
    """

    dtype: str
    kernel: AttentionKernel
    is_grouped: bool
    encoder_attention: EncoderAttention
    logits_positions: Literal["all", "last"]
    sampling: Sampling
    kind: Literal["cpu", "cuda"]
    chunks_at_once: int | None = None
    mlp_positions_at_once: int | None = None
    hold_audio: bool = True


def setting_of(requested: Requested, target: Target) -> Setting:
    """Return the setting that decides a cell's trace on a device."""
    profile = settings_of(requested.profile)
    kernel, is_grouped = attention_of(requested, target)
    return Setting(
        dtype=requested.dtype,
        kernel=kernel,
        is_grouped=is_grouped,
        encoder_attention=requested.encoder_attention,
        logits_positions=profile.logits_positions,
        sampling=requested.sampling,
        kind="cpu" if target.card is None else "cuda",
        chunks_at_once=profile.encoder_chunks_at_once,
        mlp_positions_at_once=profile.mlp_positions_at_once,
        hold_audio=profile.hold_audio,
    )


def mel_frames(clip_seconds: float) -> int:
    """Mel frames of a clip: 100 a second."""
    return round(clip_seconds * _SAMPLES_PER_S) // _SAMPLES_PER_FRAME
