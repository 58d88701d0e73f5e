"""Who may write a journal: real processes, and file systems with and without locks."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.errors import RecordError, StorageError
from bench.store import naming
from bench.store.lock import InUseError, JournalLock, lock_problem, owner

NAMES = ("20260607T201500Z-mine-1f2e3d4c5b6a.journal.lock", "20260607T201500Z-mine-1f2e3d4c5b6a.journal.pid")
HOLDER = """
import sys
from pathlib import Path
from bench.store.lock import JournalLock, lock_problem
lock = JournalLock.take(Path(sys.argv[1]))
print(lock_problem(Path(sys.argv[1]).parent), flush=True)
sys.stdin.read()
lock.release()
"""
TRY = """
import sys
from pathlib import Path
from bench.store.lock import InUseError, JournalLock, owner
path = Path(sys.argv[1])
print(owner(path))
try:
    JournalLock.take(path).release()
except InUseError as error:
    print(error)
"""
TURNS = """
import os, sys
from pathlib import Path
from bench.store.lock import InUseError, JournalLock
journal, inside = Path(sys.argv[1]), Path(sys.argv[2])
taken = 0
while taken < 40:
    try:
        lock = JournalLock.take(journal)
    except InUseError:
        continue
    os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails while another is inside
    inside.unlink()
    lock.release()
    taken += 1
"""
NO_LOCKS = """
#include <errno.h>
#include <sys/file.h>
int flock(int descriptor, int operation) { (void)descriptor; (void)operation; errno = ERROR; return -1; }
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "20260607T201500Z-mine-1f2e3d4c5b6a.journal.jsonl"
    path.touch()
    return path


@contextmanager
def holder(journal: Path, env: dict[str, str] | None = None) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    """A process that has the lock until its standard input ends, and what it says of the file system."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(journal)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | (env or {}),
    )
    assert process.stdout is not None
    with process:
        yield process, process.stdout.readline().strip()
        process.kill()


def said(script: str, *arguments: Path, env: dict[str, str] | None = None) -> str:
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | (env or {})
    ).stdout


def test_the_lock_of_a_living_process_is_refused_with_its_number_and_dies_with_it(journal: Path) -> None:
    with holder(journal) as (process, _):
        assert {path.name for path in journal.parent.iterdir()} == {journal.name, *NAMES}
        with pytest.raises(InUseError) as refused:
            JournalLock.take(journal)
        assert str(refused.value) == (
            f"{journal}: process {process.pid} is still writing this journal. "
            "Wait until that run ends, or stop it; then try again"
        )
        assert str(owner(journal)) == str(refused.value)
        record = naming.record_of(journal)
        with pytest.raises(InUseError):
            JournalLock.take(record)
        process.kill()
        process.wait()
        assert owner(journal) is None
        with JournalLock.take(journal), pytest.raises(InUseError, match=f"process {os.getpid()}"):
            JournalLock.take(journal)
    assert list(journal.parent.iterdir()) == [journal]


def test_both_files_are_gone_when_the_owner_ends(journal: Path) -> None:
    with holder(journal) as (process, _):
        process.communicate()
    assert process.returncode == 0
    assert list(journal.parent.iterdir()) == [journal]


@pytest.mark.parametrize("number", [b"", b"1\n", b"\xff\xff", b"9" * 5000])
def test_files_of_a_killed_owner_mean_nothing_whatever_the_number(journal: Path, number: bytes) -> None:
    """The number may belong to another process by now, or to another container."""
    naming.lock_of(journal).touch()
    naming.owner_of(journal).write_bytes(number)
    assert owner(journal) is None
    JournalLock.take(journal).release()
    assert list(journal.parent.iterdir()) == [journal]


@pytest.mark.parametrize("number", [b"", b"-1\n", b"\xff\xff", b"9" * 5000, None])
def test_a_living_owner_whose_number_cannot_be_read_is_refused_without_it(
    journal: Path, number: bytes | None
) -> None:
    with JournalLock.take(journal):
        naming.owner_of(journal).unlink()
        if number is not None:
            naming.owner_of(journal).write_bytes(number)
        with pytest.raises(RecordError, match=r"jsonl: another process is still writing this journal\. Wait"):
            JournalLock.take(journal)


def test_no_two_are_ever_inside_although_each_removes_the_file(journal: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", TURNS, str(journal), str(tmp_path / "inside")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [("", 0)] * 3
    assert list(tmp_path.iterdir()) == [journal]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        JournalLock.take(tmp_path / "file" / "x.journal.jsonl")


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS], ids=errno.errorcode.get)
def no_locks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process whose system calls for locks fail as those of a network share do."""
    if shutil.which("gcc") is None or not sys.platform.startswith("linux"):
        pytest.skip("the library that refuses locks is built with gcc")
    folder = tmp_path_factory.mktemp("no-locks")
    (folder / "refuse.c").write_text(NO_LOCKS, encoding="utf-8")
    library = folder / "refuse.so"
    source = ["-shared", "-fPIC", f"-DERROR={request.param}", str(folder / "refuse.c")]
    subprocess.run(["gcc", "-o", str(library), *source], check=True)
    return {"LD_PRELOAD": str(library)}


def test_without_file_locks_a_living_process_is_found_by_its_number(
    journal: Path, no_locks: dict[str, str]
) -> None:
    with holder(journal, no_locks) as (process, note):
        assert note.startswith(f"{journal.parent}: this file system has no file locks (")
        lines = said(TRY, journal, env=no_locks).splitlines()
        assert lines == 2 * [
            f"{journal}: process {process.pid} is still writing this journal. "
            "Wait until that run ends, or stop it; then try again. "
            f"If there is no such run, delete {naming.owner_of(journal)}"
        ]
        process.kill()
        process.wait()
        assert said(TRY, journal, env=no_locks) == "None\n"
    assert list(journal.parent.iterdir()) == [journal]


def test_a_file_system_with_locks_gets_no_note(tmp_path: Path) -> None:
    assert lock_problem(tmp_path) is None


def test_a_lock_that_cannot_be_opened_names_no_owner(tmp_path: Path) -> None:
    """A folder at its name, since root may write into a read-only one."""
    journal = tmp_path / "run.journal.jsonl"
    naming.lock_of(journal).mkdir()
    assert owner(journal) is None
