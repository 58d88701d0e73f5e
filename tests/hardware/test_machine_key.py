import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.hardware.machine_key import machine_key

CARD, OTHER_CARD = "GPU-5a0f2c1e-0000-1111-2222-333344445555", "GPU-00000000-0000-1111-2222-333344445555"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "machine-key"


def test_one_card_on_one_machine_keeps_its_key(key_file: Path) -> None:
    first = machine_key(CARD, key_file)
    assert first is not None
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert machine_key(CARD, key_file) == first
    assert machine_key(OTHER_CARD, key_file) != first


def test_it_cannot_be_recomputed_elsewhere(key_file: Path, tmp_path: Path) -> None:
    """Whoever knows the UUID but not the key learns nothing."""
    assert machine_key(CARD, key_file) != machine_key(CARD, tmp_path / "another" / "machine-key")


def test_without_a_uuid_there_is_none_and_nothing_is_written(key_file: Path) -> None:
    assert machine_key(None, key_file) is None
    assert not key_file.parent.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_key_is_for_its_owner_alone(key_file: Path) -> None:
    machine_key(CARD, key_file)
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]


def test_where_no_key_can_be_kept_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert machine_key(CARD, tmp_path / "file" / "machine-key") is None


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 100])
def test_a_damaged_key_is_not_used(key_file: Path, content: bytes) -> None:
    key_file.parent.mkdir()
    key_file.write_bytes(content)
    assert machine_key(CARD, key_file) is None
    assert key_file.read_bytes() == content


# Both wait for the same line on standard input, so that they look for the key at the same moment.
AT_ONCE = """
import sys
from pathlib import Path
from bench.hardware.machine_key import machine_key
print("ready", flush=True)
sys.stdin.readline()
print(machine_key(sys.argv[1], Path(sys.argv[2])))
"""


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    for turn in range(3):
        key_file = tmp_path / str(turn) / "machine-key"
        command = [sys.executable, "-c", AT_ONCE, CARD, str(key_file)]
        crowd = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        for process in crowd:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in crowd:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        answers = {process.communicate()[0] for process in crowd}
        assert answers == {f"{machine_key(CARD, key_file)}\n"}


def test_a_key_made_meanwhile_by_another_process_wins(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment between looking and writing, made as long as it takes."""
    theirs = b"k" * 32
    fsync = os.fsync

    def another_is_quicker(descriptor: int) -> None:
        fsync(descriptor)
        key_file.write_bytes(theirs)

    monkeypatch.setattr(os, "fsync", another_is_quicker)
    ours = machine_key(CARD, key_file)
    assert key_file.read_bytes() == theirs
    assert ours == machine_key(CARD, key_file)
