"""Runs cells as pytest asks for them, with the worker, the journal and the rules of `bench run`."""

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench.errors import BenchError, WeightsError
from bench.records.cell import CellResult
from bench.run import runner
from bench.run.child import Mailbox
from bench.run.fetch import Note, fetch
from bench.run.isolation import Stopped
from bench.run.protocol import Step
from bench.run.run_spec import Plan
from bench.run.session import RunPolicy
from bench.run.signals import signals_to
from bench.suite.cells import Cell
from bench.units import both_units
from bench.weights.interface import quiet


class Runner:
    """Starts a worker with the first cell; `finish` ends it and seals the record.

    `note` receives what a person should know about the folder and the weights.
    """

    def __init__(self, plan: Plan, out: Path, note: Note) -> None:
        self._plan = plan
        self._note = note
        self._location = runner.OutputLocation(out)
        self._mailbox: Mailbox = Mailbox()
        self._stack = ExitStack()
        self._running: runner.Running | None = None
        self._refused: BenchError | None = None
        self._done: dict[str, CellResult] = {}

    def run(self, cell: Cell) -> CellResult:
        """Run one cell and return its result, which is in the journal. A cell runs once.

        Raises:
            BenchError: the run cannot start. It is not tried again for the next cell.
            KeyboardInterrupt: a signal came. The cell has no outcome.
        """
        if cell.cell_id not in self._done:
            try:
                with signals_to(self._mailbox.put):  # between two cells pytest handles signals
                    self._done[cell.cell_id] = self._run(cell, self._started())
            except Stopped:
                raise KeyboardInterrupt from None
        return self._done[cell.cell_id]

    @staticmethod
    def _run(cell: Cell, running: runner.Running) -> CellResult:
        keep = running.session.goes_on(cell)
        return running.session.run_cell(cell, running.journal, _Silent(), keep=keep)

    def finish(self) -> Path | None:
        """End the worker, and return the path of the sealed record, or None if no cell was begun.

        Raises:
            StorageError: the disk refused a write.
        """
        with self._stack:
            return None if self._running is None else self._running.journal.seal()[1]

    def _started(self) -> runner.Running:
        if self._refused is not None:
            raise self._refused
        if self._running is None:
            try:
                self._running = self._stack.enter_context(self._start())
            except BenchError as error:
                self._refused = error
                raise
        return self._running

    def _start(self) -> AbstractContextManager[runner.Running]:
        plan, location = self._plan, self._location
        for line in runner.check(plan, location):
            self._note(line)
        needed = runner.needs_weights(plan, location)
        weights = fetch(plan.origin, _refuse, quiet, self._note) if needed else runner.Weights()
        return runner.running(plan, weights, RunPolicy(), location, self._mailbox)


def _refuse(repo: str, missing_bytes: int, at: Path) -> None:
    raise WeightsError(
        f"{repo} is incomplete in {at} ({both_units(missing_bytes)} missing), and tests download nothing",
        hint="Fetch it with `bench run --yes`, or add --bench-weights random",
    )


class _Silent:
    """A listener that prints nothing: pytest reports the tests."""

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        pass

    def step_begins(self, step: Step) -> None:
        pass

    def cell_ends(self, result: CellResult) -> None:
        pass
