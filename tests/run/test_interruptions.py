"""What is left after a signal, a kill, a hang or a crash: real processes, real signals."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.store.journal import read_progress
from bench.store.record_files import read_record
from tests.run.processes import bench, only, started, wait_for_line, worker_of, write_suite

LONG = "[8, 16, 24, 200]"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_valid_record_and_the_command_that_finishes_it(
    number: signal.Signals, code: int, tmp_path: Path, home: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8, 16, 150, 160]", repeats=3)
    with started("run", "--suite", str(suite), home=home, cwd=tmp_path) as process:
        wait_for_line(process, r"\[2/4\].*tok/s")
        worker = worker_of(process)
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == code
    assert not worker.is_running()
    path = only(tmp_path / "results", "*.json")
    record = read_record(path)
    assert [cell.outcome.status for cell in record.cells] == ["measured", "measured", "skipped", "skipped"]
    assert not list(tmp_path.rglob("*.journal.jsonl"))

    command = output.strip().splitlines()[-1].split()
    assert command[:2] == ["bench", "run"]
    resumed = bench(*command[1:], home=home, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    whole = read_record(path)
    assert [cell.outcome.status for cell in whole.cells] == ["measured"] * 4
    assert whole.cells[:2] == record.cells[:2]
    assert whole.record_id == record.record_id


def test_kill_9_of_the_parent_loses_the_cell_in_flight_at_most(tmp_path: Path, home: Path) -> None:
    suite = write_suite(tmp_path, tokens=LONG, repeats=3)
    with started("run", "--suite", str(suite), home=home, cwd=tmp_path) as process:
        wait_for_line(process, r"\[3/4\].*tok/s")
        worker = worker_of(process)
        process.kill()
        process.wait()
        worker.wait(timeout=2)  # an orphan has to be gone by then
    journal = only(tmp_path / "results", "*.journal.jsonl")
    assert len(read_progress(journal).done) == 3

    resumed = bench("run", "--suite", str(suite), "--resume", str(journal), home=home, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert [cell.outcome.status for cell in read_record(only(tmp_path / "results", "*.json")).cells] == [
        "measured"
    ] * 4
    assert not journal.exists()


def test_a_worker_that_is_killed_costs_its_cell_and_the_sweep_goes_on(tmp_path: Path, home: Path) -> None:
    suite = write_suite(tmp_path, tokens="[8, 1000]", clips="[1, 2]", repeats=5)
    with started("run", "--suite", str(suite), "--max-tokens", "8,150", home=home, cwd=tmp_path) as process:
        wait_for_line(process, r"\[1/4\].*tok/s")
        worker_of(process).kill()
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 4, errors
    record = read_record(only(tmp_path / "results", "*.json"))
    killed, *rest = record.cells[1:]
    assert killed.outcome.status == "failed"
    assert "SIGKILL" in killed.outcome.reason
    assert [cell.outcome.status for cell in rest] == ["measured"] * 2
    assert rest[0].cold is not None, "the cell after a failure has a fresh worker"
    assert "SIGKILL" in output


def test_a_worker_that_hangs_is_replaced_at_its_time_limit(tmp_path: Path, home: Path) -> None:
    suite = write_suite(tmp_path, tokens="[8, 100, 101]", limit=12)
    with started("run", "--suite", str(suite), home=home, cwd=tmp_path) as process:
        wait_for_line(process, r"\[1/3\].*tok/s")
        worker_of(process).suspend()
        parent = psutil.Process(process.pid)
        before = sum(parent.cpu_times()[:2])
        wait_for_line(process, r"\[2/3\].*not done after 12 s")
        used = sum(parent.cpu_times()[:2]) - before
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 4, errors
    outcomes = [cell.outcome.status for cell in read_record(only(tmp_path / "results", "*.json")).cells]
    assert outcomes == ["measured", "timeout", "measured"]
    assert used < 0.5, "the parent waits without using a core"


def test_out_of_memory_is_a_result_and_spares_larger_cells(tmp_path: Path, home: Path) -> None:
    # Eager attention over 2,400 s of audio wants a 14 GB matrix; 11 GB of address space do not hold it.
    suite = write_suite(tmp_path, clips="[1, 2400, 2500]", tokens="[8, 16]", attention='["eager"]')
    command = f"ulimit -v 11000000; exec python -m bench run --suite {suite}"
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
    assert "ran out of memory already" in cells[3].model_dump()["outcome"]["reason"]


def _in_shell(command: str, home: Path, cwd: Path) -> "subprocess.CompletedProcess[str]":

    from tests.run.processes import environment

    where = environment(home) | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=cwd, env=where, check=False, timeout=200
    )


def test_resume_refuses_what_changed_and_says_which(
    tmp_path: Path, home: Path, finished_run: tuple[Path, str, str]
) -> None:
    sealed = only(finished_run[0] / "results", "*.json")
    journal = tmp_path / sealed.name.replace(".json", ".journal.jsonl")
    record = json.loads(sealed.read_text(encoding="utf-8"))
    header = {
        key: record[key]
        for key in record
        if key not in {"schema_version", "content_hash", "derivation", "cells"}
    }
    header["plan"] = [
        {"cell_id": cell["cell_id"], "requested": cell["requested"]} for cell in record["cells"]
    ]
    header["environment"] |= {"torch": "2.9.1", "bench_version": "0.0.1"}
    header["suite"] |= {"sha256": "0" * 64}
    header["device"] |= {"name": "NVIDIA GeForce RTX 4070"}
    journal.write_text(json.dumps(header) + "\n", encoding="utf-8")
    suite = finished_run[0] / "mine.toml"
    ended = bench("run", "--suite", str(suite), "--resume", str(journal), home=home, cwd=tmp_path)
    assert ended.returncode == 2
    for named in ("torch (2.9.1 -> ", "bench (0.0.1 -> ", "the suite", "the device"):
        assert named in ended.stderr
    assert "transformers" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
