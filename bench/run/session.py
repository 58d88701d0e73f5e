"""Runs the cells of a suite in order, and writes each result to the journal before the next cell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Literal, Protocol

from pydantic import ValidationError

from bench.errors import RecordError
from bench.judge.memory import is_contended
from bench.judge.same_run import WORKER, needs_more_of_everything, request_key
from bench.measure.summary import CellFigures, summarise
from bench.records.cell import (
    Attempt,
    CellResult,
    Failed,
    Measured,
    Outcome,
    OutOfMemory,
    Requested,
    Skipped,
    Timeout,
    Unsupported,
)
from bench.records.reasons import (
    CardLost,
    CellShape,
    NotRecordable,
    SmallerRanOut,
    TimeBudgetUsed,
    UnsupportedReason,
)
from bench.records.record import AnsweredChallenge, DeviceInfo
from bench.run.isolation import CellEnd, Isolation, Stopped
from bench.run.protocol import Finished, Job, Step
from bench.run.telemetry import CellTelemetry, LeftoverMemory, NoWatch, Watch
from bench.run.time_budget import TimeBudget
from bench.store.canonical import canonical
from bench.store.faults import first_fault
from bench.store.journal import Journal, PlannedChallenge
from bench.store.scrub import scrub
from bench.suite.cells import Cell
from bench.suite.suite import Measure
from bench.wording import outcomes


class Listener(Protocol):
    """Follows a run, for example to display it."""

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        """Cell `number` of `total` starts."""

    def step_begins(self, step: Step) -> None:
        """The worker begins a step of the cell."""

    def cell_ends(self, result: CellResult) -> None:
        """The cell ended; its result is on disk."""


@dataclass(frozen=True)
class RunPolicy:
    """Rules for running any cells.

    Attributes:
        isolate: a worker runs all cells of its group, or one cell.
        prune: skip cells that need more of everything than one that ran out of memory.
        time_budget_s: the time after which no cell begins; None for no limit.
        settle_limit_s: longest wait until the card has no more memory in use than before the run.
    """

    isolate: Literal["group", "cell"] = "group"
    prune: bool = True
    time_budget_s: float | None = None
    settle_limit_s: float = 15.0


class Session:
    """Runs the cells that have no result yet."""

    def __init__(
        self,
        cells: Sequence[Cell],
        done: Sequence[CellResult],
        measure: Measure,
        isolation: Isolation,
        unsupported: Callable[[Requested], UnsupportedReason | None],
        *,
        policy: RunPolicy = RunPolicy(),
        device: DeviceInfo | None = None,
        watch: Watch | None = None,
        budget: TimeBudget | None = None,
        retried: Sequence[CellResult] = (),
    ) -> None:
        self._cells = cells
        self._done = {result.cell_id: result for result in done}
        self._measure = measure
        self._policy = policy
        self._isolation = isolation
        self._unsupported = unsupported
        self._device = device
        self._watch: Watch = NoWatch() if watch is None else watch
        self._budget = budget
        self._attempts = {result.cell_id: _with_this_attempt(result) for result in retried}
        self._loaded_for: tuple[object, ...] | None = None

    def run(self, journal: Journal, listener: Listener) -> int | None:
        """Run the remaining cells. Return the number of the signal that ended the run, or None."""
        try:
            for number, cell in enumerate(self._cells, start=1):
                if cell.cell_id in self._done:
                    continue
                listener.cell_begins(cell, number, len(self._cells))
                self.run_cell(cell, journal, listener, keep=self.goes_on(cell))
        except Stopped as stopped:
            return stopped.signal_number
        finally:
            self._isolation.retire()
        return None

    def run_cell(self, cell: Cell, journal: Journal, listener: Listener, *, keep: bool = True) -> CellResult:
        """Run one cell and return its result, which is on disk by then. With `keep` the worker may stay.

        A cell that the time budget leaves out has no result on disk: a resumed run runs it.

        Raises:
            Stopped: a signal came; the cell has no outcome.
        """
        not_run = self._without_running(cell)
        if not_run is not None:
            result = CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=not_run)
        else:
            result = self._run_in_time(cell, listener, keep)
        try:
            canonical(result.model_dump(mode="json"))
        except RecordError as error:
            result = _not_recordable(cell, error.message)
        if cell.cell_id in self._attempts:
            result = result.model_copy(update={"earlier_attempts": self._attempts[cell.cell_id]})
        if not _is_left_out(result):
            journal.append(result)
            self._done[cell.cell_id] = result
        listener.cell_ends(result)
        return result

    def answer_challenge(
        self, challenge: PlannedChallenge, journal: Journal, listener: Listener
    ) -> AnsweredChallenge:
        """Answer a challenge in a worker of its own, and return the answer, which is on disk by then.

        Raises:
            Stopped: a signal came; there is no answer.
        """
        cell = Cell(challenge.cell.cell_id, challenge.cell.requested)
        last = len(self._cells) + 1
        listener.cell_begins(cell, last, last)
        answer = self._answered(cell, challenge.issued.nonce, listener)
        if cell.cell_id in self._attempts:
            attempts = {"earlier_attempts": self._attempts[cell.cell_id]}
            answer = answer.model_copy(update={"cell": answer.cell.model_copy(update=attempts)})
        journal.append_answer(answer)
        listener.cell_ends(answer.cell)
        return answer

    def _answered(self, cell: Cell, nonce: str, listener: Listener) -> AnsweredChallenge:
        unsupported = self._unsupported(cell.requested)
        if unsupported is not None:
            outcome: Outcome = outcomes.unsupported(unsupported)
            result = CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=outcome)
            return AnsweredChallenge(cell=result, token_ids=None)
        self._retire()
        end = self._card_is_gone() or self._isolation.measure(
            Job(requested=cell.requested, measure=self._measure, nonce=nonce),
            self._measure.cell_limit_s,
            listener.step_begins,
        )
        self._retire()
        finished = end if isinstance(end, Finished) else None
        result = CellResult(
            cell_id=cell.cell_id,
            requested=cell.requested,
            effective=None if finished is None else finished.effective,
            outcome=Measured() if isinstance(end, Finished) else end,
        )
        return AnsweredChallenge(cell=result, token_ids=None if finished is None else finished.token_ids)

    @property
    def time_budget_used(self) -> TimeBudgetUsed | None:
        """The time budget, if it left out a cell."""
        return None if self._budget is None or not self._budget.is_used else self._beyond(self._budget)

    def unsupported_reason(self, requested: Requested) -> UnsupportedReason | None:
        """Return the reason why this cannot run here; None if it can."""
        return self._unsupported(requested)

    def _without_running(self, cell: Cell) -> Unsupported | Skipped | None:
        reason = self._unsupported(cell.requested)
        if reason is not None:
            return outcomes.unsupported(reason)
        if self._policy.prune and (smaller := self._smaller_that_failed(cell)) is not None:
            asked = smaller.requested
            shape = CellShape(clip_seconds=asked.clip_seconds, max_tokens=asked.max_tokens)
            return outcomes.skipped(SmallerRanOut(smaller=shape))
        return None

    def goes_on(self, cell: Cell) -> bool:
        """Whether the worker of this cell can run the next one too."""
        for other in self._cells[self._cells.index(cell) + 1 :]:
            if other.cell_id not in self._done and self._without_running(other) is None:
                return request_key(WORKER, other.requested) == request_key(WORKER, cell.requested)
        return False

    def _run_in_time(self, cell: Cell, listener: Listener, keep: bool) -> CellResult:
        """Run the cell if the time budget allows it; stop it where it takes far more than that."""
        budget = self._budget
        if budget is None:
            return self._run_now(cell, listener, keep)
        fresh = self._loaded_for != request_key(WORKER, cell.requested)
        if budget.allows(cell, fresh=fresh):
            began = monotonic()
            result = self._run_now(cell, listener, keep, budget.ends_at)
            if isinstance(result.outcome, Measured):
                budget.ran(cell, monotonic() - began, fresh=fresh)
            if not isinstance(result.outcome, Timeout) or not budget.stopped():
                return result
        left_out = outcomes.skipped(self._beyond(budget))
        return CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=left_out)

    @staticmethod
    def _beyond(budget: TimeBudget) -> TimeBudgetUsed:
        return TimeBudgetUsed(budget_s=budget.budget_s)

    def _run_now(self, cell: Cell, listener: Listener, keep: bool, ends_at: float = inf) -> CellResult:
        """Run the cell. If its worker ends here, memory that stays on the card belongs to this cell."""
        leftover = self._retire_for(cell)
        self._watch.cell_begins()
        end = self._card_is_gone() or self._isolation.measure(
            Job(requested=cell.requested, measure=self._measure),
            self._measure.cell_limit_s,
            listener.step_begins,
            ends_at=ends_at,
        )
        finished = end if isinstance(end, Finished) else None
        telemetry = self._watch.cell_ends(self._isolation.worker_pid, finished)
        if not isinstance(end, Finished) or not keep or self._policy.isolate == "cell":
            leftover = self._retire()
        try:
            return _result(cell, end, telemetry.after(leftover), self._device, self._measure.noise_cv)
        except ValidationError as error:  # a value that is computed from several, beyond all numbers
            return _not_recordable(cell, first_fault(error))

    def _card_is_gone(self) -> Failed | None:
        """Return a failure if the driver was lost and no worker is left: a new one would find no card."""
        if self._watch.lost is None or self._isolation.has_worker:
            return None
        return outcomes.failed(CardLost(error=self._watch.lost))

    def _retire_for(self, cell: Cell) -> LeftoverMemory:
        """End the worker of another group, and return the memory that stays on the card, for the new cell."""
        key = request_key(WORKER, cell.requested)
        leftover = self._retire() if self._loaded_for not in {None, key} else LeftoverMemory()
        self._loaded_for = key
        return leftover if leftover.back_at_baseline is False else LeftoverMemory()

    def _retire(self) -> LeftoverMemory:
        self._loaded_for = None
        self._isolation.retire()
        return self._watch.settle(self._isolation.rest, self._policy.settle_limit_s)

    def _smaller_that_failed(self, cell: Cell) -> Cell | None:
        """Return a smaller cell that ran out of memory without another program on the card, or None."""
        for other in self._cells:
            result = self._done.get(other.cell_id)
            if (
                result is not None
                and isinstance(result.outcome, OutOfMemory)
                and not is_contended(result)
                and needs_more_of_everything(cell.requested, other.requested)
            ):
                return other
        return None


def _is_left_out(result: CellResult) -> bool:
    """Whether the time budget left the cell out."""
    return isinstance(result.outcome, Skipped) and isinstance(result.outcome.reason_code, TimeBudgetUsed)


def _not_recordable(cell: Cell, error: str) -> CellResult:
    why = NotRecordable(error=scrub(error))
    return CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=outcomes.failed(why))


def _with_this_attempt(result: CellResult) -> tuple[Attempt, ...]:
    """Return the attempts at a cell that failed, with that of this result as the last."""
    if not isinstance(result.outcome, Failed | Timeout):
        return result.earlier_attempts
    this = Attempt(outcome=result.outcome, device_memory=result.device_memory)
    return (*result.earlier_attempts, this)


def _result(
    cell: Cell, end: CellEnd, telemetry: CellTelemetry, device: DeviceInfo | None, noise_cv: float
) -> CellResult:
    if not isinstance(end, Finished):
        return CellResult(
            cell_id=cell.cell_id, requested=cell.requested, outcome=end, device_memory=telemetry.memory
        )
    figures = CellFigures(
        repeats=end.repeats,
        clip_seconds=cell.requested.clip_seconds,
        noise_cv=noise_cv,
        load_s=end.load_s,
        memory=end.memory,
        work=end.work,
        device=device,
        device_memory=telemetry.memory,
        power=telemetry.power,
        labels=telemetry.labels,
        spills_from_bytes=telemetry.spills_from_bytes,
    )
    return CellResult(
        cell_id=cell.cell_id,
        requested=cell.requested,
        effective=end.effective,
        outcome=Measured(),
        cold=end.cold,
        repeats=end.repeats,
        summary=summarise(figures),
        memory=end.memory,
        memory_trace=telemetry.memory_trace or end.memory_trace,
        device_memory=telemetry.memory,
        power=telemetry.power,
        work=end.work,
    )
