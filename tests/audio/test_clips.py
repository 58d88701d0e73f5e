import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from bench import shipped
from bench.audio.clips import (
    SAMPLE_RATE,
    ClipSource,
    cut,
    read_audio,
    sha256_of,
    shipped_speech,
)
from bench.errors import ClipError
from bench.shipped import SPEECH_SHA256


def source_of(count: int) -> ClipSource:
    samples = np.random.default_rng(count).standard_normal(count).astype(np.float32)
    return ClipSource(samples=samples, sha256=sha256_of(samples), origin="file")


def test_the_shipped_speech_never_changes() -> None:
    """A new hash makes new cells of all that were ever measured."""
    source = shipped_speech()
    assert (
        source.sha256 == "1fadf221541efad6e70002c85cc70c7df739f9876268565761b2ab3c363efd00" == SPEECH_SHA256
    )
    assert source.samples.shape == (1_151_360,)
    assert source.samples.dtype == np.float32
    assert (source.seconds, source.origin) == (71.96, "shipped")


def test_the_shipped_speech_is_loud_enough_and_clips_nowhere() -> None:
    samples = shipped_speech().samples
    assert 0.5 < np.abs(samples).max() < 1
    seconds = samples[: 71 * SAMPLE_RATE].reshape(71, SAMPLE_RATE)
    assert (np.abs(seconds).max(axis=1) > 0.02).all()  # somebody speaks in every one of them


def test_transcript_and_licence_lie_beside_the_speech() -> None:
    transcript = shipped.data("speech", "alice.txt").read_text(encoding="utf-8")
    assert transcript.startswith("Alice was beginning to get very tired")
    licence = shipped.data("speech", "LICENSE.txt").read_text(encoding="utf-8")
    assert "public domain" in licence
    assert "CC0" in licence


def test_changed_speech_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "speech").mkdir()
    sf.write(tmp_path / "speech" / "alice.flac", source_of(SAMPLE_RATE).samples / 10, SAMPLE_RATE)
    monkeypatch.setattr(shipped, "data", tmp_path.joinpath)
    with pytest.raises(ClipError, match=r"the shipped speech was changed. Install bench again"):
        shipped_speech()


def test_a_file_of_ones_own_is_hashed_as_its_samples_not_its_bytes(tmp_path: Path) -> None:
    pcm = (shipped_speech().samples * 2**15).astype(np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())
    source = read_audio(tmp_path / "a.wav")
    assert (source.sha256, source.origin) == (SPEECH_SHA256, "file")


def test_samples_of_a_source_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        shipped_speech().samples[0] = 1.0


@pytest.mark.parametrize("peak", [0.0, 0.9e-4])
def test_silence_is_refused(tmp_path: Path, peak: float) -> None:
    sf.write(tmp_path / "a.wav", np.full(SAMPLE_RATE, peak), SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(ClipError, match=r"a.wav is silent \(its peak is below -80 dBFS\). Use"):
        read_audio(tmp_path / "a.wav")


def test_channels_that_cancel_each_other_are_silence(tmp_path: Path) -> None:
    noise = source_of(SAMPLE_RATE).samples / 10
    sf.write(tmp_path / "a.wav", np.stack([noise, -noise], axis=1), SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(ClipError, match="is silent"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize(("frames", "shown"), [(0, "0 s"), (3199, "0.1999 s"), (1600, "0.1 s")])
def test_what_is_too_short_is_refused(tmp_path: Path, frames: int, shown: str) -> None:
    sf.write(tmp_path / "a.wav", source_of(frames).samples, SAMPLE_RATE)
    with pytest.raises(ClipError, match=f"a.wav has {shown} of sound. Use a file of 0.2 s or more"):
        read_audio(tmp_path / "a.wav")


@given(count=st.integers(1, 5000), seconds=st.floats(0.001, 2.0))
def test_a_clip_has_its_length_and_repeats_its_source(count: int, seconds: float) -> None:
    source = source_of(count)
    clip = cut(source, seconds)
    assert clip.dtype == np.float32
    assert len(clip) == round(seconds * SAMPLE_RATE)
    assert np.array_equal(clip, source.samples[np.arange(len(clip)) % count])


@given(st.floats(0.001, 1.0), st.floats(0.001, 1.0))
def test_a_shorter_clip_is_the_beginning_of_a_longer_one(one: float, other: float) -> None:
    source = source_of(3000)
    shorter, longer = sorted((cut(source, one), cut(source, other)), key=len)
    assert np.array_equal(shorter, longer[: len(shorter)])


def test_a_clip_can_be_changed_without_changing_its_source() -> None:
    source = shipped_speech()
    clip = cut(source, source.seconds)
    clip[:] = 0
    assert sha256_of(source.samples) == SPEECH_SHA256


def test_a_clip_of_no_sample_is_refused() -> None:
    with pytest.raises(ClipError, match="a clip of 1e-05 s contains no samples"):
        cut(source_of(10), 1e-5)


def test_the_hash_is_of_little_endian_floats_in_any_layout() -> None:
    samples = np.array([0.0, 1.0, -0.5, 2.0], np.float32)
    expected = "1e6e2febe9e099338f16e9547f3ba60c9e08c94dc5b6bcaa72913273609a75ed"
    assert sha256_of(samples) == expected
    assert sha256_of(np.repeat(samples, 2)[::2]) == expected
