"""What a plan costs beyond its start: the whole command less the import of what it needs, in alternation."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.run.processes import environment

STARTED = (
    "import bench.cli.plan_output, bench.predict.planner, bench.predict.cells, "
    "bench.predict.frontier, bench.judge.calibration, bench.report.view, bench.report.terminal, "
    "rich.console"
)
ONE_CELL = ("--clip-seconds", "60", "--max-tokens", "512", "--attention", "sdpa")


@pytest.mark.parametrize(("what", "axes", "bound_s"), [("standard grid", (), 10), ("one cell", ONE_CELL, 2)])
def test_a_plan_beyond_its_start(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    home: Path,
    what: str,
    axes: tuple[str, ...],
    bound_s: float,
) -> None:
    took: list[float] = []

    def once() -> None:
        whole = _seconds(["-m", "bench", "plan", "--gpu", "rtx-4070", *axes], home)
        took.append(whole - _seconds(["-c", STARTED], home))

    benchmark.pedantic(once, rounds=int(os.environ.get("BENCH_PAIRS", "10")), iterations=1)  # type: ignore[no-untyped-call]
    told = f"median {median(took):.3g} s, {min(took):.3g} to {max(took):.3g} s"
    with capsys.disabled():
        print(f"\nbench plan, {what}, beyond its start: {told}")
    assert median(took) < bound_s


def _seconds(arguments: list[str], home: Path) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, env=environment(home), check=True)
    return perf_counter() - start
