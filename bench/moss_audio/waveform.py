"""A clip in the model's format: one channel, 16 kHz, float32, finite, long enough for one audio token."""

from typing import TYPE_CHECKING, Final

import numpy as np

from bench.errors import ClipError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SAMPLE_RATE: Final = 16_000
_MAX_CHANNELS: Final = 8
# The log-mel reflects half a window (200 samples) at each end, which needs at least one sample more.
MIN_SAMPLES: Final = 201


class WaveformError(ClipError, ValueError):
    """Audio that the model cannot take."""


def prepare_waveform(audio: "ArrayLike", sampling_rate: int = SAMPLE_RATE) -> "NDArray[np.float32]":
    """Mix down to mono, resample to 16 kHz, and check.

    Args:
        audio: float samples in [-1, 1], `[samples]`, `[channels, samples]` or `[samples, channels]`.
        sampling_rate: of `audio`, in Hz.

    Returns:
        `[samples]` float32 at 16 kHz.

    Raises:
        WaveformError: empty, too short, not finite, whole numbers, or of a shape that is no clip.
    """
    mono = _mono(_floats(audio))
    if not np.isfinite(mono).all():
        raise WaveformError("The clip holds samples that are not finite", hint="Repair or replace the file")
    samples = _resampled(mono, sampling_rate)
    if samples.size < MIN_SAMPLES:
        raise WaveformError(
            f"The clip has {samples.size} samples at 16 kHz, the model needs {MIN_SAMPLES}",
            hint="Use a clip of at least 13 ms",
        )
    return np.ascontiguousarray(samples, dtype=np.float32)


def _floats(audio: "ArrayLike") -> "NDArray[np.floating]":
    if isinstance(audio, list | tuple) and len(audio) > 1 and getattr(audio[0], "ndim", 0) > 0:
        raise WaveformError(f"There are {len(audio)} clips", hint="Give one clip at a time")
    try:
        array = np.asarray(audio)
    except (ValueError, TypeError) as error:
        raise WaveformError(
            "The clip is not an array of samples", hint="Give one clip, as float samples"
        ) from error
    if array.size == 0:
        raise WaveformError("The clip is empty", hint="Use a clip of at least 13 ms")
    if not np.issubdtype(array.dtype, np.floating):
        raise WaveformError(
            f"The clip holds {array.dtype}, not float samples", hint="Scale it to [-1, 1] first"
        )
    return array


def _mono(array: "NDArray[np.floating]") -> "NDArray[np.floating]":
    if array.ndim == 1:
        return array
    if array.ndim != 2:
        raise WaveformError(
            f"The clip has {array.ndim} dimensions", hint="Give one clip: samples, or channels x samples"
        )
    if min(array.shape) > _MAX_CHANNELS:
        raise WaveformError(
            f"A clip of shape {array.shape} has too many channels", hint="Give one clip at a time"
        )
    mixed: NDArray[np.floating] = array.mean(axis=int(np.argmin(array.shape)))
    return mixed


def _resampled(mono: "NDArray[np.floating]", sampling_rate: int) -> "NDArray[np.floating]":
    if sampling_rate <= 0:
        raise WaveformError(
            f"{sampling_rate} Hz is not a sampling rate", hint="Give the rate of the file, such as 44100"
        )
    if sampling_rate == SAMPLE_RATE:
        return mono
    import soxr

    resampled: NDArray[np.floating] = soxr.resample(mono, sampling_rate, SAMPLE_RATE)
    return resampled
