"""`bench plan`: how much memory every cell of a suite needs on a card that need not be here."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

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
    help="Whose cells.",
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
    help="What is printed.",
)
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
    no_cache: bool,
    out: Path | None,
    **given: Any,
) -> None:
    """Predict the memory that each cell of a suite needs, from the network itself: no GPU, no weights.

    Cells, records and reports are those of `bench run` (default suite: standard), with the provenance
    `derived`. What differs between machines is a range. A cell fits for certain, likely fits (by typical
    figures, no probability), probably does not, or does not fit. A plan of several clip lengths searches the
    longest clip for each: every length that is named was predicted; what fits may reach a few seconds
    further. Measured records of the same model and card
    below results/ (or --out) are held against the prediction. Nothing is written without --out.

    Windows builds of torch lack the flash kernel of SDPA. Before 2.14 the math kernel takes its place, whose
    memory grows with the square of the clip; --profile lean avoids it. Under Windows and in WSL2 there is
    always a desktop, so that no headless budget exists, and what does not fit is moved to system memory: the
    run is slow instead of ending. WSL2 has the kernels of Linux. On macOS the plan is for Linux.

    For a card of this machine the budget is what its driver reports now: total, reserve, and what is in use,
    which counts as the desktop; --headless leaves that out. --catalog and another --os use the catalog.

    \b
    JSON on standard output:
      one card       its record (docs/record.md)
      several cards  {"records": [...]}
      --any-gpu      {"smallest_headless": SLUG or null,
                     "smallest_headless_likely", "smallest_desktop",
                     "smallest_desktop_likely", "os", "torch",
                     "cards": [{"slug", "name", "memory_total_bytes",
                     "verdict", "why", "headless_likely", "desktop_likely",
                     "device_peak_bytes", "attention_kernels"}]};
                     --headless and --desktop leave out the other smallest,
                     and so does a system that always has a desktop

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
    from bench.predict.target import CPU, targets
    from bench.predict.terms_cache import user_cache

    if gpus and set(gpus) == {CPU} and (system or torch or desktop_uses is not None):
        option = "--os" if system else "--torch" if torch else "--desktop-uses"
        raise UsageError(f"{option} says nothing about a CPU", hint="Leave it out")
    if headless and desktop_uses is not None:
        raise UsageError("--headless and --desktop-uses are both given", hint="Use one of them")
    planned = planned_system(system, torch)
    budget = _budget(headless, desktop, planned)
    if any_gpu and (gpus or out):
        raise UsageError(
            f"--any-gpu and {'--gpu' if gpus else '--out'} are both given", hint="Use one of them"
        )
    planned_for = () if any_gpu else targets(gpus, planned, catalog_only=catalog_only)
    chosen = plan_request(run_options({"gpu": None, "device": None, **given}))
    if chosen.source.note is not None:
        show_note(chosen.source.note)
    for note in (
        *notes(planned, is_given=system is not None),
        *(note for target in planned_for for note in target.notes),
    ):
        show_note(note)
    cache = None if no_cache else user_cache(chosen.source)

    def planner(report: Callable[[str], None]) -> Planner:
        return Planner(chosen, budget, report, cache, desktop_bytes=desktop_uses)

    if any_gpu:
        _survey(planner, chosen, planned, budget, form)
    else:
        _plan(planner, chosen, planned_for, form, out)


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


def _survey(
    planner: "MakePlanner",
    chosen: "PlanRequest",
    system: "PlannedSystem",
    budget: "BudgetKind | None",
    form: Form,
) -> None:
    from bench.cli.plan_output import print_survey, progress, survey_json
    from bench.predict.planner import survey

    with progress() as report:
        found = survey(planner(report), system)
    if form == "json":
        click.echo(survey_json(found, system, budget))
    else:
        print_survey(found, chosen, system, budget)


def _plan(
    planner: "MakePlanner",
    chosen: "PlanRequest",
    planned_for: "tuple[Target, ...]",
    form: Form,
    out: Path | None,
) -> None:
    from bench.cli.plan_output import print_records, progress, records_json
    from bench.store.record_files import require_writable

    if out is not None:
        require_writable(out)
        require_writable(out / chosen.source.origin.name)
    from bench.store.record_files import without_search_for_cycles

    with progress() as report, without_search_for_cycles():
        made = planner(report)
        records = [_record(made, target, chosen, out) for target in planned_for]
    if form == "json":
        click.echo(printable_json(records_json(records)), nl=False)
    else:
        print_records(records)
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
