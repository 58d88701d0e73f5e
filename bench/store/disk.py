"""Errors of the disk as one line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.errors import StorageError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        full = error.errno in FULL
        raise StorageError(
            f"{path}: cannot be written ({reason})",
            hint=f"{'Free space or choose' if full else 'Choose'} another --out",
            step="Free space" if full else "Make it writable",
        ) from error
