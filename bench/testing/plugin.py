"""Hooks of pytest: add the cells to the tests, run them, and seal a record at the end."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import BenchError
from bench.hardware.device import notes
from bench.packages import importing
from bench.records.cell import CellResult
from bench.records.metrics import METRICS, value
from bench.report.ci.cases import Case, Result, case_of
from bench.store import naming
from bench.suite.cells import Cell
from bench.testing.replay import Fixture, Replay
from bench.testing.runner import Runner
from bench.text import printable

if TYPE_CHECKING:
    from bench.run.run_spec import Plan


def name_of(cell: Cell) -> str:
    """Return the name of a cell's test, such as `sdpa-10s-128`; the same in every run."""
    asked = cell.requested
    return f"{asked.attention}-{asked.clip_seconds:g}s-{asked.max_tokens}"


class SuiteTests(pytest.Module):
    """Collects one test for each cell. A module without a file: fixtures of a module's scope work in it."""

    cells: "Cells"

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """Return one test for each cell, in the order of `bench run`."""
        return [self._test(cell) for cell in self.cells.plan.cells]

    def _test(self, cell: Cell) -> pytest.Function:
        replay, run = Replay(), self.cells.run

        def test(benchmark: Fixture) -> None:
            run(cell, replay, benchmark)

        item: pytest.Function = pytest.Function.from_parent(self, name=name_of(cell), callobj=test)
        item.add_marker(pytest.mark.benchmark(timer=replay.latency_s, group=self.nodeid))
        return item


class Cells:
    """The plugin with its hooks.

    Raises:
        pytest.UsageError: an unknown name, a bad value, or several processes.
    """

    def __init__(self, config: pytest.Config) -> None:
        _require_one_process(config)
        _require_benchmark(config)
        try:
            self.plan = _plan(config)
        except BenchError as error:
            raise pytest.UsageError(str(error)) from None
        self._about = _about(self.plan)
        self._out = Path(config.getoption("bench_out") or naming.RESULTS)
        self._notes = [*notes(self.plan.device)]
        self._runner = Runner(self.plan, self._out, self._notes.append)
        self._summary_line = ""

    @pytest.hookimpl(tryfirst=True)  # before -k, -m and --deselect select
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Append the cells to the collected tests."""
        name = f"bench::{self.plan.suite.name}"
        suite: SuiteTests = SuiteTests.from_parent(session, path=session.path, name=name, nodeid=name)
        suite.obj, suite.cells = ModuleType(name), self
        items.extend(session.genitems(suite))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Plan the cells that were not deselected."""
        names = {item.name for item in session.items if isinstance(item.parent, SuiteTests)}
        chosen = tuple(cell for cell in self.plan.cells if name_of(cell) in names)
        self._runner = Runner(replace(self.plan, cells=chosen), self._out, self._notes.append)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Seal the record of the cells that ran."""
        try:
            record = self._runner.finish()
            self._summary_line = f"record  {record}" if record else ""
        except BenchError as error:
            self._summary_line = f"bench: {error}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Print the notes on the device, the folder and the weights, and the path of the record."""
        lines = dict.fromkeys(filter(None, (*self._notes, self._summary_line)))
        if lines:
            terminalreporter.section("bench")
        for line in lines:
            terminalreporter.write_line(printable(line))

    def run(self, cell: Cell, replay: Replay, benchmark: Fixture) -> None:
        """Run a cell, replay its generations in the fixture, and pass or fail by the suite's expectations."""
        try:
            result = self._runner.run(cell)
        except BenchError as error:
            hand_over((), replay, benchmark)
            pytest.fail(str(error), pytrace=False)
        benchmark.extra_info.update(self._about, **_figures(result))
        hand_over(tuple(repeat.latency_s for repeat in result.repeats), replay, benchmark)
        end(case_of(result, self.plan.suite.expect))


def hand_over(latencies_s: tuple[float, ...], replay: Replay, benchmark: Fixture) -> None:
    """Run one round of the fixture for each generation; without one, disable it."""
    if not latencies_s:
        benchmark.disabled = True  # an enabled fixture that is not used warns
    replay.load(latencies_s)
    benchmark.pedantic(replay.generation, setup=replay.rewind, rounds=max(1, len(latencies_s)))


def _figures(result: CellResult) -> dict[str, Any]:
    """Return the known medians, by the names of their metrics."""
    figures = {metric: value(result.summary, metric) for metric in METRICS}
    return {
        "cell_id": result.cell_id,
        "labels": list(result.summary.labels) if result.summary is not None else [],
        **{metric: found for metric, found in figures.items() if found is not None},
    }


def _about(plan: "Plan") -> dict[str, str]:
    from bench.run.runner import provenance_of

    return {
        "model": plan.origin.name,
        "weight_mode": plan.origin.weight_mode,
        "device": plan.device.name,
        "provenance": provenance_of(plan),
        "suite": f"{plan.suite.name} {plan.suite.version}",
    }


def end(case: Case) -> None:
    """Pass, fail or skip the test; a failure shows the end of the cell's error."""
    match case.result:
        case Result.SKIPPED:
            pytest.skip(case.why)
        case Result.FAILED | Result.ERROR:
            tail: tuple[str, ...] = getattr(case.cell.outcome, "error_tail", ())
            pytest.fail("\n".join((case.why, *tail)), pytrace=False)
        case Result.PASSED:
            return


def _plan(config: pytest.Config) -> "Plan":
    from bench.run.cpu_consent import require_chosen
    from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose

    options = RunOptions(
        suite=config.getoption("bench_suite"),
        device=config.getoption("bench_device"),
        model=config.getoption("bench_model"),
        weights=config.getoption("bench_weights"),
    )
    with importing():
        plan = make_plan(options, refuse_to_choose)
    if not config.option.collectonly:
        require_chosen(plan, "--bench-device cpu", "--bench-suite smoke")
    return plan


def _require_one_process(config: pytest.Config) -> None:
    if config.getoption("dist", "no") != "no" or hasattr(config, "workerinput"):
        raise pytest.UsageError("cells share one card and run one at a time: add -n 0 to --bench-suite")


def _require_benchmark(config: pytest.Config) -> None:
    if not hasattr(config.option, "benchmark_disable"):
        raise pytest.UsageError(
            "--bench-suite reports through pytest-benchmark: pip install 'moss-audio-bench[pytest]'"
        )
