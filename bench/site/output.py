"""The files of a site: written whole, only where they differ, and removed when nothing makes them any more.

`files.json` lists every file with its size and hash. What it does not list is not ours and is left alone.
A build that is killed leaves `files.begun`, a line for each file that it wrote: the next one knows them.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NamedTuple, Self

from pydantic import StringConstraints, TypeAdapter, ValidationError

from bench.records.base import Bytes, Frozen, Sha256
from bench.store.disk import disk_errors
from bench.store.record_files import write_atomically
from bench.store.untrusted import read_file

MANIFEST: Final = "files.json"
BEGUN: Final = "files.begun"
LOCK: Final = "files.lock"
"""There while a build reads and writes: another one waits for it."""
_MOST_BYTES: Final = 2**28
_Below = Annotated[
    str, StringConstraints(pattern=r"^(?:[A-Za-z0-9][A-Za-z0-9._-]*/)*[A-Za-z0-9][A-Za-z0-9._-]*$")
]
"""A path below the site: no part of it is hidden, or leads upwards."""


class Written(NamedTuple):
    """A file as the manifest lists it."""

    size_bytes: Bytes
    sha256: Sha256


_BELOW: Final = TypeAdapter(_Below)


class Manifest(Frozen):
    """The files of a site."""

    files: dict[_Below, Written]


class Output:
    """A site that is being written. Leaving it removes what nothing made, unless the work was interrupted."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root
        self._before = _read(root / MANIFEST)
        self._begun = _read_begun(root / BEGUN)
        self._unsure = frozenset(self._begun)
        self.files: Final[dict[str, Written]] = {}
        self.changed = 0

    def __enter__(self) -> Self:
        """The site itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the list of files: after an interruption with those of the last build, for the next one.

        Raises:
            StorageError: the disk refused it.
        """
        if kind is None:
            for path in sorted((self._before.keys() | self._begun) - self.files.keys()):
                self._remove(path)
        files = self.files if kind is None else {**self._before, **self.files}
        content = _render(files)
        if not _has(self.root / MANIFEST, content):
            write_atomically(self.root / MANIFEST, content)
        if kind is None:
            with disk_errors(self.root / BEGUN):
                (self.root / BEGUN).unlink(missing_ok=True)

    def put(self, path: str, content: bytes) -> Written:
        """Write a file, unless it is there with the same content.

        Raises:
            StorageError: the disk refused it.
        """
        target = self.root / path
        if not _has(target, content):
            self._begin(path)
            write_atomically(target, content, is_durable=False)
            self.changed += 1
        written = Written(len(content), hashlib.sha256(content).hexdigest())
        self.files[path] = written
        return written

    def keep(self, files: Mapping[str, Written]) -> bool:
        """Keep files that were written before; False, and none is kept, where one of them is not there.

        Of a file that the last build listed so, only the size is looked at. Others are read: another
        index, or a build that was killed, may have written them since.
        """
        if not all(self._is_there(path, written) for path, written in files.items()):
            return False
        self.files.update(files)
        return True

    def _is_there(self, path: str, written: Written) -> bool:
        if _size(f"{self.root}/{path}") != written.size_bytes:
            return False
        if self._before.get(path) == written and path not in self._unsure:
            return True
        return _sha256(self.root / path, written.size_bytes) == written.sha256

    def _begin(self, path: str) -> None:
        """Note a file before it is written: until the build ends, no list has it as it is."""
        if path in self._begun:
            return
        self._begun.add(path)
        with disk_errors(self.root / BEGUN):
            self.root.mkdir(parents=True, exist_ok=True)
            with (self.root / BEGUN).open("a", encoding="utf-8", newline="\n") as begun:
                begun.write(f"{path}\n")

    def _remove(self, path: str) -> None:
        target = self.root / path
        with disk_errors(target):
            target.unlink(missing_ok=True)
            self.changed += 1
            for folder in target.parents:
                if folder == self.root or any(folder.iterdir()):
                    break
                folder.rmdir()


def _render(files: Mapping[str, Written]) -> bytes:
    lines = (f"{json.dumps(path)}: {json.dumps(files[path])}" for path in sorted(files))
    return ('{"files": {\n' + ",\n".join(lines) + "\n}}\n").encode()


def _read(path: Path) -> dict[str, Written]:
    """Return the files of the last build; none where the list is missing or is not one of ours."""
    try:
        return Manifest.model_validate_json(read_file(path, _MOST_BYTES)).files
    except (OSError, ValidationError):
        return {}


def _read_begun(path: Path) -> set[str]:
    """Return the files that a killed build wrote; the file of a last line that was cut is as it was."""
    try:
        lines = read_file(path, _MOST_BYTES).decode(errors="replace").split("\n")[:-1]
    except OSError:
        return set()
    return {line for line in lines if _is_below(line)}


def _is_below(line: str) -> bool:
    try:
        _BELOW.validate_python(line)
    except ValidationError:
        return False
    return True


def _has(path: Path, content: bytes) -> bool:
    if _size(path) != len(content):
        return False
    try:
        return read_file(path, len(content)) == content
    except OSError:
        return False


def _sha256(path: Path, size_bytes: int) -> str | None:
    try:
        return hashlib.sha256(read_file(path, size_bytes)).hexdigest()
    except OSError:
        return None


def _size(path: Path | str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116  (a path for each of many files takes a second)
    except OSError:
        return None
