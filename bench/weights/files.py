"""The files of a checkpoint that are needed, and their hashes."""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Final

from bench.errors import WeightsError
from bench.records.record import WeightFile
from bench.store.untrusted import open_file
from bench.weights.interface import Progress, quiet

INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
SMALL: Final = frozenset(
    {
        "config.json",
        "generation_config.json",
        "processor_config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "merges.txt",
        "chat_template.jinja",
        "chat_template.json",
        INDEX,
    }
)
"""Everything but the weights that loading the model and its processor can read. No Python, no pickles."""

_SHARD = re.compile(r"model[\w.-]*\.safetensors")
_BLOCK_BYTES: Final = 8 * 2**20
_HASHED_AT_ONCE: Final = 2


def is_weights(name: str) -> bool:
    """Whether a file name of a repository is a safetensors shard of the model."""
    return _SHARD.fullmatch(name) is not None


def is_needed(name: str) -> bool:
    """Whether a file has to be fetched. Names with a folder in them are never needed."""
    return name in SMALL or is_weights(name)


def hash_files(paths: Mapping[str, Path], progress: Progress = quiet) -> tuple[WeightFile, ...]:
    """Read each file from disk and compute its SHA-256 and size, two files at a time.

    Example:
        `hash_files({"config.json": directory / "config.json"})`

    Raises:
        WeightsError: a file cannot be read.
    """
    total = sum(_size(path) for path in paths.values())
    tally = _Tally(lambda done: progress("checking", done, total))

    def hashed(item: tuple[str, Path]) -> WeightFile:
        return _hash_file(*item, tally.add)

    with ThreadPoolExecutor(_HASHED_AT_ONCE) as pool:
        return tuple(pool.map(hashed, paths.items()))


def git_blob_sha1(path: Path) -> str:
    """Git's name for the file: SHA-1 over `blob <size>`, a zero byte and the content. For small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


class _Tally:
    """Sums the bytes that several threads have read, and reports from one thread at a time."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._done = 0
        self._lock = Lock()

    def add(self, size_bytes: int) -> None:
        with self._lock:
            self._done += size_bytes
            self._report(self._done)


def _hash_file(name: str, path: Path, on_bytes: Callable[[int], None]) -> WeightFile:
    digest, size = hashlib.sha256(), 0
    block = memoryview(bytearray(_BLOCK_BYTES))
    try:
        with open_file(path) as file:
            while count := file.readinto(block):
                digest.update(block[:count])
                size += count
                on_bytes(count)
    except OSError as error:
        raise _unreadable(path, error) from error
    return WeightFile(name=name, size_bytes=size, sha256=digest.hexdigest())


def _size(path: Path) -> int:
    try:
        with open_file(path) as file:
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> WeightsError:
    return WeightsError(
        f"{path} cannot be read: {error.strerror}", hint="Check the disk and the file's permissions"
    )
