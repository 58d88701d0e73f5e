"""Finds the longest clip that fits for each attention and max_tokens, by bisection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from bench.judge.bisection import STEP_S, Search
from bench.judge.limit import Limit, Line, Support, also_known, end_of_line, limit
from bench.records.cell import CellResult, Requested, Skipped
from bench.records.reasons import UnsupportedReason
from bench.run.isolation import Stopped
from bench.run.run_spec import Choose, Plan, RunOptions, make_plan
from bench.run.session import Listener
from bench.store.journal import Journal
from bench.suite.cells import Cell
from bench.suite.suite import MAX_CLIP_S


class ProbeListener(Listener, Protocol):
    """Follows a search."""

    def probe_begins(self, cell: Cell, number: int | None, search: Search) -> None:
        """Probe `number` starts, within the bounds of `search`; None: its outcome is known without a run."""


class Prober(Protocol):
    """Runs single cells; `Session` is one."""

    def unsupported_reason(self, requested: Requested) -> UnsupportedReason | None:
        """Return the reason why this cannot run here; None if it can."""

    def run_cell(self, cell: Cell, journal: Journal, listener: Listener) -> CellResult:
        """Run one cell and return its result, which is on disk by then.

        Raises:
            Stopped: a signal came; the cell has no outcome.
        """


def frontier_plan(
    options: RunOptions, choose: Choose, *, is_dry: bool = False
) -> tuple[Plan, tuple[Line, ...]]:
    """Return a plan without cells, and its lines: by attention, then from few tokens to many.

    One timed generation decides whether a clip fits; the suite in the record says so. `is_dry`: nothing will
    be run.

    Raises:
        UsageError: an unknown name or a bad value.
        DeviceError: the device is not in this machine.
    """
    plan = make_plan(replace(options, repeats=1), choose, is_dry=is_dry)
    measure = plan.suite.measure.model_copy(update={"max_repeats": 1})
    suite = plan.suite.model_copy(update={"measure": measure})
    also = ("max_repeats",) if plan.suite.measure.max_repeats != 1 else ()
    info = plan.suite_info.model_copy(
        update={
            "sha256": suite.sha256,
            "definition": suite.model_dump(mode="json"),
            "overrides": (*plan.suite_info.overrides, *also),
        }
    )
    return replace(plan, suite=suite, suite_info=info, cells=(), frontier_step_s=STEP_S), _lines(plan.cells)


def _lines(cells: Sequence[Cell]) -> tuple[Line, ...]:
    first = {(cell.requested.attention, cell.requested.max_tokens): cell for cell in reversed(cells)}
    order = list(dict.fromkeys(cell.requested.attention for cell in cells))
    keys = sorted(first, key=lambda key: (order.index(key[0]), key[1]))
    return tuple(Line(first[key].requested) for key in keys)


class Finder:
    """Finds the limit of each line, starting from earlier results. No clip longer than `max_clip_s` is tried.

    `beyond_budget` has the lines whose search the time budget ended.
    """

    def __init__(
        self,
        lines: Iterable[Line],
        known: Mapping[str, CellResult],
        start_s: float,
        unsupported_reason: Support,
        max_clip_s: float = MAX_CLIP_S,
    ) -> None:
        self._lines = tuple(lines)
        self._results = dict(known)
        self._start_s = start_s
        self._max_clip_s = max_clip_s
        self._unsupported_reason = also_known(unsupported_reason, known.values())
        self.probes: dict[Line, int] = dict.fromkeys(self._lines, 0)
        self.beyond_budget: set[Line] = set()

    def limits(self) -> tuple[Limit, ...]:
        """Return the limit of each line, as far as it is known now."""
        return tuple(self._limit(line) for line in self._lines)

    def is_done(self) -> bool:
        """Whether no probe is left to run or to record."""
        return all(
            found.next_s is None and end_of_line(found, self._results, self._unsupported_reason) is None
            for found in self.limits()
        )

    def sweep(self, session: Prober, journal: Journal, listener: ProbeListener) -> int | None:
        """Find every limit. Return the number of the signal that ended the search, or None."""
        self._unsupported_reason = session.unsupported_reason
        try:
            for line in self._lines:
                self._find(line, session, journal, listener)
        except Stopped as stopped:
            return stopped.signal_number
        return None

    def _find(self, line: Line, session: Prober, journal: Journal, listener: ProbeListener) -> None:
        while (length_s := (found := self._limit(line)).next_s) is not None:
            cell = line.cell(length_s)
            listener.probe_begins(cell, sum(self.probes.values()) + 1, found.search)
            result = session.run_cell(cell, journal, listener)
            if isinstance(result.outcome, Skipped):
                self.beyond_budget.add(line)
                return
            self.probes[line] += 1
            self._results[cell.cell_id] = result
        last = end_of_line(found, self._results, self._unsupported_reason)
        if last is not None:
            listener.probe_begins(Cell(last.cell_id, last.requested), None, found.search)
            journal.append(last)
            self._results[last.cell_id] = last
            listener.cell_ends(last)

    def _limit(self, line: Line) -> Limit:
        """Return the limit of a line. Its search starts at that of the line with fewer tokens, if known."""
        position = self._lines.index(line)
        start_s = self._start_s
        if position > 0 and line.needs_more_than(self._lines[position - 1].asked):
            before = self._limit_from(self._lines[position - 1], self._start_s)
            start_s = before.search.fits_s or start_s
        return self._limit_from(line, start_s)

    def _limit_from(self, line: Line, start_s: float) -> Limit:
        return limit(line, self._results.values(), start_s, self._unsupported_reason, self._max_clip_s)
