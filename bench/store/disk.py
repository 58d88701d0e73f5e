"""Errors of the disk as one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import StorageError


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"{path}: cannot be written ({reason})", hint="Free space or choose another --out"
        ) from error
