"""What a warm cell costs beside its generations: messages, statistics, and the outcome on disk."""

from itertools import pairwise
from pathlib import Path
from time import perf_counter

from pytest_benchmark.fixture import BenchmarkFixture

from bench.audio import clips
from bench.engines.interface import ModelSource
from bench.records.cell import CellResult
from bench.records.enums import WeightMode
from bench.run.child import Mailbox
from bench.run.isolation import Isolation
from bench.run.protocol import Setup, Step
from bench.run.session import Session
from bench.store.journal import Header, Journal, PlannedCell, Progress, read_progress
from bench.suite.cells import Cell, expand
from bench.suite.suite import read_suite
from tests.run.processes import bench, only, write_suite


class Ledger:
    """Notes when each thing begins and ends."""

    def __init__(self) -> None:
        self.moments: list[tuple[str, float]] = []
        self.results: list[CellResult] = []

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        self.moments.append(("begin", perf_counter()))

    def step_begins(self, step: Step) -> None:
        self.moments.append((step.name, perf_counter()))

    def cell_ends(self, result: CellResult) -> None:
        self.moments.append(("end", perf_counter()))
        self.results.append(result)


def test_time_of_a_warm_cell_outside_its_generations(
    benchmark: BenchmarkFixture, tmp_path: Path, home: Path, tiny: Path
) -> None:
    suite_path = write_suite(tmp_path, clips="[10]", tokens="[16, 17, 18, 19, 20, 21]", repeats=3)
    overheads: list[float] = []

    def once() -> None:
        overheads.extend(_overheads(suite_path, tmp_path, home, tiny))

    benchmark.pedantic(once, rounds=3, iterations=1)  # type: ignore[no-untyped-call]
    overheads.sort()
    benchmark.extra_info["overheads_s"] = overheads
    assert overheads[len(overheads) // 2] < 0.030, "a warm cell costs more than 30 ms beside its generations"
    print(
        f"\nwarm cell outside its generations: median {overheads[len(overheads) // 2] * 1000:.1f} ms, "
        f"from {overheads[0] * 1000:.1f} to {overheads[-1] * 1000:.1f} ms, {len(overheads)} cells"
    )


def _overheads(suite_path: Path, folder: Path, home: Path, tiny: Path) -> list[float]:
    suite = read_suite(suite_path)
    cells = expand(suite, weight_mode=WeightMode.LOCAL, clip_source_sha256=clips.shipped_speech().sha256)
    header = _any_header(suite_path, folder, home).model_copy(
        update={"plan": tuple(PlannedCell(cell_id=cell.cell_id, requested=cell.requested) for cell in cells)}
    )
    source = ModelSource(name="tiny", weight_mode=WeightMode.LOCAL, directory=tiny)
    mailbox: Mailbox = Mailbox()
    isolation = Isolation(
        Setup(engine="native", source=source, device="cpu", dtype="float32", audio=None), mailbox
    )
    ledger = Ledger()
    journal = Journal.create(folder / "x.journal.jsonl", Progress(header, ()))
    Session(cells, (), suite.measure, isolation, lambda _: None).run(journal, ledger)
    journal.close()
    return [_overhead(moments, result) for moments, result in _by_cell(ledger)][1:]


def _by_cell(ledger: Ledger) -> list[tuple[list[tuple[str, float]], CellResult]]:
    starts = [index for index, (name, _) in enumerate(ledger.moments) if name == "begin"]
    parts = [ledger.moments[a:b] for a, b in zip(starts, [*starts[1:], len(ledger.moments)], strict=True)]
    return list(zip(parts, ledger.results, strict=True))


def _overhead(moments: list[tuple[str, float]], result: CellResult) -> float:
    """All of the cell but its repeats (by their own clocks), its warm-up and the tracker's pass."""
    total = moments[-1][1] - moments[0][1]
    spans = [(name, following - moment) for (name, moment), (_, following) in pairwise(moments)]
    apart = sum(span for name, span in spans if name in {"warm-up", "memory"})
    return total - apart - sum(repeat.latency_s for repeat in result.repeats)


def _any_header(suite_path: Path, folder: Path, home: Path) -> Header:
    """A header as a real run writes it; which one is of no account here."""
    out = folder / "header"
    if not out.exists():
        ended = bench(
            "run", "--suite", str(suite_path), "--max-tokens", "2", "--out", str(out), home=home, cwd=folder
        )
        assert ended.returncode == 0, ended.stderr
    return read_progress(only(out, "*.json")).header
