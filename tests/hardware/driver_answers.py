"""What `ask_driver` printed, as values again."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from bench.hardware.readings import DriverGpu, GpuProcess, MemoryReading, Sample, SlowSample
from tests.run.forks import Forks

Ask = Callable[..., object]


def answer_of(forks: Forks, what: str, environment: dict[str, str]) -> object:
    """The answer of the driver that a process finds in this environment."""
    answer = forks.run("tests.hardware.ask_driver", what, env=os.environ | environment, cwd=Path.cwd())
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def gpus(ask: Ask, scenario: str | Path) -> list[DriverGpu]:
    answer = ask(scenario)
    assert isinstance(answer, list), answer
    return [_gpu(entry) for entry in answer]


def _gpu(entry: dict[str, object]) -> DriverGpu:
    memory, processes = entry.pop("memory"), entry.pop("processes")
    return DriverGpu(
        **entry,  # type: ignore[arg-type]
        memory=MemoryReading(**memory) if isinstance(memory, dict) else None,
        processes=tuple(GpuProcess(**each) for each in processes) if isinstance(processes, list) else None,
    )


def only_gpu(ask: Ask, scenario: str | Path) -> DriverGpu:
    (gpu,) = gpus(ask, scenario)
    return gpu


class Samples(TypedDict):
    fast: list[Sample]
    slow: list[SlowSample]
    lost: list[str]


def samples(ask: Ask, scenario: str | Path) -> Samples:
    answer = ask(scenario, "samples")
    assert isinstance(answer, dict), answer
    fast = [_sample(each) for each in answer["fast"]]
    slow = [
        SlowSample(
            **each
            | {
                "throttle_reasons": None if reasons is None else frozenset(reasons),
                "drawing": frozenset(each["drawing"]),
            }
        )
        for each in answer["slow"]
        for reasons in [each["throttle_reasons"]]
    ]
    return {"fast": fast, "slow": slow, "lost": answer["lost"]}


def _sample(entry: dict[str, object]) -> Sample:
    processes = entry.pop("processes")
    by_pid = {int(pid): used for pid, used in processes.items()} if isinstance(processes, dict) else None
    return Sample(**entry, processes=by_pid)  # type: ignore[arg-type]
