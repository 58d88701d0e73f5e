"""The lock of a journal: one process writes the journal, and the lock ends with that process.

The system locks a file next to the journal. A second file has the process number of the owner, since a locked
file cannot be read on Windows. The number is only shown: the lock decides, so that neither a container nor a
number that was given again matters. Where the file system has no locks, that second file is the lock: it
counts until its process has ended, and for other computers until it is deleted.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from bench.errors import RecordError, StorageError
from bench.store import naming
from bench.store.disk import disk_errors
from bench.store.exclusive import NoLocksError, SystemLock, try_lock
from bench.store.untrusted import open_file

if TYPE_CHECKING:
    from filelock import SoftFileLock

_PATIENCE_S: Final = 0.2
_PAUSE_S: Final = 0.02
_MAX_NUMBER_BYTES: Final = 20


class InUseError(RecordError):
    """A living run writes the journal."""


class JournalLock:
    """The exclusive use of a journal, until `release` or the end of this process."""

    def __init__(self, journal: Path, held: "SystemLock | SoftFileLock") -> None:
        self._journal = journal
        self._held: SystemLock | SoftFileLock | None = held

    @classmethod
    def take(cls, journal: Path) -> Self:
        """Take the lock of this journal, or of the journal of this record.

        Raises:
            InUseError: a living run has it.
            StorageError: the disk refused the file.
        """
        journal = naming.journal_of(journal)
        held = _hold(journal)
        if isinstance(held, SystemLock):
            with suppress(OSError):  # without its number the lock is as good
                naming.owner_of(journal).write_text(f"{os.getpid()}\n", encoding="ascii")
        return cls(journal, held)

    def release(self) -> None:
        """Give the lock back, and remove its files. A second call does nothing."""
        held, self._held = self._held, None
        if held is None:
            return
        if isinstance(held, SystemLock):
            with suppress(OSError):
                naming.owner_of(self._journal).unlink()
        held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def owner(journal: Path) -> InUseError | None:
    """Return the refusal that names the living run of this journal; None where there is no such run."""
    if not (naming.lock_of(journal).exists() or naming.owner_of(journal).exists()):
        return None
    try:
        JournalLock(journal, _hold(journal)).release()
    except InUseError as error:
        return error
    except StorageError:  # the folder is read-only here: nobody can be asked
        return None
    return None


def lock_problem(folder: Path) -> str | None:
    """Return the sentence for a person where files in this folder cannot be locked; None where they can."""
    from filelock import lock_descriptor

    with disk_errors(folder), tempfile.TemporaryFile(dir=folder) as file:
        try:
            lock_descriptor(file.fileno(), blocking=False)
        except OSError as error:
            return (
                f"{folder}: this file system has no file locks ({error.strerror}); a file marks each run. "
                "If this computer crashes, another cannot resume the run until that file is deleted"
            )
    return None


def _hold(journal: Path) -> "SystemLock | SoftFileLock":
    """Lock the journal. One that only looks for an owner has the lock for an instant: try for a while."""
    deadline = monotonic() + _PATIENCE_S
    with disk_errors(naming.lock_of(journal)):
        while (held := _try(journal)) is None:
            if monotonic() > deadline:
                raise _in_use(journal)
            sleep(_PAUSE_S)
    return held


def _try(journal: Path) -> "SystemLock | SoftFileLock | None":
    try:
        return try_lock(naming.lock_of(journal))
    except NoLocksError:
        return _try_soft_lock(journal)


def _try_soft_lock(journal: Path) -> "SoftFileLock | None":
    from filelock import SoftFileLock, Timeout

    lock = SoftFileLock(naming.owner_of(journal), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def _in_use(journal: Path) -> InUseError:
    marker = naming.owner_of(journal)
    number = _process_number(marker)
    process = "another process" if number is None else f"process {number}"
    hint = "Wait until that run ends, or stop it; then try again"
    if not naming.lock_of(journal).exists():  # without file locks, a run on a computer that is gone
        hint += f". If there is no such run, delete {marker}"
    return InUseError(f"{journal}: {process} is still writing this journal", hint=hint)


def _process_number(path: Path) -> int | None:
    try:
        with open_file(path) as file:
            line, end, _ = file.read(_MAX_NUMBER_BYTES).partition(b"\n")
    except OSError:
        return None
    return int(line) if end and line.isdigit() else None
