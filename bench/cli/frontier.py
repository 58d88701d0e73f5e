"""`bench frontier`: the longest clip that fits, found by bisection."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import (
    audio_option,
    choose_gpu,
    device_options,
    emulation_option,
    line_options,
    model_options,
    out_option,
    profile_option,
    run_options,
    suite_option,
)
from bench.errors import ExitCode
from bench.store import naming

if TYPE_CHECKING:
    from bench.run.frontier import Finder
    from bench.run.run_spec import Plan
    from bench.run.runner import RunResult


@click.command(short_help="Find the longest clip that fits.")
@suite_option
@device_options
@model_options
@profile_option
@line_options
@audio_option
@emulation_option
@out_option
@click.option("--dry-run", is_flag=True, help="Print what is known, and how many probes are left at most.")
def frontier(*, out: Path | None, dry_run: bool, yes: bool, **given: Any) -> int:
    """Find the longest clip that fits, for each max_tokens and attention, to 5 s.

    It starts from what earlier records of this model and device know: the longest clip that fits and the
    shortest that does not. Each probe is a cell of a record like any other. Run it again to go on after an
    interruption.

    \b
    Examples:
      bench frontier --gpu rtx-4070
      bench frontier --suite quick --weights random --max-tokens 512
      bench frontier --gpu rtx-4090 --emulate-vram 12282MiB
    """
    from bench.cli.frontier_output import print_known, print_limits, print_search
    from bench.cli.run_output import print_notes
    from bench.run.frontier import Finder, frontier_plan
    from bench.run.prior_results import prior_results
    from bench.run.run_spec import support

    plan, lines = frontier_plan(run_options(given), choose_gpu)
    print_notes(plan)
    earlier = prior_results(plan, out or naming.RESULTS, [line.asked for line in lines])
    print_known(earlier)
    finder = Finder(lines, earlier.results, min(plan.suite.axes.clip_seconds), support(plan))
    if dry_run:
        print_search(plan, finder.limits())
        return ExitCode.DONE
    if finder.is_done():
        print_limits(plan, finder)
        click.echo("every limit is known from earlier records: nothing was run")
        return ExitCode.DONE
    return _search(plan, finder, out, yes)


def _search(plan: "Plan", finder: "Finder", out: Path | None, yes: bool) -> int:
    from bench.cli.run_output import exit_code
    from bench.run.isolation import Stopped

    try:
        result = _run(plan, finder, out or naming.RESULTS, yes)
    except Stopped as stopped:
        return _stopped_early(stopped.signal_number)
    if result.signal_number is not None and not result.record.cells:
        result.path.unlink()  # a record without cells
        return _stopped_early(result.signal_number)
    _print_result(plan, finder, result, out)
    return exit_code(result)


def _stopped_early(signal_number: int) -> int:
    click.echo("bench: stopped before the first probe had ended; run the same command again", err=True)
    return 128 + signal_number


def _run(plan: "Plan", finder: "Finder", out: Path, yes: bool) -> "RunResult":
    from bench.cli.display import probe_display
    from bench.cli.downloads import fetched
    from bench.run import runner
    from bench.run.session import RunPolicy

    location = runner.OutputLocation(out)
    runner.check(plan, location)
    runs = any(found.unsupported is None for found in finder.limits())
    weights = fetched(plan, yes) if runs or runner.needs_weights(plan, location) else runner.Weights()
    with probe_display(plan) as listener:
        return runner.run(
            plan,
            weights,
            RunPolicy(prune=False),
            location,
            listener,
            sweep=lambda session, journal, _: finder.sweep(session, journal, listener),
        )


def _print_result(plan: "Plan", finder: "Finder", result: "RunResult", out: Path | None) -> None:
    from bench.cli.frontier_output import print_limits
    from bench.cli.run_output import view_of_run, write_report

    report: tuple[Path, ...] = ()
    try:
        if result.signal_number is None:
            report = write_report(view_of_run(result), result.path, out)
    finally:  # the record exists even if the report cannot be written
        print_limits(plan, finder)
        click.echo(f"record  {result.path}")
    for path in report:
        click.echo(f"report  {path}")
    if result.signal_number is not None:
        click.echo("interrupted; the same command goes on from this record")
