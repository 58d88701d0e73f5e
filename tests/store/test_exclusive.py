"""One process at a time has a file, whatever becomes of that process."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.store.exclusive import exclusive
from tests.run.processes import NEEDS_SIGNALS

HOLD = """
import sys
from pathlib import Path
from bench.store.exclusive import exclusive
with exclusive(Path(sys.argv[1]), sys.exit):
    print("held", flush=True)
    sys.stdin.read()
"""


def refuse() -> None:
    raise UsageError("in use")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "x.lock"


@NEEDS_SIGNALS
def test_another_process_has_it_until_it_is_killed(path: Path) -> None:
    with subprocess.Popen(
        (sys.executable, "-c", HOLD, str(path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="in use"), exclusive(path, refuse):
            pass
        waited: list[str] = []

        def wait() -> None:
            waited.append("busy")
            other.kill()

        with exclusive(path, wait):
            assert waited == ["busy"]


def test_no_file_is_left_and_it_can_be_had_again(path: Path) -> None:
    for _ in range(2):
        with exclusive(path, refuse):
            assert path.exists()
        assert not path.exists()


def test_a_failure_gives_it_back(path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), exclusive(path, refuse):
        raise ValueError("mine")
    with exclusive(path, refuse):
        pass


def test_a_file_system_without_locks_is_no_reason_to_stop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: int, *, blocking: bool) -> bool:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("filelock.lock_descriptor", none)
    with exclusive(path, refuse):
        assert not path.exists()
