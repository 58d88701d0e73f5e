"""The display of a run or a search: live on a terminal, plain lines elsewhere."""

from collections.abc import Collection
from time import monotonic
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from bench.cli.streams import echo
from bench.judge.bisection import Search
from bench.judge.memory import peak_of
from bench.records.cell import CellResult, Measured
from bench.records.record import DeviceInfo
from bench.report.ci.cases import name_of
from bench.report.labels import status
from bench.run.estimate import Correction
from bench.run.plan_estimate import estimate_of
from bench.run.run_spec import Plan, support
from bench.suite.cells import Cell
from bench.units import clip_length, gib, rate, seconds
from bench.wording import phrases

if TYPE_CHECKING:
    from bench.run.protocol import Step


def display(plan: Plan, done: Collection[str] = (), *, plain: bool = False) -> "Live | PlainLines":
    """Return a live display if standard error is a terminal and `plain` is not set, else plain lines.

    `done` has the ids of cells with a result from an earlier part of the run: they take no time.
    """
    estimate, unsupported_reason = estimate_of(plan), support(plan)
    left = [
        cell for cell in plan.cells if unsupported_reason(cell.requested) is None and cell.cell_id not in done
    ]
    estimates = {} if isinstance(estimate, str) else {cell.cell_id: estimate.cell_s(cell) for cell in left}
    remaining, device = Remaining(estimates), plan.device.info()
    if plain:
        return PlainLines(remaining, device)
    console = Console(stderr=True)
    # With FORCE_COLOR rich takes a log file for a terminal, in which a rewritten line is unreadable.
    if console.is_interactive and console.file.isatty():
        return Live(remaining, device, console)
    return PlainLines(remaining, device)


def outcome_of(result: CellResult, device: DeviceInfo) -> str:
    """Return the outcome of a cell in one line."""
    if isinstance(result.outcome, Measured) and not result.repeats:
        return "the challenge is answered"
    if not isinstance(result.outcome, Measured) or result.summary is None:
        ended = status(result.outcome)
        return f"{ended.word}: {ended.reason}" if ended.reason else ended.word
    summary = result.summary
    decode = summary.decode_tokens_per_s.median if summary.decode_tokens_per_s else None
    first = summary.time_to_first_token_s.median if summary.time_to_first_token_s else None
    peak = peak_of(result, device)
    memory = f", {phrases.PEAK_WORDS[peak.metric]} {gib(peak.size_bytes)}" if peak else ""
    joules = summary.energy_per_token_j
    energy = f", {rate(joules, 'J/tok')}" if joules is not None else ""
    labels = f" ({', '.join(summary.labels)})" if summary.labels else ""
    return f"{rate(decode, 'tok/s')}, first token {seconds(first)}{memory}{energy}{labels}"


class Remaining:
    """Estimates the time left, from the estimated and real times of the cells so far."""

    def __init__(self, estimates: dict[str, float]) -> None:
        self._left = dict(estimates)
        self._correction = Correction()
        self._started = monotonic()

    def begin(self) -> None:
        """Start a cell."""
        self._started = monotonic()

    def end(self, cell_id: str, *, ran: bool) -> None:
        """End a cell; one that did not run does not change the pace."""
        estimate = self._left.pop(cell_id, 0.0)
        if ran:
            self._correction.add(estimate, monotonic() - self._started)

    def seconds(self) -> float:
        """Return the estimated seconds from now to the end; 0 where there is no estimate."""
        return max(0.0, self._correction.factor * sum(self._left.values()) - (monotonic() - self._started))


class PlainLines:
    """Prints a line when a cell loads the model and one when it ends, without control codes."""

    def __init__(self, remaining: Remaining, device: DeviceInfo) -> None:
        self._remaining = remaining
        self._device = device
        self._head = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, line: str) -> None:
        """Print a line of its own."""
        click.echo(line, err=True)

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        """Store the name of the cell."""
        self._remaining.begin()
        self._head = f"[{number}/{total}] {name_of(cell.requested)}"

    def step_begins(self, step: "Step") -> None:
        """Print a line for loading, which can take minutes."""
        if step.name == "load":
            click.echo(f"{self._head}: loading the model", err=True)

    def cell_ends(self, result: CellResult) -> None:
        """Print the outcome."""
        self._remaining.end(result.cell_id, ran=isinstance(result.outcome, Measured))
        echo(f"{self._head}: {outcome_of(result, self._device)}", err=True)


class Live:
    """Shows cell, step, elapsed and remaining time in a line at the bottom, and outcomes above it."""

    def __init__(self, remaining: Remaining, device: DeviceInfo, console: Console) -> None:
        self._remaining = remaining
        self._device = device
        self._head = ""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            *self._counted(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=console,
            transient=True,
            refresh_per_second=1,
        )
        self._task = self._progress.add_task("starting the worker", total=None, left="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _counted(self) -> tuple[ProgressColumn, ...]:
        """Return the columns of progress."""
        return BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("cells")

    def say(self, line: str) -> None:
        """Print a line above."""
        self._progress.console.print(Text(line), highlight=False)

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        """Show the cell."""
        self._remaining.begin()
        self._head = name_of(cell.requested)
        self._update(description=self._head, completed=number - 1, total=total)

    def step_begins(self, step: "Step") -> None:
        """Show the step."""
        self._update(description=f"{self._head}: {phrases.step(step)}")

    def cell_ends(self, result: CellResult) -> None:
        """Print the outcome."""
        ran = isinstance(result.outcome, Measured)
        self._remaining.end(result.cell_id, ran=ran)
        mark, style = ("✓", "green") if ran else ("-", "yellow")
        line = Text.assemble((mark, style), f" {self._head}: {outcome_of(result, self._device)}")
        self._progress.console.print(line, highlight=False)

    def _update(self, *, description: str, completed: int | None = None, total: int | None = None) -> None:
        left_s = self._remaining.seconds()
        left = f"about {seconds(left_s)} left" if left_s >= 1 else ""
        self._progress.update(
            self._task, description=description, completed=completed, total=total, left=left
        )


# --- a search for the limit -------------------------------------------------------------------------------


def probe_display(plan: Plan) -> "LiveProbes | PlainProbes":
    """Return a live display if standard error is a terminal, else plain lines."""
    console = Console(stderr=True)
    if console.is_interactive and console.file.isatty():
        return LiveProbes(Remaining({}), plan.device.info(), console)
    return PlainProbes(Remaining({}), plan.device.info())


def bounds(search: Search) -> str:
    """Return `between 60 s and 240 s`, `above 60 s`, `below 240 s`, or nothing if both are unknown."""
    low, high = search.fits_s, search.misfit_s
    if low is not None and high is not None:
        return f"between {clip_length(low)} and {clip_length(high)}"
    if low is not None:
        return f"above {clip_length(low)}"
    return f"below {clip_length(high)}" if high is not None else ""


def _head(cell: Cell, number: int | None, search: Search) -> str:
    """Return a heading: `probe 3, between 60 s and 240 s: 150 s, 128 tokens, sdpa`."""
    if number is None:
        return name_of(cell.requested)
    return ", ".join(filter(None, [f"probe {number}", bounds(search)])) + f": {name_of(cell.requested)}"


class PlainProbes(PlainLines):
    """Prints a line when a probe loads the model and one when it ends."""

    def probe_begins(self, cell: Cell, number: int | None, search: Search) -> None:
        """Store the heading of the probe."""
        self._remaining.begin()
        self._head = _head(cell, number, search)


class LiveProbes(Live):
    """Shows probe, step and elapsed time in a line at the bottom, and outcomes above it."""

    _where = ""
    _more = ""

    def _counted(self) -> tuple[ProgressColumn, ...]:
        """Return no columns: the number of probes is unknown."""
        return ()

    def probe_begins(self, cell: Cell, number: int | None, search: Search) -> None:
        """Show the probe."""
        self._remaining.begin()
        self._head = _head(cell, number, search)
        self._where = ": ".join(filter(None, [bounds(search), name_of(cell.requested)]))
        more = search.at_most - 1
        self._more = f"{more} more at most" if more > 0 else ""
        self._update(description=self._where)

    def step_begins(self, step: "Step") -> None:
        """Show the step."""
        self._update(description=f"{self._where}: {phrases.step(step)}")

    def _update(self, *, description: str, completed: int | None = None, total: int | None = None) -> None:
        self._progress.update(
            self._task, description=description, completed=completed, total=total, left=self._more
        )
