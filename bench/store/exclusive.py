"""A lock of the system on a file: one process has it, and it ends with that process."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Final

from bench.store.disk import disk_errors

_PAUSE_S: Final = 0.1


class NoLocksError(Exception):
    """The file system has no locks. Never leaves `bench.store`."""


@dataclass(frozen=True)
class SystemLock:
    """A lock on an open file."""

    path: Path
    descriptor: int

    def release(self) -> None:
        """Give the lock back, and remove the file."""
        if os.name == "nt":  # an open file cannot be removed there, and one that others have open stays
            os.close(self.descriptor)
            with suppress(OSError):
                self.path.unlink()
        else:  # removed first: whoever locks the file after this finds that it has no name any more
            with suppress(OSError):
                self.path.unlink()
            os.close(self.descriptor)


def try_lock(path: Path) -> SystemLock | None:
    """Lock a file, which is made where it is missing; None where another process has the lock.

    Raises:
        OSError: the file cannot be made.
        NoLocksError: the file system has no locks.
    """
    from filelock import lock_descriptor

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        locked = lock_descriptor(descriptor, blocking=False)
    except OSError as error:  # ENOLCK, EOPNOTSUPP, ENOSYS and others: so says a network share without locks
        os.close(descriptor)
        with suppress(OSError):
            path.unlink()
        raise NoLocksError from error
    if locked and (os.name == "nt" or _is_at(descriptor, path)):  # no open file loses its name there
        return SystemLock(path, descriptor)
    os.close(descriptor)
    return None


@contextmanager
def exclusive(path: Path, busy: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a file, without effect where the file system has no locks.

    `busy` is called once where another process has it: it raises, or the lock is waited for.

    Raises:
        StorageError: the disk refused the file.
    """
    held = None
    with suppress(NoLocksError), disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = try_lock(path)
        if held is None:
            busy()
        while held is None:
            sleep(_PAUSE_S)
            held = try_lock(path)
    try:
        yield
    finally:
        if held is not None:
            held.release()


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file still has this name: the owner before may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
