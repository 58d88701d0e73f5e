"""`bench doctor`: whether this machine can run the model, and what to do about each thing that is wrong."""

import io
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

import click

from bench.cli.command import Command
from bench.cli.options import device_options
from bench.cli.streams import echo
from bench.errors import ExitCode
from bench.text import printable_json
from bench.units import gib

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from bench.doctor.interface import Check, Diagnosis, Gpu

_STYLES: Final = {"ok": "green", "note": "cyan", "warning": "yellow", "problem": "bold red"}
_INDENT: Final = 22
_WIDEST: Final = 120
_WIDTH_OF_TEXT: Final = 100


@click.command(cls=Command, short_help="Check whether this machine can run the model, and what to fix.")
@device_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON. Default: a table.")
def doctor(gpu: str | None, device: str | None, as_json: bool) -> int:
    """Check Python, torch, driver, weights, memory and every card, in the order in which to fix them.

    A problem stops the model from running, a warning makes it slower or less reliable, a note is for
    information. The exit code is 0 if a run can work, else 3.

    \b
    Examples:
      bench doctor
      bench doctor --gpu rtx-4070
      bench doctor --json
    """
    from bench.doctor.diagnosis import diagnose
    from bench.doctor.gather import gather

    with _waiting():
        diagnosis = diagnose(gather(gpu=gpu, device=device))
    if as_json:
        click.echo(printable_json(diagnosis.model_dump_json(indent=2)))
    else:
        _print(diagnosis)
    return ExitCode.DONE if diagnosis.can_run else ExitCode.MACHINE


def _waiting() -> AbstractContextManager[object]:
    """Show a spinner on a terminal while torch is tried on the cards."""
    from rich.console import Console

    console = Console(stderr=True)
    # With FORCE_COLOR rich takes a log file for a terminal, in which a rewritten line is unreadable.
    if console.is_interactive and console.file.isatty():
        return console.status("Looking at this machine")
    return nullcontext()


def _print(diagnosis: "Diagnosis") -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        console.width = min(console.width, _WIDEST)
        console.print(*_parts(diagnosis, console.width), sep="\n")
    else:
        echo(_as_text(diagnosis), nl=False)


def _as_text(diagnosis: "Diagnosis") -> str:
    """Return the text without colours and trailing blanks, for pipes and logs."""
    from rich.console import Console

    sink = io.StringIO()
    Console(file=sink, width=_WIDTH_OF_TEXT, color_system=None, force_terminal=False).print(
        *_parts(diagnosis, _WIDTH_OF_TEXT), sep="\n", highlight=False, markup=False, emoji=False
    )
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines())


def _parts(diagnosis: "Diagnosis", width: int) -> Iterator["RenderableType"]:
    """Return one list for one card; for several the machine's list, then one of each card."""
    from rich.text import Text

    from bench.doctor.diagnosis import in_order

    gpus = diagnosis.gpus
    if len(gpus) == 1:
        yield Text(_head(gpus[0]), style="bold")
        yield _table(in_order((*diagnosis.checks, *gpus[0].checks)), width)
    else:
        yield Text(f"This machine: {diagnosis.machine.os}", style="bold")
        yield _table(diagnosis.checks, width)
        for gpu in gpus:
            yield Text(f"\n{_head(gpu)}", style="bold")
            yield _table(gpu.checks, width)
    yield Text(f"\n{diagnosis.conclusion}", style="bold green" if diagnosis.can_run else "bold red")
    if diagnosis.next_command:
        yield Text(f"Next: {diagnosis.next_command}", style="bold")


def _head(gpu: "Gpu") -> str:
    return f"{gpu.name} ({gpu.slug}), {gib(gpu.memory_total_bytes)}"


def _table(checks: "Iterable[Check]", width: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=7)
    table.add_column(no_wrap=True, min_width=11)
    table.add_column(overflow="fold")
    for check in checks:
        summary = Text(check.summary)
        if check.fix:
            is_wrong = check.status in {"warning", "problem"}
            summary.append(f"\n{_fix(check, width)}", style="bold" if is_wrong else "")
        table.add_row(Text(check.status, style=_STYLES[check.status]), check.name, summary)
    return table


def _fix(check: "Check", width: int) -> str:
    """Return the fix on a line of its own; a command too long for it gets another line."""
    line = f"{'fix' if check.status in {'warning', 'problem'} else 'hint'}: {check.fix}"
    if check.command and len(line) > width - _INDENT:
        return line.replace(f" {check.command}", f"\n{check.command}")
    return line
