"""Real files, written by libsndfile in each format, whole and broken."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from bench.audio import decoding
from bench.audio.decoding import SAMPLE_RATE, decode
from bench.errors import ClipError, ExitCode

RATE = 44_100
SECONDS = 2.0
TONE_HZ = 440.0

# Name and what soundfile needs to write it. AIFF and Opus are not promised, but work.
FORMATS = {
    "pcm16.wav": {"subtype": "PCM_16"},
    "float.wav": {"subtype": "FLOAT"},
    "a.flac": {"subtype": "PCM_24"},
    "a.ogg": {"subtype": "VORBIS"},
    "a.mp3": {"subtype": "MPEG_LAYER_III"},
    "a.aiff": {"subtype": "PCM_16"},
}


def tone(channels: int = 2) -> NDArray[np.float64]:
    """A sine whose channels differ in loudness, of shape [frames, channels]."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    return np.outer(np.sin(2 * np.pi * TONE_HZ * time), np.linspace(0.6, 0.2, channels))


def written(folder: Path, name: str) -> Path:
    path = folder / name
    sf.write(path, tone(), RATE, **FORMATS[name])
    return path


def complaint(path: Path) -> str:
    with pytest.raises(ClipError) as caught:
        decode(path)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.hint is not None
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_stereo_at_44100_becomes_mono_at_16000(tmp_path: Path, name: str) -> None:
    samples = decode(written(tmp_path, name))
    assert samples.dtype == np.float32
    assert samples.shape == (round(SECONDS * SAMPLE_RATE),)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) / SECONDS == TONE_HZ
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    assert np.abs(middle).max() == pytest.approx(0.4, rel=0.02)  # the mean of 0.6 and 0.2


def test_lossless_files_at_16000_keep_every_sample(tmp_path: Path) -> None:
    pcm = np.random.default_rng(0).integers(-(2**15), 2**15, 200_000, dtype=np.int16)
    for name in ("a.wav", "a.flac"):
        sf.write(tmp_path / name, pcm, SAMPLE_RATE)
        assert np.array_equal(decode(tmp_path / name), pcm.astype(np.float32) / 2**15)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kept", [0.98, 0.5, 0.05])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, name: str, kept: float) -> None:
    path = written(tmp_path, name)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert "cut off" in complaint(path) or "not audio" in complaint(path)


def test_a_flac_with_a_hole_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a.flac")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 500] = bytes(500)
    path.write_bytes(content)
    assert "damaged" in complaint(path)


def test_a_wav_from_a_pipe_states_no_size_and_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "pcm16.wav")
    content = bytearray(path.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    data = content.index(b"data")
    content[data + 4 : data + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(decode(path)) == SECONDS * SAMPLE_RATE


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("text.wav", b"hello " * 1000, "not audio in a known format. Use WAV, FLAC, MP3 or Ogg Vorbis"),
        ("text.mp3", b"hello " * 1000, "not audio in a known format"),
        ("zeros.mp3", bytes(100_000), "not audio in a known format"),
        ("empty.wav", b"", "is empty (0 bytes)"),
        ("bare.raw", bytes(64_000), "unknown rate and format"),
        ("riff.wav", b"RIFF", "not audio in a known format"),
        ("ogg.ogg", b"OggS", "cut off"),
    ],
)
def test_files_that_are_no_audio_are_refused(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert expected in complaint(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert complaint(tmp_path / "nowhere.wav").endswith("nowhere.wav is missing. Name an audio file")
    assert complaint(tmp_path).endswith(": it is a folder. Name an audio file")


@pytest.mark.parametrize("name", ["Jürgen 你好.wav".encode(), b"Stra\xdfe.wav"])
@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode")
def test_a_file_is_read_whatever_its_name(tmp_path: Path, name: bytes) -> None:
    """A name from an old archive or a Windows share is no UTF-8."""
    path = written(tmp_path, "float.wav").rename(tmp_path / os.fsdecode(name))
    assert len(decode(path)) > 0


def test_a_file_larger_than_2_gb_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.wav"
    with path.open("wb") as file:
        file.truncate(decoding.MAX_FILE_BYTES + 1)  # sparse: takes no disk
    assert "larger than 2 GB" in complaint(path)


def test_more_than_two_hours_are_refused(tmp_path: Path) -> None:
    rate = 100
    sf.write(tmp_path / "long.flac", np.zeros(rate * 7201, np.int16), rate)
    assert "longer than 2 hours" in complaint(tmp_path / "long.flac")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    samples = tone()
    samples[1000, 1] = value
    sf.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    assert "not finite numbers" in complaint(tmp_path / "a.wav")


def test_decoders_write_nothing_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "a.mp3")
    path.write_bytes(path.read_bytes()[:-3000])
    complaint(path)
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"
