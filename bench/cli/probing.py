"""How a search for the limit is shown while it goes on: as a run is, but nobody knows how long it takes."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import ProgressColumn

from bench.cli.display import Live, PlainLines, Remaining
from bench.judge.bisection import Search
from bench.report.ci.cases import name_of
from bench.suite.cells import Cell
from bench.units import clip_length
from bench.wording import phrases

if TYPE_CHECKING:
    from bench.run.protocol import Step
    from bench.run.run_spec import Plan


def probe_display(plan: "Plan") -> "LiveProbes | PlainProbes":
    """What suits standard error: a live display on a terminal, plain lines in a pipe or a log."""
    console = Console(stderr=True)
    if console.is_interactive and console.file.isatty():
        return LiveProbes(Remaining({}), plan.device.info(), console)
    return PlainProbes(Remaining({}), plan.device.info())


def bounds(search: Search) -> str:
    """`between 60 s and 240 s`, `above 60 s`, `below 240 s`, or nothing where nothing is known."""
    low, high = search.fits_s, search.misfit_s
    if low is not None and high is not None:
        return f"between {clip_length(low)} and {clip_length(high)}"
    if low is not None:
        return f"above {clip_length(low)}"
    return f"below {clip_length(high)}" if high is not None else ""


def _head(cell: Cell, number: int | None, search: Search) -> str:
    """`probe 3, between 60 s and 240 s: 150 s, 128 tokens, sdpa`."""
    if number is None:
        return name_of(cell.requested)
    return ", ".join(filter(None, [f"probe {number}", bounds(search)])) + f": {name_of(cell.requested)}"


class PlainProbes(PlainLines):
    """One line when a probe loads the model, and one when it ends."""

    def probe_begins(self, cell: Cell, number: int | None, search: Search) -> None:
        """Say which."""
        self._remaining.begin()
        self._head = _head(cell, number, search)


class LiveProbes(Live):
    """Probe, step and elapsed time in one line that stays at the bottom; outcomes scroll by above it."""

    _where = ""
    _more = ""

    def _counted(self) -> tuple[ProgressColumn, ...]:
        """Nobody knows of how many."""
        return ()

    def probe_begins(self, cell: Cell, number: int | None, search: Search) -> None:
        """Show which."""
        self._remaining.begin()
        self._head = _head(cell, number, search)
        self._where = ": ".join(filter(None, [bounds(search), name_of(cell.requested)]))
        more = search.at_most - 1
        self._more = f"{more} more at most" if more > 0 else ""
        self._update(description=self._where)

    def step_begins(self, step: "Step") -> None:
        """Show what it does."""
        self._update(description=f"{self._where}: {phrases.step(step)}")

    def _update(self, *, description: str, completed: int | None = None, total: int | None = None) -> None:
        self._progress.update(
            self._task, description=description, completed=completed, total=total, left=self._more
        )
