"""`bench plan`: how much memory every cell of a suite needs on a card that need not be here."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bench.cli.answer_output import verbose_option
from bench.cli.command import Command
from bench.cli.options import (
    FILE,
    axis_options,
    planned_device_options,
    profile_option,
    run_options,
    shape_options,
    suite_names,
    system_options,
)
from bench.cli.streams import echo
from bench.errors import UsageError
from bench.store import naming
from bench.text import printable_json
from bench.wording.labels import SYSTEMS

if TYPE_CHECKING:
    from bench.hardware.budget import BudgetKind
    from bench.predict.planner import Planner, PlanRequest
    from bench.predict.target import Target
    from bench.records.enums import OperatingSystem
    from bench.records.prediction import PlannedSystem
    from bench.records.record import Record

    MakePlanner = Callable[[Callable[[str], None]], Planner]
    """Makes the planner with a function that receives its progress messages."""

Form = Literal["table", "json"]


@click.command(cls=Command, short_help="Predict what fits, without a GPU.")
@click.option(
    "--suite",
    metavar="NAME|FILE",
    shell_complete=suite_names,
    default="standard",
    show_default=True,
    help="Suite whose cells are predicted.",
)
@planned_device_options
@system_options
@shape_options
@profile_option
@axis_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Printed form of the result.",
)
@verbose_option
@click.option("--no-cache", is_flag=True, help="Trace again what an earlier plan traced, and keep nothing.")
@click.option(
    "--out", metavar="DIR", type=FILE, help="Write records, and their pages, to DIR/<model>/<device>/."
)
def plan(
    *,
    gpus: tuple[str, ...],
    any_gpu: bool,
    headless: bool,
    desktop: bool,
    desktop_uses: int | None,
    catalog_only: bool,
    system: "OperatingSystem | None",
    torch: str | None,
    form: Form,
    verbose: bool,
    no_cache: bool,
    out: Path | None,
    **given: Any,
) -> None:
    """Predict the memory that each cell of a suite needs, from the network itself: no GPU, no weights.

    A cell fits, likely fits (by typical figures, no probability), probably does not, or does not fit. For
    several clip lengths the longest clip of each is searched. Measured records of the same model and card
    below results/ (or --out) are compared with the prediction. Nothing is written without --out.

    Windows and WSL2 always have a desktop; what does not fit is moved to system memory, and the run is slow.
    Before torch 2.14 Windows runs the math kernel, whose memory grows with the square of the clip; --profile
    lean avoids it. On macOS the plan is for Linux.

    For a card of this machine the budget is what its driver reports now: total, reserve, and what is in use,
    which counts as the desktop; --headless leaves that out. --catalog and another --os use the catalog.

    docs/predictions.md states accuracy and JSON: a record, {"records": [...]}, or a survey (--any-gpu).

    \b
    Examples:
      bench plan --gpu rtx-4070
      bench plan --gpu rtx-4070 --gpu rtx-5060-ti-16gb --headless
      bench plan --gpu rtx-4070 --profile lean --clip-seconds 60,120
      bench plan --gpu rtx-4070 --desktop-uses 700MiB
      bench plan --gpu rtx-4070 --os windows --torch 2.13
      bench plan --clip-seconds 300 --max-tokens 1024 --any-gpu
      bench plan --gpu rtx-4090 --model MOSS-Audio-8B-Instruct --out results
    """
    from bench.cli.downloads import show_note
    from bench.predict.planned_system import notes, planned_system
    from bench.predict.planner import Planner, plan_request
    from bench.predict.target import targets
    from bench.predict.terms_cache import user_cache

    of_system = {"--os": system, "--torch": torch, "--desktop-uses": desktop_uses}
    _refuse_for_cpu(gpus, [option for option, value in of_system.items() if value is not None])
    _refuse_pair("--headless", headless, "--desktop-uses", desktop_uses is not None)
    planned = planned_system(system, torch)
    budget = _budget(headless, desktop, planned)
    _refuse_pair("--any-gpu", any_gpu, "--gpu" if gpus else "--out", bool(gpus or out))
    planned_for = () if any_gpu else targets(gpus, planned, catalog_only=catalog_only)
    chosen = plan_request(run_options({"gpu": None, "device": None, **given}))
    of_source = () if chosen.source.note is None else (chosen.source.note,)
    of_cards = (note for target in planned_for for note in target.notes)
    for note in (*of_source, *notes(planned, is_given=system is not None), *of_cards):
        show_note(note)
    cache = None if no_cache else user_cache(chosen.source)

    def planner(report: Callable[[str], None]) -> Planner:
        return Planner(chosen, budget, report, cache, desktop_bytes=desktop_uses)

    if any_gpu:
        _survey(planner, chosen, planned, form)
    else:
        _plan(planner, chosen, planned_for, form, out, verbose=verbose)


def _refuse_for_cpu(gpus: tuple[str, ...], options: list[str]) -> None:
    from bench.predict.target import CPU

    if set(gpus) == {CPU} and options:
        raise UsageError(f"{options[0]} says nothing about a CPU", hint="Leave it out")


def _refuse_pair(option: str, is_given: bool, other: str, other_is_given: bool) -> None:
    if is_given and other_is_given:
        raise UsageError(f"{option} and {other} are both given", hint="Use one of them")


def _budget(headless: bool, desktop: bool, system: "PlannedSystem") -> "BudgetKind | None":
    if headless and desktop:
        raise UsageError("--headless and --desktop are both given", hint="Leave both out to see both")
    from bench.hardware.budget import has_wddm

    if headless and has_wddm(system.os):
        raise UsageError(
            f"--headless: {SYSTEMS[system.os]} always has a desktop", hint="Leave it out, or add --os linux"
        )
    if has_wddm(system.os):
        return "desktop"
    return "headless" if headless else "desktop" if desktop else None


def _survey(planner: "MakePlanner", chosen: "PlanRequest", system: "PlannedSystem", form: Form) -> None:
    from bench.cli.plan_output import print_survey, progress
    from bench.predict.survey import survey

    with progress() as report:
        found = survey(planner(report), system)
    if form == "json":
        click.echo(found.model_dump_json(indent=2))
    else:
        print_survey(found, chosen)


def _plan(
    planner: "MakePlanner",
    chosen: "PlanRequest",
    planned_for: "tuple[Target, ...]",
    form: Form,
    out: Path | None,
    *,
    verbose: bool,
) -> None:
    from bench.cli.plan_output import print_records, progress, records_json
    from bench.store.record_files import require_writable

    if out is not None:
        require_writable(out)
        require_writable(out / chosen.source.origin.name)
    from bench.store.cycles import without_search_for_cycles

    with progress() as report, without_search_for_cycles():
        made = planner(report)
        records = [_record(made, target, chosen, out) for target in planned_for]
    if form == "json":
        click.echo(printable_json(records_json(records)), nl=False)
    else:
        print_records(records, verbose=verbose)
    # Last, so that a full disk does not affect the printed output.
    if out is not None:
        for path in (path for record in records for path in _written(record, out)):
            echo(path, err=form == "json")


def _record(planner: "Planner", target: "Target", chosen: "PlanRequest", out: Path | None) -> "Record":
    from bench.store.record_files import measured_records

    model = chosen.source.origin.name
    measured, notes = measured_records(out or naming.RESULTS, model, target.info.slug)
    for note in notes:
        echo(note, err=True)
    return planner.record(target, measured)


def _written(record: "Record", out: Path) -> tuple[Path, ...]:
    """Write the record and its page next to it."""
    from bench.predict.planner import record_path
    from bench.report.files import write_reports
    from bench.report.view import view_of
    from bench.store.record_files import write_record

    path = record_path(record, out)
    write_record(record, path)
    return (path, *write_reports(view_of(record), path.parent, ("html",), path.stem))
