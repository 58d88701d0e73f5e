"""What whole commands cost: `--help` against an empty Python, one process against one process per cell."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Pairs
from tests.run.processes import environment, write_suite

CLIPS, TOKENS = ("1", "2", "4"), ("16", "64")


def test_help_over_an_empty_python(pairs: Pairs, tmp_path: Path, home: Path) -> None:
    def pair() -> tuple[float, float]:
        return _seconds(["-m", "bench", "--help"], tmp_path, home), _seconds(["-c", "pass"], tmp_path, home)

    pairs("wall time, bench --help / python -c pass", pair, at_most=10)


def test_the_doctor_without_a_gpu(benchmark: BenchmarkFixture, tmp_path: Path, home: Path) -> None:
    took: list[float] = []

    def once() -> None:
        took.append(_seconds(["-m", "bench", "doctor"], tmp_path, home))

    benchmark.pedantic(once, rounds=int(os.environ.get("BENCH_PAIRS", "10")), iterations=1)  # type: ignore[no-untyped-call]
    print(f"\nbench doctor without a GPU: median {median(took):.3g} s, {min(took):.3g} to {max(took):.3g} s")
    assert median(took) < 1.5


def test_six_cells_in_one_run_over_a_process_per_cell(pairs: Pairs, tmp_path: Path, home: Path) -> None:
    suite = write_suite(tmp_path, repeats=3)

    def run(clips: str, tokens: str) -> float:
        axes = ["--clip-seconds", clips, "--max-tokens", tokens]
        return _seconds(["-m", "bench", "run", "--suite", str(suite), "--out", "out", *axes], tmp_path, home)

    def pair() -> tuple[float, float]:
        together = run(",".join(CLIPS), ",".join(TOKENS))
        return together, sum(run(clip, count) for clip in CLIPS for count in TOKENS)

    pairs("wall time, six cells in one run / six runs of one cell", pair)


def _seconds(arguments: list[str], folder: Path, home: Path) -> float:
    start = perf_counter()
    subprocess.run(
        [sys.executable, *arguments], capture_output=True, cwd=folder, env=environment(home), check=True
    )
    return perf_counter() - start
