"""One run of a suite: every cell in order, each outcome in the journal before the next cell starts."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Literal, Protocol

from bench.cells import Cell, GroupKey, group_key, needs_more_of_everything
from bench.measure.statistics import summarise
from bench.records.journal import Journal
from bench.records.schema import CellResult, Measured, OutOfMemory, Requested, Skipped, Unsupported
from bench.run.child import Mailbox, StopRequest
from bench.run.isolation import CellEnd, Isolation, Stopped
from bench.run.protocol import Finished, Job, Step
from bench.suite import Measure
from bench.units import clip_length


class Listener(Protocol):
    """Told how a run goes on; what it shows is its own affair."""

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        """Cell `number` of `total` starts."""

    def step_begins(self, step: Step) -> None:
        """The worker does the next thing."""

    def cell_ends(self, result: CellResult) -> None:
        """The outcome is on disk."""


@dataclass(frozen=True)
class Rules:
    """How to run, apart from what to run."""

    measure: Measure
    isolate: Literal["group", "cell"] = "group"
    prune: bool = True


class Session:
    """Runs the cells that are not done yet."""

    def __init__(
        self,
        cells: Sequence[Cell],
        done: Sequence[CellResult],
        rules: Rules,
        isolation: Isolation,
        unsupported: Callable[[Requested], str | None],
    ) -> None:
        self._cells = cells
        self._done = {result.cell_id: result for result in done}
        self._rules = rules
        self._isolation = isolation
        self._unsupported = unsupported
        self._loaded_for: GroupKey | None = None

    def run(self, journal: Journal, listener: Listener) -> int | None:
        """Run what is left; None when all is done, or the number of the signal that ended it."""
        try:
            for number, cell in enumerate(self._cells, start=1):
                if cell.cell_id in self._done:
                    continue
                listener.cell_begins(cell, number, len(self._cells))
                self.run_cell(cell, journal, listener)
        except Stopped as stopped:
            return stopped.signal_number
        finally:
            self._isolation.retire()
        return None

    def run_cell(self, cell: Cell, journal: Journal, listener: Listener) -> CellResult:
        """Run one cell; its outcome is on disk when this returns.

        Raises:
            Stopped: a signal came; the cell has no outcome.
        """
        result = self._result_of(cell, listener)
        journal.append(result)
        self._done[cell.cell_id] = result
        listener.cell_ends(result)
        return result

    def why_not(self, requested: Requested) -> str | None:
        """Why this cannot run here, known without running it; None if nothing speaks against it."""
        return self._unsupported(requested)

    def _result_of(self, cell: Cell, listener: Listener) -> CellResult:
        reason = self._unsupported(cell.requested)
        if reason is not None:
            return _without_figures(cell, Unsupported(reason=reason))
        if self._rules.prune and (smaller := self._smaller_that_failed(cell)) is not None:
            return _without_figures(cell, Skipped(reason=_pruned(smaller), cause="pruned"))
        self._make_room_for(cell)
        end = self._isolation.measure(
            Job(requested=cell.requested, measure=self._rules.measure),
            self._rules.measure.cell_limit_s,
            listener.step_begins,
        )
        return _result(cell, end, self._rules.measure.noise_cv)

    def _make_room_for(self, cell: Cell) -> None:
        """A loaded model serves its own group only; the strictest isolation gives each cell its own."""
        key = group_key(cell)
        if self._loaded_for is not None and (self._rules.isolate == "cell" or key != self._loaded_for):
            self._isolation.retire()
        self._loaded_for = key

    def _smaller_that_failed(self, cell: Cell) -> Cell | None:
        for other in self._cells:
            result = self._done.get(other.cell_id)
            if (
                result is not None
                and isinstance(result.outcome, OutOfMemory)
                and needs_more_of_everything(cell, other)
            ):
                return other
        return None


def _pruned(smaller: Cell) -> str:
    asked = smaller.requested
    return f"{clip_length(asked.clip_seconds)} with {asked.max_tokens} tokens ran out of memory already"


def _without_figures(cell: Cell, outcome: Unsupported | Skipped) -> CellResult:
    return CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=outcome)


def _result(cell: Cell, end: CellEnd, noise_cv: float) -> CellResult:
    if not isinstance(end, Finished):
        return CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=end)
    return CellResult(
        cell_id=cell.cell_id,
        requested=cell.requested,
        effective=end.effective,
        outcome=Measured(),
        cold=end.cold,
        repeats=end.repeats,
        summary=summarise(end.repeats, end.memory, load_s=end.load_s, noise_cv=noise_cv),
        memory=end.memory,
    )


@contextmanager
def signals_to(mailbox: Mailbox) -> Iterator[None]:
    """While inside, Ctrl-C and SIGTERM become a message to the run, so that no write is cut in half."""

    def forward(number: int, _frame: FrameType | None) -> None:
        mailbox.put(StopRequest(number))  # SimpleQueue.put is reentrant: safe in a signal handler

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
