"""Clips that the model can take, and those that it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.errors import ClipError
from bench.moss_audio.waveform import MIN_SAMPLES, WaveformError, prepare_waveform
from tests.moss_audio.small import noise


def tone(rate: int, *, hertz: float = 440.0, seconds: float = 1.0) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def test_a_proper_clip_is_left_alone() -> None:
    clip = noise(0.5)
    prepared = prepare_waveform(clip)
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, clip)


@pytest.mark.parametrize("turned", [False, True])
def test_stereo_is_mixed_down(turned: bool) -> None:
    left, right = noise(0.5, seed=1), noise(0.5, seed=2)
    stereo = np.stack([left, right])
    mixed = prepare_waveform(stereo.T if turned else stereo)
    np.testing.assert_allclose(mixed, (left + right) / 2, atol=1e-7)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_other_rates_are_resampled(rate: int) -> None:
    prepared = prepare_waveform(tone(rate), sampling_rate=rate)
    assert abs(prepared.size - 16_000) <= 1
    middle = slice(2_000, 14_000)
    np.testing.assert_allclose(prepared[middle], tone(16_000)[middle], atol=2e-3)


def test_stereo_at_44_kilohertz_in_double_precision_works() -> None:
    stereo = np.stack([tone(44_100), tone(44_100)], axis=1).astype(np.float64)
    assert prepare_waveform(stereo, sampling_rate=44_100).dtype == np.float32


@given(samples=st.integers(1, 400))
def test_only_clips_that_are_too_short_are_refused(samples: int) -> None:
    if samples >= MIN_SAMPLES:
        assert prepare_waveform(np.zeros(samples, dtype=np.float32)).size == samples
        return
    with pytest.raises(WaveformError, match=f"{samples} samples at 16 kHz"):
        prepare_waveform(np.zeros(samples, dtype=np.float32))


@pytest.mark.parametrize(
    ("audio", "complaint"),
    [
        (np.zeros(0, dtype=np.float32), "empty"),
        ([], "empty"),
        (np.array([0.1, np.nan] * 500), "not finite"),
        (np.array([0.1, np.inf] * 500), "not finite"),
        (np.zeros((1, 1, 1000)), "3 dimensions"),
        (np.zeros((100, 1000)), "channels"),
        (np.zeros(1000, dtype=np.int16), "int16"),
        ("speech.wav", "float samples"),
        (None, "float samples"),
        ([[0.1, 0.2], [0.1]], "not an array"),
    ],
)
def test_other_things_are_refused_in_one_line(audio: object, complaint: str) -> None:
    with pytest.raises(WaveformError, match=complaint) as caught:
        prepare_waveform(audio)  # type: ignore[arg-type]  # that is the point
    assert isinstance(caught.value, ClipError)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rate", [0, -16_000])
def test_an_absurd_rate_is_refused(rate: int) -> None:
    with pytest.raises(WaveformError, match="not a sampling rate"):
        prepare_waveform(noise(0.5), sampling_rate=rate)
