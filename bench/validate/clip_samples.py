"""Clips that the model heard, by their hashes: those of the shipped speech, and those of one request."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.audio.clip_hashes import shipped_clip_sha256
from bench.shipped import SPEECH_SHA256
from bench.suite.suite import MAX_CLIP_S
from bench.validate.candidate import Candidate, Found

_SAMPLES_PER_S: Final = 16_000


def clip_samples(candidate: Candidate) -> Iterator[Found]:
    """Yield each clip with another hash than the request gives.

    Clips of one source and length have one hash, and clips that differ have two. Of the shipped speech the
    hash is known, for the lengths of the shipped suites.
    """
    hashes: dict[_Clip, str] = {}
    clips: dict[str, _Clip] = {}
    for path, cell in candidate.measured:
        if cell.effective is None or cell.requested.clip_seconds > MAX_CLIP_S:  # a foreign cell
            continue
        heard = cell.effective.clip_sha256
        clip = _Clip(cell.requested.clip_source_sha256, round(cell.requested.clip_seconds * _SAMPLES_PER_S))
        known = shipped_clip_sha256(clip.samples) if clip.source == SPEECH_SHA256 else None
        expected, other = known or hashes.setdefault(clip, heard), clips.setdefault(heard, clip)
        if heard != expected:
            yield _found(path, heard, expected)
        elif other != clip:
            yield _found(path, f"a clip of {other.samples} samples", f"one of {clip.samples}")


class _Clip(NamedTuple):
    """What was requested. `source`: hash of the samples that were cut or looped."""

    source: str
    samples: int


def _found(path: str, stated: str, expected: str) -> Found:
    facts = {"stated": stated, "found": expected}
    return Found("settings_contradicted", f"{path}.effective.clip_sha256", facts)
