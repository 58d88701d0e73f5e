"""What `bench run` prints before and after the cells."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.again import Again
from bench.errors import ExitCode
from bench.units import seconds

if TYPE_CHECKING:
    from bench.records.schema import Record
    from bench.run.campaign import Ending, Place
    from bench.run.plan import Plan

_ROUGH = "a rough guide: half or twice as long is possible"


def print_notes(plan: "Plan") -> None:
    """On standard error: what there is to say of the device that was found."""
    from bench.hardware.device import notes

    for note in notes(plan.device):
        click.echo(note, err=True)


def print_plan(plan: "Plan") -> None:
    """Every cell with its id, what it should take, and the sum."""
    from bench.cli.display import name_of
    from bench.run.estimate import cell_s, pace, run_s
    from bench.run.plan import support

    rates, why_not = pace(plan.device.kind, plan.suite.model), support(plan)
    for cell in plan.cells:
        reason = why_not(cell.requested)
        takes = f"about {seconds(cell_s(cell, plan.suite.measure, rates))}"
        told = takes if reason is None else f"unsupported: {reason}"
        click.echo(f"{cell.cell_id}  {name_of(cell)}  {told}")
    running = [cell for cell in plan.cells if why_not(cell.requested) is None]
    click.echo(
        f"{len(plan.cells)} cells of {plan.suite.name} on {plan.device.name} with {plan.origin.weight_mode} "
        f"weights: about {seconds(run_s(running, plan.suite.measure, rates))} ({_ROUGH})"
    )


def print_unfinished(plan: "Plan", place: "Place", again: Again) -> None:
    """One line if an earlier run of the same suite and model was cut short and left its journal."""
    from bench.run.campaign import unfinished

    journals = unfinished(plan, place)
    if journals:
        more = f" ({len(journals) - 1} older ones are there too)" if len(journals) > 1 else ""
        click.echo(
            f"an earlier run was cut short{more}; to finish it instead: {again.command(journals[-1])}",
            err=True,
        )


def print_ending(ending: "Ending", out: Path | None, again: Again) -> None:
    """The table, where record and report are, and after an interruption how to go on."""
    report: tuple[Path, ...] = ()
    try:
        if ending.signal_number is None:
            report = write_report(ending, out)
    finally:  # also where the report cannot be written: the record is there
        _print_table(ending.record)
        click.echo(f"record  {ending.path}")
    for path in report:
        click.echo(f"report  {path}")
    if ending.signal_number is not None:
        click.echo(f"interrupted; finish it with\n  {again.command(ending.path)}")


def exit_code(ending: "Ending") -> int:
    """Interrupted, cells that failed for a reason other than memory, or done."""
    if ending.signal_number is not None:
        return 128 + ending.signal_number
    failed = any(cell.outcome.status in {"failed", "timeout"} for cell in ending.record.cells)
    return ExitCode.CELLS_FAILED if failed else ExitCode.DONE


def write_report(ending: "Ending", out: Path | None) -> tuple[Path, ...]:
    """The page of the record, where records were asked for, or below reports/."""
    from bench.report.bundle import write_reports
    from bench.report.interface import Format

    folder = ending.path.parent if out else Path("reports", *ending.path.parent.parts[-2:])
    return write_reports(ending.record, folder, (Format.HTML,), ending.path.stem)


def _print_table(record: "Record") -> None:
    from rich.console import Console

    from bench.report.terminal import as_text, summary
    from bench.report.view import build_view

    view = build_view(record)
    console = Console()
    if console.is_terminal:
        console.print(summary(view))
    else:
        click.echo(as_text(view), nl=False)
