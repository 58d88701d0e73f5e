"""Files that anybody may have made: read without waiting for a pipe, up to a limit.

Suites, records, journals, configurations, headers of weights and audio are read through here. Each refusal
is an OSError whose `strerror` completes "PATH cannot be read: ...". Its reader makes it an error of its kind.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final, Literal

_BLOCK_BYTES: Final = 2**20
_NOT_REGULAR: Final = "it is not a regular file"
_IMPOSSIBLE_NAME: Final = "no file can have this name"
# A pipe is not awaited, a terminal does not become ours. Windows has neither flag, and one for line ends.
_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
)

Kind = Literal["file", "folder", "other"]


def kind_of(path: Path) -> Kind | None:
    """Return the kind of file at a path: `other` is a device, pipe or socket; None if nothing is found."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # no such name is possible, or a folder on the way is closed to us
        return None
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


@contextmanager
def open_file(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file; whatever else the path leads to is refused at once.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    # Some devices act when they are opened, and a pipe's writer would see its reader come and go.
    _require_regular(path, _mode(path))
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        _require_regular(path, os.fstat(descriptor).st_mode)  # another file may have taken its name
        yield file


def read_file(path: Path, limit_bytes: int) -> bytes:
    """The whole content of a regular file.

    Raises:
        OSError: it cannot be read, is no regular file, or has more than `limit_bytes`.
    """
    too_large = _refused(path, errno.EFBIG, f"it is larger than {_size(limit_bytes)}")
    content = bytearray()
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > limit_bytes:
            raise too_large
        while block := file.read(_BLOCK_BYTES):  # files of the kernel state no size
            content += block
            if len(content) > limit_bytes:
                raise too_large
    return bytes(content)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except ValueError:  # a zero byte, or a letter that the file system has no bytes for
        raise _refused(path, errno.EINVAL, _IMPOSSIBLE_NAME) from None


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise _refused(path, errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(mode):  # it could go on for ever
        raise _refused(path, errno.EINVAL, _NOT_REGULAR)


def _refused(path: Path, number: int, why: str) -> OSError:
    return OSError(number, why, str(path))


def _size(limit_bytes: int) -> str:
    mebibytes = limit_bytes / 2**20
    return f"{mebibytes:.0f} MiB" if mebibytes >= 1 else f"{limit_bytes} bytes"
