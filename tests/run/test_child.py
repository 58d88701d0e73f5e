"""A worker process: what it can see of the machine, and how its end is read."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from bench.engines.interface import ModelSource
from bench.records.reasons import WorkerExited, WorkerKilled
from bench.run.child import Child, cause, worker_exit
from bench.run.protocol import Setup
from tests.fake_driver.driver import environment_of
from tests.run.processes import NEEDS_SIGNALS, environment, write_suite

ROOT = Path(__file__).parents[2]
MIG = "MIG-1e05aaaa-0000-5000-8000-000000000002"


def _seen(environ: dict[str, str]) -> tuple[str | None, str | None]:
    return environ.get("CUDA_VISIBLE_DEVICES"), environ.get("CUDA_DEVICE_ORDER")


@pytest.mark.parametrize(
    ("uuid", "seen"),
    [("GPU-00000014-0000-4000-8000-000000000002", None), (MIG, None), (None, "")],
    ids=["card", "slice", "cpu"],
)
def test_a_worker_sees_the_one_card_that_was_chosen_whatever_the_shell_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uuid: str | None, seen: str | None
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    source = ModelSource(weight_mode="tiny", name="tiny", directory=tmp_path)
    device = "cpu" if uuid is None else "cuda"
    child = Child(
        Setup(engine="native", source=source, device=device, gpu_uuid=uuid, dtype="float32", audio=None),
        SimpleQueue(),
    )
    try:
        environ = _as_worker(psutil.Process(child.pid)).environ()
    finally:
        child.kill()
    assert _seen(environ) == (uuid if seen is None else seen, "PCI_BUS_ID")


def test_a_run_hands_the_uuid_of_its_card_to_the_worker(fake_nvml: Path, home: Path, tmp_path: Path) -> None:
    """A machine with two cards: the second is named, and the first is hidden from the worker."""
    suite = write_suite(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.run.on_a_card", str(tmp_path), "--suite", str(suite), "--gpu", "t4"],
        cwd=ROOT,
        env=environment(home) | environment_of("two-cards", fake_nvml),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert _seen(_worker(process).environ()) == (
            "GPU-00000014-0000-4000-8000-000000000002",
            "PCI_BUS_ID",
        )
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _worker(process: "subprocess.Popen[str]") -> psutil.Process:
    """The worker of a running program."""
    parent = psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for child in parent.children():
                if "bench.run.worker" in child.cmdline():
                    return child
        time.sleep(0.01)
    raise AssertionError(f"no worker: {process.communicate()[1]}")


def _as_worker(child: psutil.Process) -> psutil.Process:
    """The child, once it is a worker: it is a copy of its parent before it becomes another program."""
    while "bench.run.worker" not in child.cmdline():
        time.sleep(0)
    return child


def test_the_cause_is_the_line_that_names_the_error() -> None:
    tail = (
        "Traceback (most recent call last):",
        "RuntimeError: CUDA error: x",
        "Compile with TORCH_USE_CUDA_DSA",
    )
    assert cause(tail) == "RuntimeError: CUDA error: x"
    assert cause(("Killed",)) == "Killed"


@NEEDS_SIGNALS
def test_an_exit_status_says_whether_a_signal_ended_it() -> None:
    assert worker_exit(3, None) == WorkerExited(exit_status=3, during=None)
    assert worker_exit(-9, None) == WorkerKilled(signal="SIGKILL", during=None)
