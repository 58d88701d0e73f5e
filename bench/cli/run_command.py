"""`bench run`: a suite on this machine, to a record and a report."""

import shlex
import sys
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import device_options, existing_file, model_options
from bench.errors import ExitCode
from bench.units import seconds

if TYPE_CHECKING:
    from bench.cli.display import Live, PlainLines
    from bench.hardware.device import Device
    from bench.records.schema import Record
    from bench.run.campaign import Ending
    from bench.run.plan import Plan, Wishes

_ROUGH = "a rough guide: half or twice as long is possible"


@click.command(short_help="Measure a suite on this machine.")
@click.option(
    "--suite", metavar="NAME|FILE", help="Default: standard with --gpu, quick on a GPU, smoke on the CPU."
)
@device_options
@model_options
@click.option("--engine", type=click.Choice(["native"]), default="native", help="What runs the model.")
@click.option(
    "--profile", type=click.Choice(["faithful", "lean"]), help="faithful: as upstream runs the model."
)
@click.option("--clip-seconds", metavar="L", help="Clip lengths in place of the suite's, such as 5,30,60.")
@click.option("--max-tokens", metavar="L", help="Answer lengths in place of the suite's, such as 128,512.")
@click.option("--attention", metavar="L", help="eager, sdpa, flash_attention_2: a comma list.")
@click.option("--audio", metavar="FILE", help="Your own clip (wav, flac, mp3, ogg), cut or looped to length.")
@click.option("--repeats", type=int, metavar="N", help="Timed generations per cell.")
@click.option(
    "--isolate", type=click.Choice(["group", "cell"]), default="group", help="cell: a process per cell."
)
@click.option("--no-prune", is_flag=True, help="Also run cells larger than one that ran out of memory.")
@click.option("--out", metavar="DIR", help="Records and reports go there. Default: results/ and reports/.")
@click.option("--resume", metavar="RECORD", help="Finish an interrupted run.")
@click.option("--dry-run", is_flag=True, help="Print the cells and how long they should take.")
def run(**given: Any) -> int:
    """Measure a suite: every combination of clip length, max_tokens and attention is one cell.

    Out of memory is a result, not a failure. Each outcome is on disk before the next cell starts, so an
    interrupted run loses the cell in flight at most.

    \b
    Examples:
      bench run
      bench run --gpu rtx-4070
      bench run --suite quick --weights random --clip-seconds 10,60
      bench run --resume results/MOSS-Audio-4B-Instruct/rtx-4070/20260607T201500Z-standard-1f2e3d4c5b6a.json
    """
    from bench.records.journal import read_progress
    from bench.run.plan import make_plan, resumed

    wishes = _wishes(given)
    earlier = None
    if given["resume"] is not None:
        path = Path(given["resume"])
        earlier = (path, read_progress(path))
        wishes = resumed(wishes, earlier[1].header, path)
    plan = make_plan(wishes, _choose)
    if given["dry_run"]:
        _print_plan(plan)
        return ExitCode.DONE
    ending = _run(plan, given, earlier)
    _print_ending(ending, given["out"])
    return _exit_code(ending)


def _wishes(given: dict[str, Any]) -> "Wishes":
    from bench.overrides import parse_attention_list, parse_int_list, parse_seconds_list
    from bench.records.schema import Profile
    from bench.run.plan import Wishes

    return Wishes(
        suite=given["suite"],
        gpu=given["gpu"],
        device=given["device"],
        model=given["model"],
        revision=given["revision"],
        weights=given["weights"],
        profile=Profile(given["profile"]) if given["profile"] else None,
        clip_seconds=parse_seconds_list(given["clip_seconds"]) if given["clip_seconds"] else None,
        max_tokens=parse_int_list(given["max_tokens"]) if given["max_tokens"] else None,
        attention=parse_attention_list(given["attention"]) if given["attention"] else None,
        repeats=given["repeats"],
        audio=existing_file(given["audio"], "--audio"),
    )


def _choose(found: "tuple[Device, ...]") -> "Device":
    from bench.run.plan import refuse_to_choose

    if not sys.stdin.isatty():
        return refuse_to_choose(found)
    for number, gpu in enumerate(found, start=1):
        click.echo(f"{number}  {gpu.slug}  {gpu.name}", err=True)
    answer: int = click.prompt("Which GPU", type=click.IntRange(1, len(found)), err=True)
    return found[answer - 1]


def _print_plan(plan: "Plan") -> None:
    from bench.cli.display import name_of
    from bench.run.estimate import cell_s, pace, run_s

    rates = pace(plan.device.kind, plan.suite.model)
    for cell in plan.cells:
        click.echo(
            f"{cell.cell_id}  {name_of(cell)}  about {seconds(cell_s(cell, plan.suite.measure, rates))}"
        )
    total = seconds(run_s(plan.cells, plan.suite.measure, rates))
    click.echo(
        f"{len(plan.cells)} cells of {plan.suite.name} on {plan.device.name} "
        f"with {plan.origin.weight_mode} weights: about {total} ({_ROUGH})"
    )


def _run(plan: "Plan", given: dict[str, Any], earlier: Any) -> "Ending":
    from bench.cli.downloads import DownloadLine, confirm
    from bench.run import campaign
    from bench.run.fetch import fetch
    from bench.run.session import Rules

    weights = fetch(plan.origin, partial(confirm, given["yes"]), DownloadLine())
    rules = Rules(plan.suite.measure, isolate=given["isolate"], prune=not given["no_prune"])
    place = campaign.Place(Path(given["out"] or "results"), earlier)
    with _display(plan) as listener:
        return campaign.run(plan, weights, rules, place, listener)


def _display(plan: "Plan") -> "AbstractContextManager[Live | PlainLines]":
    from rich.console import Console

    from bench.cli.display import Live, PlainLines, Remaining
    from bench.run.estimate import cell_s, pace

    rates = pace(plan.device.kind, plan.suite.model)
    remaining = Remaining({cell.cell_id: cell_s(cell, plan.suite.measure, rates) for cell in plan.cells})
    console = Console(stderr=True)
    return Live(remaining, console) if console.is_terminal else PlainLines(remaining)


def _print_ending(ending: "Ending", out: str | None) -> None:
    from bench.report.bundle import write_reports
    from bench.report.interface import Format

    _print_table(ending.record)
    click.echo(f"record  {ending.path}")
    if ending.signal_number is not None:
        words = [word for word in sys.argv[1:] if word != "--resume"]
        if "--resume" in sys.argv:
            words.remove(sys.argv[sys.argv.index("--resume") + 1])
        command = shlex.join(["bench", *words, "--resume", str(ending.path)])
        click.echo(f"interrupted; finish it with\n  {command}")
        return
    folder = ending.path.parent if out else Path("reports", *ending.path.parent.parts[-2:])
    for path in write_reports(ending.record, folder, (Format.HTML,), ending.path.stem):
        click.echo(f"report  {path}")


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


def _exit_code(ending: "Ending") -> int:
    if ending.signal_number is not None:
        return 128 + ending.signal_number
    return ExitCode.CELLS_FAILED if _has_failures(ending.record) else ExitCode.DONE


def _has_failures(record: "Record") -> bool:
    return any(cell.outcome.status in {"failed", "timeout"} for cell in record.cells)
