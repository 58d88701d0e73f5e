"""The receiver's database: SQLite with one writer, or PostgreSQL by URL."""

import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bench.errors import BenchError, StorageError, UsageError
from bench.store import naming
from bench.store.exclusive import exclusive
from bench.store.untrusted import kind_of, open_file
from bench.text import MAX_NAME, clean

Result = TypeVar("Result")
_WAIT_S: Final = 30
_LOCK: Final = 0x62656E63
"""Number of PostgreSQL's advisory lock: writers of all processes follow each other, as does the log."""
_DIALECTS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
MAGIC: Final = b"SQLite format 3\0"
"""How the file of a database of SQLite begins."""
_EXAMPLES: Final = "Use sqlite:///FILE or postgresql://USER@HOST/NAME"


class Database:
    """An open database with the newest tables.

    All writing goes through one thread: SQLite has one writer, and each entry of the log follows the one
    before it. `write` returns once the disk has it.
    """

    def __init__(self, url: str) -> None:
        """Open a database, and make or migrate its tables.

        Raises:
            UsageError: no such kind of database, or the tables of a newer bench.
            StorageError: it does not answer, or the disk refused the file.
        """
        self.engine: Final = _engine(url)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        try:
            _migrate(self.engine)
        except BenchError:
            self.close()
            raise

    def __enter__(self) -> Self:
        """The database itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, after the writing that was begun."""
        self.close()

    def close(self) -> None:
        """Finish what is being written, and disconnect."""
        self._writer.shutdown()
        self.engine.dispose()

    def read(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Return what `work` reads, all of one state of the database.

        Raises:
            StorageError: the database does not answer.
        """
        try:
            with self.engine.connect() as connection:
                return work(connection)
        except DBAPIError as error:
            raise StorageError(
                f"the database does not answer ({_reason(error)})", hint="Try again"
            ) from error

    def write(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Return what `work` returned, once all that it wrote is durable: nothing is, where it raises.

        Raises:
            StorageError: the database does not answer, or its disk is full.
        """
        return self._writer.submit(self._write, work).result()

    def forget_deleted(self) -> None:
        """Remove deleted content from the files of SQLite: until then its write-ahead log contains it.

        A server removes it by itself (`VACUUM`). Waits up to 30 s for readers.

        Raises:
            StorageError: the database does not answer, or is being read for longer.
        """
        if self.engine.dialect.name == "sqlite" and self.read(_empty_wal):
            raise StorageError(
                "deleted content is still in the write-ahead log", hint="Stop bench site serve"
            )

    def _write(self, work: Callable[[sa.Connection], Result]) -> Result:
        try:
            with self.engine.begin() as connection:
                _wait_for_turn(connection)
                return work(connection)
        except DBAPIError as error:
            raise StorageError(f"the database refused it ({_reason(error)})", hint="Try again") from error


def url_of(file: Path) -> str:
    """Return the URL of a file of SQLite.

    Raises:
        UsageError: its name is not in UTF-8.
    """
    try:
        return sa.URL.create("sqlite", database=str(file)).render_as_string()
    except UnicodeEncodeError as error:
        name = clean(str(file), MAX_NAME)
        raise UsageError(f"{name}: the name of the database is not in UTF-8", hint="Rename it") from error


def sqlite_file(url: str) -> Path | None:
    """Return the file of a database of SQLite; None for a server.

    Raises:
        UsageError: no such kind of database, or one of SQLite without a file.
    """
    parsed, dialect = _parsed(url)
    if dialect != "sqlite":
        return None
    file = parsed.database
    if not file or file == ":memory:" or "\0" in file or parsed.query:
        raise UsageError("--database: a database of SQLite needs a file, and nothing else", hint=_EXAMPLES)
    return Path(file)


@contextmanager
def server_of(url: str) -> Iterator[None]:
    """Be the only server of a database of SQLite; one of PostgreSQL looks after itself.

    Raises:
        UsageError: another server has it, or it is no database.
        StorageError: the disk refused the file of the lock.
    """
    file = sqlite_file(url)
    if file is None:
        yield
        return
    _require_database(file)

    def busy() -> None:
        raise UsageError(f"{file}: bench site serve has this database in use", hint="Stop it first")

    with exclusive(naming.database_lock(Path(os.path.realpath(file))), busy):
        yield


def header_of(file: Path) -> bytes:
    """Return the first bytes of a file. SQLite would wait for ever for one that it cannot read.

    Raises:
        OSError: it cannot be read, is no regular file, or has nothing to read yet.
    """
    with open_file(file) as opened:
        found: bytes | None = opened.read(len(MAGIC))
    if found is None:
        raise OSError(errno.EAGAIN, "it has nothing to read yet", str(file))
    return found


def make_private(file: Path) -> None:
    """Make the file of a database where it is missing. Its owner alone can read it, and SQLite's other files.

    It has addresses, salts, and notes that nobody has read.

    Raises:
        OSError: it cannot be made.
    """
    if kind_of(file) is None:
        file.touch(mode=0o600)


def require_file(url: str) -> None:
    """Refuse a database of SQLite that does not exist: opening it would make an empty one.

    Raises:
        UsageError: no such database.
    """
    file = sqlite_file(url)
    if file is not None and kind_of(file) is None:
        raise UsageError(
            f"{file}: no such database", hint="Name it with --database; bench site serve makes one"
        )


def _require_database(file: Path) -> None:
    """Refuse a file that is there and is neither empty nor a database."""
    if kind_of(file) is None:
        return
    try:
        problem = None if header_of(file) in {b"", MAGIC} else "it is no database of SQLite"
    except OSError as error:
        problem = error.strerror
    if problem is not None:
        raise UsageError(
            f"--database: {clean(str(file), MAX_NAME)} cannot be used: {problem}",
            hint="Name a new file, or that of a receiver",
        )


def _parsed(url: str) -> tuple[sa.URL, str]:
    try:
        parsed = sa.make_url(url)
        return parsed, _DIALECTS[parsed.get_backend_name()]
    except (ArgumentError, NoSuchModuleError, KeyError) as error:
        raise UsageError("--database: no such kind of database", hint=_EXAMPLES) from error


def _empty_wal(connection: sa.Connection) -> bool:
    """Whether readers kept SQLite from emptying its write-ahead log."""
    is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return bool(is_busy)


def _wait_for_turn(connection: sa.Connection) -> None:
    """Wait until no other process writes."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _engine(url: str) -> sa.Engine:
    parsed, dialect = _parsed(url)
    file = sqlite_file(url)
    if file is not None:
        _require_database(file)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            make_private(file)
        except OSError as error:
            raise StorageError(
                f"--database: {error.strerror}", hint="Name a folder that is writable"
            ) from error
    try:
        # A connection for each thread that asks: the server's threads are the limit.
        engine = sa.create_engine(
            parsed.set(drivername=dialect), max_overflow=-1, pool_pre_ping=dialect != "sqlite"
        )
    except ArgumentError as error:
        raise UsageError("--database: no such kind of database", hint=_EXAMPLES) from error
    if dialect == "sqlite":
        sa.event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: DBAPIConnection, _: object) -> None:
    """Leave transactions to us: Python's module begins them late. WAL: readers do not wait for the writer."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {_WAIT_S * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: sa.Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.begin() as connection:
            _wait_for_turn(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise UsageError("the database has the tables of a newer bench", hint="Update bench") from error
    except DBAPIError as error:
        raise StorageError(
            f"the database cannot be opened ({_reason(error)})", hint="Check its address and its server"
        ) from error


def _reason(error: DBAPIError) -> str:
    """The driver's words in one line: no statement, no values."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
