"""Traced figures on this disk, for the next plan: a small file for each clip, and a bounded number of them.

What traced them is part of a file's name: the model, the setting, the sources of bench that trace, and the
versions of torch and transformers. A file that is damaged, or of anything else, counts as none, and so does a
disk that refuses: the clip is traced again.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

import bench
from bench.errors import StorageError
from bench.packages import version_of
from bench.predict.card_clip import CardClip
from bench.predict.card_envelope import CardTerms
from bench.predict.source import Source
from bench.store.canonical import sha256_of
from bench.store.record_files import write_atomically
from bench.store.untrusted import read_file
from bench.store.user_folders import cache_folder

FOLDER: Final = "predictions"
MOST_FILES: Final = 2000
"""Of a few kilobytes each."""
_LIMIT_BYTES: Final = 2**20
_TRACING: Final = ("predict", "moss_audio", "arithmetic", "engines/native")
"""The folders of bench that decide a figure."""
_STORED: Final = TypeAdapter(dict[int, CardTerms])
_CLIP: Final = TypeAdapter(CardClip)


def user_cache(source: Source) -> "TermsCache | None":
    """Return this user's cache for a model; None where there is no place for one."""
    try:
        return TermsCache(cache_folder() / FOLDER, source)
    except OSError:
        return None


class TermsCache:
    """The figures of one model in a folder. Several processes may use it at a time."""

    def __init__(self, folder: Path, source: Source, most_files: int = MOST_FILES) -> None:
        self._folder = folder
        self._most_files = most_files
        self._source = source
        self._what: dict[str, JsonValue] | None = None

    def find(self, clip: CardClip, max_tokens: Sequence[int]) -> Mapping[int, CardTerms]:
        """Return the figures of those of these answers that it has."""
        path = self._path(clip)
        found = _read(path)
        with suppress(OSError):
            os.utime(path)  # the least recently used go first
        return {tokens: found[tokens] for tokens in max_tokens if tokens in found}

    def keep(self, clip: CardClip, found: Mapping[int, CardTerms]) -> None:
        """Keep the figures of a clip in addition to those of its other answers."""
        path = self._path(clip)
        with suppress(StorageError, OSError):
            write_atomically(path, _STORED.dump_json({**_read(path), **found}))
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Keep three quarters of the files where there are too many, so that this is rare."""
        files = list(self._folder.glob("*.json"))
        if len(files) <= self._most_files:
            return
        files.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in files[: len(files) - self._most_files * 3 // 4]:
            path.unlink(missing_ok=True)

    def _path(self, clip: CardClip) -> Path:
        if self._what is None:
            self._what = _what_traces(self._source)
        digest = sha256_of({**self._what, "clip": _CLIP.dump_python(clip, mode="json")})
        return self._folder / f"{digest.removeprefix('sha256:')}.json"


def _what_traces(source: Source) -> dict[str, JsonValue]:
    """Return the model, the versions and the sources on which figures depend."""
    stated = None if source.tensors is None else [[name, *shape] for name, shape in source.tensors.items()]
    return {
        "config_sha256": source.config_sha256,
        "tensors": cast("JsonValue", stated),
        "sources": _sources(),
        "torch": version_of("torch"),
        "transformers": version_of("transformers"),
    }


def _read(path: Path) -> dict[int, CardTerms]:
    """Return what a file holds; nothing of one that is missing or damaged."""
    try:
        return _STORED.validate_json(read_file(path, _LIMIT_BYTES))
    except (OSError, ValidationError):
        return {}


def _sources() -> str:
    """Return a hash of the modules that decide a figure."""
    root, found = Path(bench.__file__).parent, sha256()
    for path in sorted(path for folder in _TRACING for path in (root / folder).rglob("*.py")):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()
