"""One worker at a time, with an engine that needs no torch: kept, replaced, refused, stopped."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.audio import clips
from bench.engines.interface import ModelSource
from bench.errors import MachineError, UsageError
from bench.records.cell import Failed, Timeout
from bench.records.enums import WeightMode
from bench.records.reasons import FlashAttentionBroken
from bench.run.child import Mailbox
from bench.run.isolation import Isolation, Stopped
from bench.run.protocol import Finished, Job, Setup, Step
from bench.run.signals import StopRequest
from bench.suite.cells import expand
from bench.suite.suite import read_suite
from bench.wording.outcomes import reason
from tests.engines.stand_in import NAME, PACED, READING, announce
from tests.run.processes import NEEDS_SIGNALS, write_suite

SOURCE = ModelSource(name="tiny", weight_mode=WeightMode.TINY, directory=None)


@pytest.fixture
def setup(stand_ins: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Setup:
    for name, value in stand_ins.items():
        monkeypatch.setenv(name, value)
    return Setup(engine=NAME, source=SOURCE, device="cpu", dtype="float32", audio=None)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    suite = read_suite(write_suite(tmp_path, tokens="[8]"))
    (cell,) = expand(suite, weight_mode=WeightMode.TINY, clip_source_sha256=clips.shipped_speech().sha256)
    return Job(requested=cell.requested, measure=suite.measure)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def isolation(setup: Setup, mailbox: Mailbox) -> Iterator[Isolation]:
    held = Isolation(setup, mailbox)
    yield held
    held.retire()


def ignore(step: Step) -> None:
    pass


def test_a_worker_serves_one_cell_after_the_other_and_loads_once(isolation: Isolation, job: Job) -> None:
    steps: list[str] = []
    first = isolation.measure(job, 60, lambda step: steps.append(step.name))
    worker = isolation.worker_pid
    second = isolation.measure(job, 60, lambda step: steps.append(step.name))
    assert isinstance(first, Finished)
    assert isinstance(second, Finished)
    assert isolation.worker_pid == worker
    assert steps == ["load", "cold", "warm-up", "repeat", "report", "warm-up", "repeat", "report"]
    assert (first.load_s is None, second.load_s is None) == (False, True)


@NEEDS_SIGNALS
def test_a_worker_that_is_killed_costs_its_cell_and_is_replaced(isolation: Isolation, job: Job) -> None:
    isolation.hello()
    killed = isolation.worker_pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    end = isolation.measure(job, 60, ignore)
    assert isinstance(end, Failed)
    assert "SIGKILL" in end.reason
    assert not isolation.has_worker
    assert isinstance(isolation.measure(job, 60, ignore), Finished)
    assert isolation.worker_pid != killed


def test_a_cell_beyond_its_time_costs_the_worker_too(isolation: Isolation, job: Job) -> None:
    assert isinstance(isolation.measure(job, 60, ignore), Finished)
    assert isinstance(isolation.measure(job, 0, ignore), Timeout)
    assert not isolation.has_worker


def test_a_stop_ends_the_wait_and_the_worker(isolation: Isolation, mailbox: Mailbox, job: Job) -> None:
    isolation.hello()
    mailbox.put(StopRequest(signal.SIGTERM))
    with pytest.raises(Stopped) as stopped:
        isolation.measure(job, 60, ignore)
    assert stopped.value.signal_number == signal.SIGTERM
    assert not isolation.has_worker


def test_an_engine_that_the_worker_does_not_know_is_refused(setup: Setup, mailbox: Mailbox) -> None:
    unknown = Isolation(setup.model_copy(update={"engine": "nothing"}), mailbox)
    with pytest.raises(UsageError) as raised:
        unknown.hello()
    assert raised.value.hint == f"Choose from native, {PACED}, {READING}, {NAME}"


CRASHING = """
import os, sys
from dataclasses import replace
from tests.engines.stand_in import SPEC as works

def crash(setup):
    if setup.flash_attention or setup.dtype == "float16":
        {crash}
    return works.open(setup)

SPEC = replace(works, open=crash)
"""


@pytest.mark.parametrize(
    ("crash", "error"),
    [
        ("os.abort()", "the worker was killed by SIGABRT"),
        ("raise SystemExit('needs CUDA 11')", "needs CUDA 11"),
        ("os._exit(7)", "the worker ended with exit status 7"),
    ],
)
def test_a_flash_attention_that_ends_the_worker_costs_its_cells_alone(
    setup: Setup, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash: str, error: str
) -> None:
    (tmp_path / "crashing.py").write_text(CRASHING.format(crash=crash))
    announce(tmp_path, "crashing", value="crashing:SPEC")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}")
    tries = setup.model_copy(update={"engine": "crashing", "flash_attention": True})
    isolation = Isolation(tries, mailbox)
    problem = isolation.hello().flash_attention_problem
    isolation.retire()
    assert isinstance(problem, FlashAttentionBroken)
    assert (problem.failed_at, problem.error) == ("crash", error)
    assert "ends the process that tries it" in reason(problem)
    if "SystemExit" in crash:
        broken = Isolation(tries.model_copy(update={"dtype": "float16"}), mailbox)
        with pytest.raises(MachineError, match="the worker did not start: needs CUDA 11"):
            broken.hello()
