"""The table of hashes, compared with clips that are cut anew."""

import pytest

from bench.audio.clip_hashes import shipped_clip_sha256
from bench.audio.clips import SAMPLE_RATE, cut, sha256_of, shipped_speech


@pytest.mark.parametrize("seconds", [2.0, 10.0, 120.0, 300.0])
def test_a_clip_has_the_hash_of_its_samples(seconds: float) -> None:
    assert shipped_clip_sha256(round(seconds * SAMPLE_RATE)) == sha256_of(cut(shipped_speech(), seconds))


def test_a_length_of_no_shipped_suite_has_none() -> None:
    assert shipped_clip_sha256(16_001) is None
