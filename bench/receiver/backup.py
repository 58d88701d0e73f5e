"""Backups of a database of SQLite: one file with one state, also while the receiver writes."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from os import close as close_descriptor
from pathlib import Path
from typing import Final

from bench.errors import RecordError, StorageError, UsageError
from bench.receiver import ledger
from bench.receiver.database import (
    MAGIC,
    Database,
    header_of,
    make_private,
    require_file,
    server_of,
    sqlite_file,
    url_of,
)
from bench.receiver.ledger import EMPTY, Head
from bench.receiver.tables import LOG, SUBMISSIONS
from bench.store.disk import disk_errors
from bench.store.record_files import sync_folder
from bench.store.untrusted import kind_of

_WAIT_S: Final = 30.0
_NEEDED: Final = {SUBMISSIONS.name, LOG.name, "alembic_version"}
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def back_up(url: str, target: Path) -> Head:
    """Write a new file with all of a database; return the end of its log.

    Only its owner can read the file: it contains the addresses of senders, and salts.

    Raises:
        UsageError: the file exists, there is no such database, or it is a server's.
        StorageError: the disk refused the file, or the database cannot be read.
        GateError: the log does not verify.
    """
    source = _file(url)
    require_file(url)
    if kind_of(target) is not None:
        raise UsageError(f"{target}: exists already", hint="Name a new file")
    with _temporary(target) as copy:
        try:
            _copy(source, copy)
        except sqlite3.Error as error:
            raise StorageError(f"{source}: cannot be read ({error})", hint="Try again") from error
        head = _verified(copy)
        with disk_errors(target):
            copy.replace(target)
            sync_folder(target.parent)
    return head


def restore(backup: Path, url: str, *, may_replace: bool) -> Head:
    """Put a backup in the place of all that a database contains; return the end of its log.

    Raises:
        RecordError: the file is no backup of a receiver, or is damaged.
        GateError: the log in the backup does not verify.
        UsageError: the database has submissions and may not be replaced, a receiver has it in use, or it is
            a server's.
        StorageError: the disk refused it, or another process writes to the database.
    """
    target = _file(url)
    if kind_of(backup) != "file":
        raise RecordError(f"{backup}: no such file", hint="bench site backup FILE makes one")
    try:
        problem = None if header_of(backup) == MAGIC else "not a database of SQLite"
    except OSError as error:
        problem = error.strerror
    if problem is not None:
        raise RecordError(f"{backup}: is no backup ({problem})", hint="Use another backup")
    with server_of(url), _temporary(target) as copy:
        try:
            _copy(backup, copy)
            _require_receiver(copy)
        except sqlite3.Error as error:
            raise RecordError(f"{backup}: is no backup ({error})", hint="Use another backup") from error
        head = _verified(copy)
        if not may_replace and _head(target) != EMPTY:
            raise UsageError(
                f"{target}: has submissions, which the backup would replace", hint="Add --yes to replace them"
            )
        with disk_errors(target):
            make_private(target)
        try:
            _copy(copy, target)
        except sqlite3.Error as error:
            raise StorageError(f"{target}: refused it ({error})", hint="Stop bench site serve") from error
    return head


def _file(url: str) -> Path:
    file = sqlite_file(url)
    if file is None:
        raise UsageError(
            "a database of PostgreSQL is backed up by its own programs",
            hint="Use pg_dump --format=custom, and pg_restore into an empty database",
        )
    return file


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A file of mode 0600 in the folder of another; what is left of it at the end is removed."""
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        close_descriptor(descriptor)
    try:
        yield Path(name)
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            Path(name + end).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy one state of a database in one transaction.

    Raises:
        sqlite3.Error: it cannot be read or written, or is locked for 30 s.
    """

    def refuse_to_wait(status: int, _left: int, _all: int) -> None:
        if status in _BUSY:  # Python would try for ever
            raise sqlite3.OperationalError("another process writes to it")

    read_only = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(read_only, uri=True, timeout=_WAIT_S)) as read,
        closing(sqlite3.connect(target, timeout=_WAIT_S)) as written,
    ):
        read.backup(written, progress=refuse_to_wait)


def _require_receiver(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        ((fault,), *_) = connection.execute("PRAGMA quick_check(1)")
        if fault != "ok":
            raise sqlite3.DatabaseError(str(fault))
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not tables >= _NEEDED:
            raise sqlite3.DatabaseError("it has not the tables of a receiver")


def _verified(copy: Path) -> Head:
    """Verify the log of a copy, and leave the copy in one file."""
    with Database(url_of(copy)) as database:
        lines = database.read(
            lambda connection: [each.model_dump_json() for each in ledger.entries(connection)]
        )
    *_, head = (EMPTY, *ledger.verify(lines))
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return head


def _head(file: Path) -> Head:
    if kind_of(file) is None:
        return EMPTY
    with Database(url_of(file)) as database:
        return database.read(ledger.head)
