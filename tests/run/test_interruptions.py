"""What is left after a signal, a kill, a hang or a crash: real processes, real signals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.records.cell import CellResult
from bench.records.record import Record
from bench.store.journal import read_progress
from bench.store.record_files import read_record
from tests.engines.stand_in import PACED
from tests.hub_server import Stall, serve
from tests.run.processes import (
    NEEDS_SIGNALS,
    bench,
    environment,
    only,
    started,
    wait_for_line,
    worker_of,
    write_suite,
)

pytestmark = NEEDS_SIGNALS

ENGINES = pytest.mark.parametrize("engine", [PACED, pytest.param("native", marks=pytest.mark.emulated)])


@pytest.mark.emulated
@ENGINES
def test_a_run_that_is_stopped_again_and_again_loses_the_cell_in_flight_at_most(
    engine: str, stand_ins: dict[str, str], tmp_path: Path, home: Path
) -> None:
    """SIGINT, then SIGTERM, then SIGKILL; each time the run goes on from what was left."""
    suite = write_suite(tmp_path, tokens="[8, 100, 101, 102]", repeats=3, engine=engine)
    command = ["bench", "run", "--suite", str(suite)]
    kept: tuple[CellResult, ...] = ()
    for done, (number, code) in enumerate(((signal.SIGINT, 130), (signal.SIGTERM, 143)), 1):
        with started(*command[1:], home=home, cwd=tmp_path, env=stand_ins) as process:
            wait_for_line(process, rf"\[{done}/4\].*first token")
            worker = worker_of(process)
            process.send_signal(number)
            output, _ = process.communicate(timeout=30)
        assert process.returncode == code
        assert not worker.is_running()
        record = read_record(only(tmp_path / "results", "*.json"))
        assert outcomes(record) == ["measured"] * done + ["skipped"] * (4 - done)
        assert record.cells[: len(kept)] == kept
        kept = record.cells[:done]
        assert not list(tmp_path.rglob("*.journal.jsonl"))
        command = output.strip().splitlines()[-1].split()
        assert command[:2] == ["bench", "run"]

    with started(*command[1:], home=home, cwd=tmp_path, env=stand_ins) as process:
        wait_for_line(process, r"\[3/4\].*first token")
        worker = worker_of(process)
        process.kill()
        process.wait()
        worker.wait(timeout=2)  # an orphan has to be gone by then
    journal = only(tmp_path / "results", "*.journal.jsonl")
    assert len(read_progress(journal).done) == 3

    again = ("run", "--suite", str(suite), "--resume", str(journal))
    resumed = bench(*again, home=home, cwd=tmp_path, env=stand_ins)
    assert resumed.returncode == 0, resumed.stderr
    whole = read_record(only(tmp_path / "results", "*.json"))
    assert outcomes(whole) == ["measured"] * 4
    assert whole.cells[:2] == kept
    assert whole.record_id == record.record_id
    assert not journal.exists()


def outcomes(record: Record) -> list[str]:
    return [cell.outcome.status for cell in record.cells]


@ENGINES
def test_a_worker_that_is_killed_or_hangs_costs_its_cell_and_the_sweep_goes_on(
    engine: str, stand_ins: dict[str, str], tmp_path: Path, home: Path
) -> None:
    limit = 4 if engine == PACED else 12
    suite = write_suite(tmp_path, tokens="[8, 60, 61, 62, 63]", repeats=1, limit=limit, engine=engine)
    with started("run", "--suite", str(suite), home=home, cwd=tmp_path, env=stand_ins) as process:
        wait_for_line(process, r"\[1/5\].*first token")
        worker_of(process).kill()
        wait_for_line(process, r"\[3/5\].*first token")
        worker_of(process).suspend()
        parent = psutil.Process(process.pid)
        before = sum(parent.cpu_times()[:2])
        wait_for_line(process, rf"\[4/5\].*not finished after {limit} s")
        used = sum(parent.cpu_times()[:2]) - before
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 4, errors
    record = read_record(only(tmp_path / "results", "*.json"))
    assert outcomes(record) == ["measured", "failed", "measured", "timeout", "measured"]
    killed = record.cells[1].outcome
    assert killed.status == "failed"
    assert "SIGKILL" in killed.reason
    assert "SIGKILL" in output
    assert all(record.cells[place].cold is not None for place in (2, 4)), (
        "a failure is followed by a fresh worker"
    )
    assert used < 0.5, "the parent waits without using a core"


# A login shell: the terminal is its controlling one, so that closing it sends SIGHUP.
_ON_ITS_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, getattr(signal, sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-m", "bench", *sys.argv[2:]])
"""


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("hangup", "code", "ends"),
    [("SIG_DFL", 129, ["measured", "skipped", "skipped"]), ("SIG_IGN", 0, ["measured"] * 3)],
    ids=["terminal", "nohup"],
)
def test_a_terminal_that_closes_seals_the_record_and_under_nohup_the_run_goes_on(
    hangup: str, code: int, ends: list[str], stand_ins: dict[str, str], tmp_path: Path, home: Path
) -> None:
    import pty

    suite = write_suite(tmp_path, tokens="[8, 200, 9]", engine=PACED)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_ITS_TERMINAL, hangup, "run", "--suite", str(suite)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=environment(home) | stand_ins | {"TERM": "xterm"},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while shown.count(b"first token") < 1:
        shown += os.read(ours, 65_536)
    (worker,) = psutil.Process(process.pid).children()
    os.close(ours)
    assert process.wait(timeout=60) == code
    assert not worker.is_running()
    assert outcomes(read_record(only(tmp_path / "results", "*.json"))) == ends
    assert not list(tmp_path.rglob("*.journal.jsonl"))


def test_a_second_ctrl_c_does_not_cost_the_command_that_finishes_the_run(
    stand_ins: dict[str, str], tmp_path: Path, home: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8, 400]", engine=PACED)
    # Sent when the record is sealed, while the table is being made.
    (tmp_path / "impatient").mkdir()
    (tmp_path / "impatient" / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "def impatient(event, arguments):\n"
        "    if event == 'import' and arguments[0] == 'bench.report.view':\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.addaudithook(impatient)\n",
        encoding="utf-8",
    )
    path = {"PYTHONPATH": os.pathsep.join((str(tmp_path / "impatient"), stand_ins["PYTHONPATH"]))}
    with started("run", "--suite", str(suite), home=home, cwd=tmp_path, env=path) as process:
        wait_for_line(process, r"\[1/2\].*first token")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "")
    assert "bench run --resume" in output.splitlines()[-1]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_download_that_is_stopped_says_so(name: str, tmp_path: Path, home: Path) -> None:
    suite, number = write_suite(tmp_path), signal.Signals[name]
    with serve() as hub:
        hub.repos["some-owner/moss"].commit(
            {"config.json": b'{"model_type": "moss_audio"}', "model.safetensors": bytes(2_000_000)}
        )
        hub.broken["model.safetensors"] = stall = Stall(1_000_000)
        env = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
        arguments = ("run", "--device", "cpu", "--suite", str(suite), "--model", "some-owner/moss", "--yes")
        with started(*arguments, home=home, cwd=tmp_path, env=env) as process:
            assert stall.reached.wait(60)
            process.send_signal(number)
            output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (128 + number, "")
    assert errors.splitlines()[-1] == "bench: interrupted"


@pytest.mark.emulated
def test_out_of_memory_is_a_result_and_spares_larger_cells(tmp_path: Path, home: Path) -> None:
    # Eager attention over 1,400 s of audio asks for 7.9 GB at once: more than 9.5 GB of address space leave.
    suite = write_suite(tmp_path, clips="[1, 1400, 1500]", tokens="[8, 16]", attention='["eager"]')
    command = f"ulimit -v 9500000; exec python -m bench run --suite {suite}"
    ended = _in_shell(command, home, tmp_path)
    assert ended.returncode == 0, ended.stderr
    cells = read_record(only(tmp_path / "results", "*.json")).cells
    statuses = [cell.outcome.status for cell in cells]
    assert statuses == ["measured", "measured", "out_of_memory", "skipped", "skipped", "skipped"]
    spent = cells[2].outcome
    assert spent.status == "out_of_memory"
    assert spent.phase == "prefill"
    assert spent.requested_bytes is not None
    assert spent.requested_bytes > 5e9
    assert "ran out of memory" in cells[3].model_dump()["outcome"]["reason"]


def _in_shell(command: str, home: Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    where = environment(home) | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=cwd, env=where, check=False, timeout=200
    )
