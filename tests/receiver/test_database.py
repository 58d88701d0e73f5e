"""The receiver's database, of each kind: durable, one writer at a time, the tables that the code states."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from bench.errors import StorageError, UsageError
from bench.receiver import database as module
from bench.receiver.database import Database, server_of, sqlite_file, url_of
from bench.receiver.tables import KEYS, METADATA

ROW = {"key_id": "a" * 64, "account": "example.org"}


def keys(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.select(KEYS.c.key_id).order_by(KEYS.c.key_id)))


def test_migrations_make_the_tables_that_the_code_states(database: Database) -> None:
    def differences(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), METADATA)

    assert database.read(differences) == []


def test_a_database_of_an_older_bench_keeps_its_rows_and_gets_the_new_columns(database_url: str) -> None:
    engine, config = module._engine(database_url), Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.text(f"INSERT INTO keys (key_id, account) VALUES ('{ROW['key_id']}', 'x')"))
    engine.dispose()
    with Database(database_url) as database:
        row = database.read(lambda connection: connection.execute(sa.select(KEYS)).mappings().one())
    assert (row["key_id"], row["account"], row["confirmation"]) == (ROW["key_id"], "x", None)


def test_what_was_written_is_there_when_it_is_opened_again(database_url: str) -> None:
    for _ in range(2):
        with Database(database_url) as database:
            if not database.read(keys):
                database.write(lambda connection: connection.execute(sa.insert(KEYS).values(ROW)))
    with Database(database_url) as database:
        assert database.read(keys) == [ROW["key_id"]]


def test_nothing_is_written_where_the_work_fails(database: Database) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(KEYS).values(ROW))
        raise ValueError("after the first half")

    with pytest.raises(ValueError, match="after the first half"):
        database.write(work)
    assert database.read(keys) == []


def test_writers_of_several_threads_and_processes_follow_each_other(database_url: str) -> None:
    """Each reads the number of rows and writes one: two at once would read the same number."""

    def work(connection: sa.Connection) -> None:
        count = connection.scalar(sa.select(sa.func.count()).select_from(KEYS)) or 0
        connection.execute(sa.insert(KEYS).values(key_id=f"{count:064x}"))

    with Database(database_url) as first, Database(database_url) as second:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda nth: (first, second)[nth % 2].write(work), range(60)))
        assert len(first.read(keys)) == len(second.read(keys)) == 60


def test_as_many_read_at_once_as_a_server_has_threads(database: Database) -> None:
    everybody = threading.Barrier(40)
    with ThreadPoolExecutor(40) as pool:
        waits = [pool.submit(database.read, lambda _: everybody.wait(20)) for _ in range(40)]
        assert sorted(each.result() for each in waits) == list(range(40))


def test_a_time_comes_back_in_utc_whatever_its_zone(database: Database) -> None:
    time = datetime(2026, 11, 30, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    database.write(lambda connection: connection.execute(sa.insert(KEYS).values(ROW | {"revoked_at": time})))
    found = database.read(lambda connection: connection.scalar(sa.select(KEYS.c.revoked_at)))
    assert found == time
    assert found is not None
    assert found.tzinfo is UTC


def test_a_statement_that_fails_is_one_line_without_its_values(database: Database) -> None:
    def twice(connection: sa.Connection) -> None:
        for _ in range(2):
            connection.execute(sa.insert(KEYS).values(ROW | {"account": "private words"}))

    with pytest.raises(StorageError, match="the database refused it") as caught:
        database.write(twice)
    assert "private words" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://here/x",
        "no address",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "oracle+x://a",
        "sqlite:///file:x?uri=true",
        "sqlite:///a%00b",
    ],
)
def test_another_kind_of_database_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="--database"):
        Database(url)


def test_what_was_deleted_is_forgotten_unless_somebody_reads_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.write(lambda connection: connection.execute(sa.insert(KEYS).values(ROW)))
    database.forget_deleted()
    assert database.read(keys) == [ROW["key_id"]]
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as reader:
            reader.exec_driver_sql("BEGIN")
            keys(reader)
            database.write(lambda connection: connection.execute(sa.delete(KEYS)))
            monkeypatch.setattr(module, "_WAIT_S", 0)
            database.engine.dispose(close=False)  # connections from here on do not wait
            with pytest.raises(StorageError, match="still in the write-ahead log"):
                database.forget_deleted()


def test_the_tables_of_a_newer_bench_are_left_as_they_are(database_url: str) -> None:
    with Database(database_url) as database:
        database.write(
            lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = 'r9'"))
        )
    with pytest.raises(UsageError, match="newer bench"):
        Database(database_url)


@pytest.mark.parametrize("name", ["receiver.sqlite", "a b/100%25 #?.sqlite"])
def test_the_url_of_a_file_leads_to_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    assert sqlite_file(url_of(file)) == file
    with Database(url_of(file)):
        assert file.is_file()


def test_a_name_that_is_not_in_utf_8_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"the name of the database is not in UTF-8"):
        url_of(Path("/srv/J\udcfcrgen/receiver.sqlite"))


def test_a_server_has_no_file() -> None:
    assert sqlite_file("postgresql://nobody@127.0.0.1:1/x") is None


def test_a_server_that_is_not_there_is_one_line() -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        Database("postgresql://nobody@127.0.0.1:1/x")


@pytest.mark.parametrize("name", ["text", "folder", "pipe", "/proc/kmsg", "/proc/self/environ", "/dev/zero"])
def test_what_is_no_database_is_refused_before_sqlite_waits_for_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text("a letter" * 1000, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for use in (Database, server_of):
        with pytest.raises(UsageError, match="cannot be used: "), use(f"sqlite:///{tmp_path / name}"):
            pass


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with Database(f"sqlite:///{tmp_path}/x") as database:
        assert database.read(keys) == []


def test_a_database_has_one_server(tmp_path: Path) -> None:
    url = url_of(tmp_path / "receiver.sqlite")
    with server_of(url), Database(url), pytest.raises(UsageError, match="in use"), server_of(url):
        pass
    with server_of(url), server_of("postgresql://nobody@127.0.0.1:1/x"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nobody_else_can_read_the_files_of_a_new_database(tmp_path: Path) -> None:
    with Database(url_of(tmp_path / "receiver.sqlite")) as database:
        database.write(lambda connection: connection.execute(sa.insert(KEYS).values(ROW)))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("receiver.sqlite", "receiver.sqlite-wal", "receiver.sqlite-shm"), 0o600)
