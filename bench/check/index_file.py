"""The database of the index: checked when opened, and rebuilt if it is damaged or of another version."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

import bench
from bench.check.summary import SUMMARY_VERSION
from bench.errors import StorageError, UsageError
from bench.store import naming

Note = Callable[[str], None]

_Kept = TypeVar("_Kept", bound=BaseModel)
_Parsed = TypeVar("_Parsed")

MADE_BY: Final = f"{bench.__version__} {SUMMARY_VERSION}"
APPLICATION_ID: Final = 0x62656E63  # "benc"; in the header of the file, at byte 68
_MAGIC: Final = b"SQLite format 3\0"
_WAIT_S: Final = 60.0
_MAX_VALUE_BYTES: Final = 256 * 2**20
_SCHEMA: Final = (
    "CREATE TABLE made (version TEXT NOT NULL)",
    "CREATE TABLE groups (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
    "CREATE TABLE files (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, inode TEXT NOT NULL, ctime_ns INTEGER NOT NULL,"
    " grp INTEGER, hash TEXT, brief TEXT, fault TEXT, hint TEXT)",
    "CREATE TABLE heads (file INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE cells (grp INTEGER NOT NULL, cell_id TEXT NOT NULL, file INTEGER NOT NULL,"
    " nth INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (grp, cell_id, file, nth)) WITHOUT ROWID",
    "CREATE TABLE merged (grp INTEGER NOT NULL, cell_id TEXT NOT NULL, digest TEXT NOT NULL,"
    " body TEXT NOT NULL, PRIMARY KEY (grp, cell_id)) WITHOUT ROWID",
    "CREATE TABLE kept (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE INDEX cells_of_file ON cells (file)",
    "CREATE INDEX files_of_group ON files (grp)",
)


class DamagedError(Exception):
    """The database is damaged. Never leaves `bench.check`."""


class UnusableError(Exception):
    """No index can be opened or made. Never leaves `bench.check`."""


def connect(path: Path, note: Note, *, is_ours: bool, made_by: str = MADE_BY) -> sqlite3.Connection:
    """An open database with our tables. `made_by` names who reads the files, and in which version.

    One that is damaged, or of another version, is made again with one line through `note`. A file that is
    no index is left alone unless `is_ours`: it lies where only `bench` puts files.

    Raises:
        UsageError: the file is no index.
        UnusableError, sqlite3.OperationalError: the disk refused it, or another process kept it locked.
    """
    with _file_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(path, is_ours=is_ours)
    return _open_or_remake(path, note, made_by)


@contextmanager
def _file_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnusableError(error.strerror or str(error)) from error


def private(made_by: str = MADE_BY) -> sqlite3.Connection:
    """An open database with our tables that is gone when it is closed.

    Raises:
        StorageError: the disk refused it.
    """
    try:
        return _open("", made_by)
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"records cannot be merged ({error})", hint="Set TMPDIR to a folder with free space"
        ) from error


def _open_or_remake(path: Path, note: Note, made_by: str) -> sqlite3.Connection:
    try:
        return _open(str(path), made_by)
    except (DamagedError, sqlite3.DatabaseError) as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, read-only, full: not damaged
            raise
        note(f"{path}: {reason_of(error)}; the index is made again")
        remove(path)
        return _open(str(path), made_by)


def reason_of(error: Exception) -> str:
    """Reason why an index cannot be used, as the beginning of a line."""
    return str(error) if isinstance(error, DamagedError) else f"damaged ({error})"


def remove(path: Path) -> None:
    """Delete a database and SQLite's other files of it."""
    with _file_errors():
        for suffix in ("", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _refuse_foreign(path: Path, *, is_ours: bool) -> None:
    if is_ours and path.exists() and not path.is_file():
        raise UnusableError("it is not a file")  # SQLite could wait for a pipe
    if is_ours or not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(100)
        if head.startswith(_MAGIC) and head[68:72] == APPLICATION_ID.to_bytes(4, "big"):
            return
    raise UsageError(f"--index: {path} is not an index of bench", hint="Name a new file")


def _open(name: str, made_by: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_WAIT_S, isolation_level=None)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        # Of a cell that is longer than a quarter of a page, SQLite would put the rest on a page of its own.
        for pragma in (
            "page_size = 16384",
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "synchronous = NORMAL",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        _require_tables(connection, made_by)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_tables(connection: sqlite3.Connection, made_by: str) -> None:
    """Make the tables in a new database; in any other there must be ours, word by word, and nothing else."""
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO made VALUES (?)", (made_by,))
    if sorted(_tables(connection)) != sorted(_SCHEMA):
        raise DamagedError("not the tables of this index")
    if connection.execute("SELECT version FROM made").fetchall() != [(made_by,)]:
        raise DamagedError("made by another version of bench")
    connection.execute("COMMIT")


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    return [statement for (statement,) in found]


def default_path(name: str = naming.INDEX) -> Path:
    """Default path of an index of this name, in the user's cache.

    Raises:
        OSError: there is no such folder.
    """
    from bench.store.user_folders import cache_folder

    return cache_folder() / name


def checked(kind: type[_Kept], text: str) -> _Kept:
    """Return a kept text as a model.

    Raises:
        DamagedError: it is none.
    """
    try:
        return kind.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise DamagedError("it contains unexpected data") from error


def parsed(kind: TypeAdapter[_Parsed], text: str) -> _Parsed:
    """Return a kept text as a value of any type.

    Raises:
        DamagedError: it is none.
    """
    try:
        return kind.validate_json(text, strict=True)
    except ValidationError as error:
        raise DamagedError("it contains unexpected data") from error
