"""Clips: shipped speech or the user's file, cut or looped to length; the same samples every time.

Everything here is mono, 16 kHz, float32, nominally within -1 to 1.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from bench import shipped
from bench.audio.decoding import SAMPLE_RATE, Samples, decode
from bench.errors import ClipError
from bench.suite.suite import MIN_CLIP_S

__all__ = [
    "SAMPLE_RATE",
    "ClipSource",
    "Samples",
    "cut",
    "excerpt",
    "read_audio",
    "sha256_of",
    "shipped_speech",
]

SILENT_PEAK: Final = 1e-4  # -80 dBFS, below the noise of any microphone


@dataclass(frozen=True, eq=False, slots=True)
class ClipSource:
    """The source of clips. `samples` is mono 16 kHz float32 of shape [n], read-only."""

    samples: Samples
    sha256: str
    origin: Literal["shipped", "file"]

    @property
    def seconds(self) -> float:
        """Length of the whole source."""
        return len(self.samples) / SAMPLE_RATE


def shipped_speech() -> ClipSource:
    """72 s of synthetic English speech; `bench/data/speech/` holds its transcript and licence.

    Raises:
        ClipError: the file is missing or was changed.
    """
    source = _source(decode(shipped.data("speech", "alice.flac")), "shipped")
    if source.sha256 != shipped.SPEECH_SHA256:
        raise ClipError("the shipped speech was changed", hint="Install bench again")
    return source


def read_audio(path: Path) -> ClipSource:
    """Read an audio file, mix its channels to one by their mean, and resample it to 16 kHz.

    Raises:
        ClipError: the file is missing, damaged, no audio, too short or too long, silent, or holds samples
            that are no numbers.
    """
    samples = decode(path)
    length_s = len(samples) / SAMPLE_RATE
    if length_s < MIN_CLIP_S:
        raise ClipError(
            f"{path} has {length_s:.4g} s of sound", hint=f"Use a file of {MIN_CLIP_S:g} s or more"
        )
    if np.abs(samples).max() < SILENT_PEAK:
        raise ClipError(
            f"{path} is silent (its peak is below -80 dBFS)", hint="Use a file with audible sound"
        )
    return _source(samples, "file")


def cut(source: ClipSource, seconds: float) -> Samples:
    """Return the first `seconds` of the source, repeated as often as needed.

    Returns:
        float32 of shape [round(seconds * 16000)], a copy.

    Raises:
        ClipError: the length rounds to no sample.
    """
    count = round(seconds * SAMPLE_RATE)
    if count < 1:
        raise ClipError(f"a clip of {seconds:g} s contains no samples", hint=f"Use {MIN_CLIP_S:g} s or more")
    return np.resize(source.samples, count)


def excerpt(starts: Iterable[int], piece_samples: int) -> Samples:
    """Return pieces of the shipped speech in a row, each from its first sample.

    Returns:
        float32 of shape [pieces * piece_samples], a copy.

    Raises:
        ClipError: as `shipped_speech`.
    """
    speech = shipped_speech().samples
    return np.concatenate([speech[start : start + piece_samples] for start in starts])


def sha256_of(samples: Samples) -> str:
    """Return the SHA-256 over the samples as little-endian float32, in lower-case hex."""
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<f4").tobytes()).hexdigest()


def _source(samples: Samples, origin: Literal["shipped", "file"]) -> ClipSource:
    samples.flags.writeable = False
    return ClipSource(samples=samples, sha256=sha256_of(samples), origin=origin)
