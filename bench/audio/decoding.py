"""Audio files to mono 16 kHz samples, with one clear error for each kind of bad file."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from bench.errors import ClipError
from bench.store.untrusted import open_file

if TYPE_CHECKING:
    import soundfile as sf

Samples = NDArray[np.float32]

SAMPLE_RATE: Final = 16_000
MAX_SOURCE_S: Final = 2 * 3600.0
MAX_FILE_BYTES: Final = 2 * 10**9
_BLOCK_FRAMES: Final = 1 << 16
_UNKNOWN_BYTES: Final = 0x7FFF_F000  # programs that write to a pipe state this or more: they cannot know
_CONVERT: Final = "Use WAV, FLAC, MP3 or Ogg Vorbis; ffmpeg -i YOURS clip.wav makes one of most files"
WHOLE: Final = "Copy it or export it again"
_OGG_PAGE_BYTES: Final = 65_307  # the largest that the format allows


def decode(path: Path) -> Samples:
    """Return the whole file as mono 16 kHz float32 of shape [n].

    Raises:
        ClipError: the file is missing, damaged, no audio, too long, or holds samples that are no numbers.
    """
    try:
        with open_file(path) as file:
            _refuse_early(path, file)
            with _quiet_libraries():
                return _decoded(path, file)
    except FileNotFoundError:
        raise ClipError(f"{path} is missing", hint="Name an audio file") from None
    except OSError as error:
        raise ClipError(f"cannot read {path}: {error.strerror}", hint="Name an audio file") from None


def _decoded(path: Path, file: BinaryIO) -> Samples:
    """Decode an open file: a name that is no UTF-8 never reaches libsndfile."""
    import soundfile as sf

    try:
        sound = sf.SoundFile(file)
    except sf.LibsndfileError:
        raise ClipError(f"{path} is not audio in a known format", hint=_CONVERT) from None
    with sound:
        try:
            parts = list(_resampled(_mono_blocks(path, sound), sound.samplerate))
        except sf.LibsndfileError:
            raise ClipError(f"{path} is damaged or cut off", hint=WHOLE) from None
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


@contextlib.contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep mpg123, inside libsndfile, from writing about damaged files to the terminal."""
    try:
        kept = os.dup(2)
    except OSError:  # started without a standard error: nothing to keep quiet
        yield
        return
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _refuse_early(path: Path, file: BinaryIO) -> None:
    """Raise for an empty, huge or truncated file, before decoding."""
    size = os.fstat(file.fileno()).st_size
    head, tail = _ends(file, size)
    if size == 0:
        raise ClipError(f"{path} is empty (0 bytes)", hint=WHOLE)
    if size > MAX_FILE_BYTES:
        raise ClipError(f"{path} is larger than 2 GB", hint="Cut out the part to use")
    if path.suffix.lower() == ".raw":
        raise ClipError(f"{path} contains raw samples of unknown rate and format", hint=_CONVERT)
    if _is_cut_off(head, tail, size):
        raise ClipError(f"{path} is cut off: its end is missing", hint=WHOLE)


def _ends(file: BinaryIO, size: int) -> tuple[bytes, bytes]:
    head = file.read(12)
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read(_OGG_PAGE_BYTES)
    file.seek(0)
    return head, tail


def _is_cut_off(head: bytes, tail: bytes, size: int) -> bool:
    """Whether the end of a WAV, AIFF or Ogg file is missing; False where its writer did not state the size.

    libsndfile makes do with what is there and says nothing, so the file itself is asked.
    """
    if head[:4] in (b"RIFF", b"FORM") and len(head) == 12:
        stated = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big")
        return stated < _UNKNOWN_BYTES and stated + 8 > size + 1  # one byte of padding is often forgotten
    return head[:4] == b"OggS" and not _ends_with_last_page(tail)


def _ends_with_last_page(tail: bytes) -> bool:
    """Whether an Ogg stream ends with a whole page that is marked as its last (RFC 3533, section 6)."""
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27:
        return False
    flags, segments = page[5], page[26]
    return bool(flags & 4) and len(page) >= 27 + segments + sum(page[27 : 27 + segments])


def _mono_blocks(path: Path, sound: "sf.SoundFile") -> Iterator[Samples]:
    """Decode block by block, to bound the memory for hours of many channels."""
    decoded = 0
    while len(block := sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
        if not np.isfinite(block).all():
            raise ClipError(f"{path} contains samples that are not finite numbers", hint=WHOLE)
        decoded += len(block)
        if decoded > MAX_SOURCE_S * sound.samplerate:
            raise ClipError(f"{path} is longer than 2 hours", hint="Cut out the part to use")
        yield block.mean(axis=1, dtype=np.float32)
    if decoded < sound.frames:
        raise ClipError(
            f"{path} is damaged or cut off: it has {decoded} of {sound.frames} frames", hint=WHOLE
        )


def _resampled(blocks: Iterator[Samples], rate: int) -> Iterator[Samples]:
    """Resample the blocks to 16 kHz with soxr's high-quality filter, and compensate its delay."""
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)
