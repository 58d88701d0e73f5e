"""The log-mel, against the one in transformers."""

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from bench.moss_audio.mel import LogMel
from tests.moss_audio.small import noise


@pytest.mark.parametrize("samples", [201, 320, 3_333, 16_000, 84_800, 16_000 * 35])
def test_it_is_the_one_of_transformers_without_padding(samples: int) -> None:
    waveform = noise(samples / 16_000, seed=samples)
    extractor = WhisperFeatureExtractor(feature_size=128)  # type: ignore[no-untyped-call]
    theirs = extractor(
        waveform, sampling_rate=16_000, padding="do_not_pad", truncation=False, return_tensors="pt"
    )
    ours = LogMel()(waveform)
    assert ours.shape == (1, 128, samples // 160)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs["input_features"], atol=1e-4, rtol=0)


def test_long_clips_come_in_blocks_without_seams() -> None:
    waveform = noise(170)  # more than two blocks
    whole = LogMel()(waveform)
    middle = LogMel()(waveform[160 * 8_000 : 160 * 9_000])
    # Away from its edges a part hears what the whole hears; both reach the same loudest value or nearly so.
    torch.testing.assert_close(whole[:, :, 8_010:8_990], middle[:, :, 10:990], atol=1e-6, rtol=0)


def test_silence_is_flat_and_finite() -> None:
    flat = LogMel()(np.zeros(16_000, dtype=np.float32))
    assert flat.min() == flat.max()
    assert flat.isfinite().all()
