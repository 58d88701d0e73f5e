"""The disk: its free space, and its errors as one line."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.errors import StorageError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn errors of the disk into one line with the step that helps."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        full = error.errno in FULL
        raise StorageError(
            f"{path}: cannot be written ({reason})",
            hint=f"{'Free space' if full else 'Make it writable'} or choose another --out",
            step="Free space" if full else "Make it writable",
        ) from error


def free_bytes(folder: Path) -> int:
    """Return the free bytes on the disk of a folder that may not exist yet."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    return shutil.disk_usage(existing).free
