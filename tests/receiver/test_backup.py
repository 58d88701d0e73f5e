"""A backup has one state of the database, and comes back whole."""

import json
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.errors import GateError, RecordError, StorageError, UsageError
from bench.receiver import backup as module
from bench.receiver import ledger
from bench.receiver.backup import back_up, restore
from bench.receiver.database import Database, server_of, sqlite_file, url_of
from bench.receiver.ledger import Event
from bench.receiver.moderation import moderate
from bench.receiver.states import Action, State
from bench.receiver.submissions import Submission, body, listed
from tests.receiver.conftest import program
from tests.receiver.sent import NOW, bundle, do, every, look, sent


@pytest.fixture
def url(tmp_path: Path) -> str:
    return url_of(tmp_path / "receiver.sqlite")


@pytest.fixture
def open_database(url: str) -> Iterator[Database]:
    with Database(url) as database:
        yield database


def all_of(database: Database) -> list[Submission]:
    return every(database, listed, list(State))


def test_what_a_backup_has_comes_back(url: str, tmp_path: Path) -> None:
    file = tmp_path / "kept" / "backup.sqlite"
    with Database(url) as database:
        one, two = sent(database, 1, note="hello"), sent(database, 2)
        do(database, moderate, two.id, Action.WITHDRAW, "wrong", NOW)
        before = all_of(database)
        head = back_up(url, file)
        assert head == look(database, ledger.head)
    elsewhere = url_of(tmp_path / "new" / "receiver.sqlite")
    assert restore(file, elsewhere, may_replace=False) == head
    with Database(elsewhere) as database:
        assert all_of(database) == before
        assert look(database, body, one.id) == bundle(1, note="hello")
        assert sent(database, 3).state is State.VALID, "it goes on from there"
    assert [path.name for path in file.parent.iterdir()] == ["backup.sqlite"], "one file, and nothing beside"
    for each in (file, sqlite_file(elsewhere)):
        assert each is not None
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_a_backup_is_of_one_state_while_others_write(
    url: str, open_database: Database, tmp_path: Path
) -> None:
    """Each writing adds two entries: no backup has one of them alone."""

    def two_entries(connection: sa.Connection) -> None:
        for _ in range(2):
            ledger.append(connection, Event.RECEIVED, "a" * 64, NOW)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [open_database.write(two_entries) for _ in range(200)])
        heads = [back_up(url, tmp_path / f"{nth}.sqlite") for nth in range(5)]
        writing.result()
    assert all(head.size % 2 == 0 for head in heads)
    assert back_up(url, tmp_path / "last.sqlite").size == 400


def test_submissions_are_replaced_only_when_that_is_agreed(
    url: str, open_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "backup.sqlite"
    first = sent(open_database, 1)
    back_up(url, file)
    sent(open_database, 2)
    with pytest.raises(UsageError, match="has submissions, which the backup would replace"):
        restore(file, url, may_replace=False)
    assert len(all_of(open_database)) == 2
    assert restore(file, url, may_replace=True).size == 1
    assert all_of(open_database) == [first], "also for a process that has it open"


def test_an_existing_file_is_not_overwritten(url: str, open_database: Database, tmp_path: Path) -> None:
    sent(open_database)
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="exists already"):
        back_up(url, tmp_path / "mine")
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"


def test_a_log_that_was_changed_is_no_backup(url: str, open_database: Database, tmp_path: Path) -> None:
    sent(open_database)
    open_database.write(lambda connection: connection.execute(sa.text("UPDATE log SET subject = hash")))
    with pytest.raises(GateError, match="entry 1 of the log was changed"):
        back_up(url, tmp_path / "backup.sqlite")
    assert not list(tmp_path.glob("*backup*"))


def other_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE moz_places (url)")


def half(file: Path) -> None:
    other = file.with_name("other.sqlite")
    with Database(url_of(other)) as database:
        for seed in range(1, 6):
            sent(database, seed)
        back_up(url_of(other), file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    "make", [other_database, half, Path.touch, lambda file: file.write_text(json.dumps({"a": "b" * 1000}))]
)
def test_a_file_that_is_no_backup_changes_nothing(
    url: str, open_database: Database, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    one = sent(open_database)
    file = tmp_path / "backup.sqlite"
    make(file)
    with pytest.raises(RecordError, match=r"backup.sqlite: is no backup \("):
        restore(file, url, may_replace=True)
    assert all_of(open_database) == [one]


def test_no_such_file(url: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        restore(tmp_path / "nothing", url, may_replace=True)
    with pytest.raises(UsageError, match="no such database"):
        back_up(url, tmp_path / "backup.sqlite")


def test_a_database_that_another_process_writes_is_left_alone(
    url: str, open_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_S", 0.0)
    file = tmp_path / "backup.sqlite"
    sent(open_database)
    back_up(url, file)

    def meanwhile(connection: sa.Connection) -> None:
        ledger.append(connection, Event.RECEIVED, "a" * 64, NOW)
        with pytest.raises(StorageError, match="another process writes to it"):
            restore(file, url, may_replace=True)

    open_database.write(meanwhile)
    assert look(open_database, ledger.head).size == 2


def test_postgresql_names_its_own_programs(tmp_path: Path) -> None:
    server = "postgresql://nobody@127.0.0.1:1/x"
    with pytest.raises(UsageError, match="pg_dump"):
        back_up(server, tmp_path / "b")
    with pytest.raises(UsageError, match="pg_restore"):
        restore(tmp_path / "b", server, may_replace=True)


def test_a_database_that_a_server_has_is_not_replaced(url: str, tmp_path: Path) -> None:
    with Database(url) as database:
        sent(database, 1)
        back_up(url, tmp_path / "kept.sqlite")
        later = sent(database, 2)
        with server_of(url), pytest.raises(UsageError, match="bench site serve has this database in use"):
            restore(tmp_path / "kept.sqlite", url, may_replace=True)
        assert later in all_of(database)


@pytest.mark.servers
def test_a_dump_of_postgresql_comes_back_whole(postgresql: str, tmp_path: Path) -> None:
    """The commands of docs/hosting.md, without their container."""
    place = postgresql.split(maxsplit=1)[0].removeprefix("host=")

    def run(name: str, *words: str) -> None:
        at_server = (program(name), f"--host={place}", "--username=tests", *words)
        subprocess.run(at_server, check=True, capture_output=True)

    dump, url = tmp_path / "bench.dump", f"postgresql://tests@/bench?host={place}"
    run("createdb", "bench")
    with Database(url) as database:
        one = sent(database, 1, note="hello")
        do(database, moderate, one.id, Action.PUBLISH, "harmless", NOW)
        before, log = all_of(database), every(database, ledger.entries)
        run("pg_dump", "--format=custom", f"--file={dump}", "bench")
        sent(database, 2)
    run("dropdb", "--force", "bench")
    run("createdb", "bench")
    run("pg_restore", "--dbname=bench", "--exit-on-error", str(dump))
    with Database(url) as database:
        assert (all_of(database), every(database, ledger.entries)) == (before, log)
        assert look(database, body, one.id) == bundle(1, note="hello")
        assert sent(database, 2).state is State.VALID, "and it goes on"
