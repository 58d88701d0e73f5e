"""Readers that leave, full disks, closed descriptors, terminals that hang up; all of them real."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store.record_files import read_record, write_record
from tests.engines.stand_in import NAME
from tests.hub_server import serve
from tests.run.processes import NEEDS_SHELL, environment, only, write_suite
from tests.samples import records as sample

pytestmark = NEEDS_SHELL

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
BENCH = f"{shlex.quote(sys.executable)} -m bench"


def shell(line: str, cwd: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash; `$bench` is the command, and the exit status is that of the first in a pipe."""
    script = f"bench={shlex.quote(BENCH)}\n{line}\nexit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("redirected", "unbuffered"),
    [
        ("2>&1 | head -1", ""),
        pytest.param("2>&1 | head -1", "1", marks=pytest.mark.emulated),
        pytest.param(">/dev/full 2>/dev/full", "", marks=FULL),
        ("0<&- 1>&- 2>&-", ""),
        pytest.param("2>&-", "1", marks=pytest.mark.emulated),
    ],
)
def test_a_run_that_nobody_can_read_writes_its_record(
    redirected: str, unbuffered: str, stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8, 16]", engine=NAME)
    env = environment(home) | stand_ins | {"PYTHONUNBUFFERED": unbuffered}
    ended = shell(f"$bench run --suite {suite} --out out {redirected}", tmp_path, env)
    assert ended.returncode == 0, ended
    record = read_record(only(tmp_path / "out", "*-mine-*.json"))
    assert [cell.outcome.status for cell in record.cells] == ["measured", "measured"]
    assert "Traceback" not in ended.stdout + ended.stderr


def test_what_is_printed_never_gets_into_a_file_that_took_the_number_of_a_closed_stream(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    """The journal would be descriptor 1 or 2, and a line of a library in it would spoil the record."""
    program = (
        "import os, sys, runpy\n"
        "import bench.store.journal as journal\n"
        "append = journal.Journal.append\n"
        "def noisy(self, cell):\n"
        "    append(self, cell)\n"
        "    os.write(1, b'noise 1'); os.write(2, b'noise 2')\n"
        "journal.Journal.append = noisy\n"
        "sys.argv[0] = 'bench'\n"
        "runpy.run_module('bench', run_name='__main__')\n"
    )
    suite = write_suite(tmp_path, tokens="[8, 16]", engine=NAME)
    script = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(program)} run --suite {suite} --out out"
    ended = shell(f"({script}) 0<&- 1>&- 2>&-", tmp_path, environment(home) | stand_ins)
    assert ended.returncode == 0
    assert len(read_record(only(tmp_path / "out", "*-mine-*.json")).cells) == 2


@FULL
def test_what_lies_in_files_is_complete_without_its_text(home: Path, tmp_path: Path) -> None:
    write_record(sample.smoke(), tmp_path / "a.json")
    ended = shell("$bench report a.json --format md --out pages >/dev/full", tmp_path, environment(home))
    assert ended.returncode == 0
    assert ended.stderr == "bench: the output cannot be written (No space left on device). Free space\n"
    assert only(tmp_path / "pages", "*.md").stat().st_size > 0


@FULL
def test_a_question_that_nobody_sees_is_not_asked(home: Path, tmp_path: Path) -> None:
    """Standard input is a terminal, at which somebody may press Enter for another reason."""
    import pty

    suite = write_suite(tmp_path)
    ours, theirs = pty.openpty()
    with serve() as hub, Path("/dev/full").open("w") as full:
        hub.repos["some-owner/moss"].commit(
            {"config.json": b'{"model_type": "moss_audio"}', "model.safetensors": bytes(5_000_000)}
        )
        own = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
        words = ["run", "--device", "cpu", "--suite", str(suite), "--model", "some-owner/moss"]
        ended = subprocess.run(
            [sys.executable, "-m", "bench", *words],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=full,
            cwd=tmp_path,
            env=environment(home) | own,
            check=False,
            timeout=60,
        )
        assert not hub.contents()
    os.close(ours)
    os.close(theirs)
    assert ended.returncode == 2
