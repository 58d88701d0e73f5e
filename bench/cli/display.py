"""How a run is shown while it goes on: a live display on a terminal, plain lines elsewhere."""

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

from bench.judge.memory import peak_of
from bench.records.record import CellResult, DeviceInfo, Measured
from bench.report.ci.cases import name_of
from bench.report.labels import status
from bench.run.estimate import cell_s, pace
from bench.run.run_spec import Plan, support
from bench.suite.cells import Cell
from bench.units import gib, rate, seconds
from bench.wording import phrases

if TYPE_CHECKING:
    from bench.run.protocol import Step


def display(plan: Plan, done: Collection[str] = (), *, plain: bool = False) -> "Live | PlainLines":
    """What suits standard error: a live display on a terminal, plain lines in a pipe, a log, or if asked for.

    `done` holds the ids of the cells that an earlier part of the run has done: they take no more time.
    """
    rates, unsupported_reason = pace(plan.device.kind, plan.suite.model), support(plan)
    estimates = {
        cell.cell_id: cell_s(cell, plan.suite.measure, rates)
        for cell in plan.cells
        if unsupported_reason(cell.requested) is None and cell.cell_id not in done
    }
    remaining, device = Remaining(estimates), plan.device.info()
    if plain:
        return PlainLines(remaining, device)
    console = Console(stderr=True)
    # FORCE_COLOR makes rich take a log file for a terminal, where a line that is rewritten would be a mess.
    if console.is_interactive and console.file.isatty():
        return Live(remaining, device, console)
    return PlainLines(remaining, device)


def outcome_of(result: CellResult, device: DeviceInfo) -> str:
    """One line on how a cell ended."""
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
    """Time left, from what the cells done so far took against what they were estimated to take."""

    def __init__(self, estimates: dict[str, float]) -> None:
        self._left = dict(estimates)
        self._estimated = 0.0
        self._took = 0.0
        self._started = monotonic()

    def begin(self) -> None:
        """A cell starts."""
        self._started = monotonic()

    def end(self, cell_id: str, *, ran: bool) -> None:
        """A cell ended; one that did not run teaches nothing."""
        estimate = self._left.pop(cell_id, 0.0)
        if ran:
            self._estimated += estimate
            self._took += monotonic() - self._started

    def seconds(self) -> float:
        """Seconds left from now, roughly."""
        pace = self._took / self._estimated if self._estimated else 1.0
        return max(0.0, pace * sum(self._left.values()) - (monotonic() - self._started))


class PlainLines:
    """One line when a cell starts and one when it ends; nothing that a log cannot hold."""

    def __init__(self, remaining: Remaining, device: DeviceInfo) -> None:
        self._remaining = remaining
        self._device = device
        self._head = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        """Say which."""
        self._remaining.begin()
        self._head = f"[{number}/{total}] {name_of(cell.requested)}"

    def step_begins(self, step: "Step") -> None:
        """Only loading is worth a line: it can take minutes."""
        if step.name == "load":
            click.echo(f"{self._head}: loading the model", err=True)

    def cell_ends(self, result: CellResult) -> None:
        """Say how it ended."""
        self._remaining.end(result.cell_id, ran=isinstance(result.outcome, Measured))
        click.echo(f"{self._head}: {outcome_of(result, self._device)}", err=True)


class Live:
    """Cell, step, elapsed and remaining in one line that stays at the bottom; outcomes scroll by above it."""

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
        """How far the run is, of how much."""
        return BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("cells")

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        """Show which."""
        self._remaining.begin()
        self._head = name_of(cell.requested)
        self._update(description=self._head, completed=number - 1, total=total)

    def step_begins(self, step: "Step") -> None:
        """Show what it does."""
        self._update(description=f"{self._head}: {phrases.step(step)}")

    def cell_ends(self, result: CellResult) -> None:
        """Print how it ended."""
        ran = isinstance(result.outcome, Measured)
        self._remaining.end(result.cell_id, ran=ran)
        mark, style = ("✓", "green") if ran else ("-", "yellow")
        line = Text.assemble((mark, style), f" {self._head}: {outcome_of(result, self._device)}")
        self._progress.console.print(line, highlight=False)

    def _update(self, *, description: str, completed: int | None = None, total: int | None = None) -> None:
        left_s = self._remaining.seconds()
        left = f"about {seconds(left_s)} left" if left_s >= 1 else "nearly done"
        self._progress.update(
            self._task, description=description, completed=completed, total=total, left=left
        )
