"""`bench frontier`: the longest clip that fits, found by bisection."""

from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.command import ModelCommand
from bench.cli.options import (
    accept_cpu,
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
    time_budget_option,
)
from bench.cli.streams import echo
from bench.errors import ExitCode, UsageError
from bench.store import naming
from bench.units import clip_length

if TYPE_CHECKING:
    from bench.run.frontier import Finder
    from bench.run.run_spec import Plan
    from bench.run.runner import RunResult
    from bench.run.session import RunPolicy


def _max_clip(_context: click.Context, _option: click.Parameter, text: str | None) -> float:
    """Return the longest clip to try, down to the step of the search."""
    from bench.judge.bisection import STEP_S
    from bench.suite.suite import MAX_CLIP_S

    try:
        length_s = MAX_CLIP_S if text is None else float(text)
    except ValueError:
        length_s = nan
    if text is not None and not STEP_S <= length_s <= MAX_CLIP_S:
        raise UsageError(f"--max-clip: '{text[:40]}' is not between {STEP_S:g} and {MAX_CLIP_S:g} seconds")
    return length_s // STEP_S * STEP_S


@click.command(cls=ModelCommand, short_help="Find the longest clip that fits.")
@suite_option
@device_options
@model_options
@profile_option
@line_options
@audio_option
@emulation_option
@click.option(
    "--max-clip", metavar="SECONDS", callback=_max_clip, help="Longest clip to try. Default: no limit."
)
@time_budget_option
@click.option(
    "--retry-failed", is_flag=True, help="Try clips again that failed or timed out in earlier records."
)
@out_option
@click.option(
    "--dry-run", is_flag=True, help="Print the known limits and the most probes that are left, and exit."
)
def frontier(
    *,
    max_clip: float,
    time_budget: float | None,
    retry_failed: bool,
    out: Path | None,
    dry_run: bool,
    yes: bool,
    **given: Any,
) -> int:
    """Find the longest clip that fits, within 5 s, for each max_tokens and attention.

    The search starts from earlier records of this model and device: the longest clip that fits and the
    shortest that does not. Each probe is an ordinary cell of a record. After an interruption, run the same
    command again.

    A clip that timed out or failed ends its search: longer clips stay unknown. The exit code is 4 when a
    probe failed or timed out in this call, when one failed earlier, or when no clip is known to fit.
    --retry-failed tries such clips again, and so does a longer cell_limit_s in the suite.

    At the end of --time-budget the limits found so far are printed. The same command continues the search.

    \b
    Examples:
      bench frontier --gpu rtx-4070
      bench frontier --suite quick --weights random --max-tokens 512
      bench frontier --gpu rtx-4090 --emulate-vram 12282MiB
    """
    from bench.cli.downloads import show_note
    from bench.cli.frontier_output import print_known, print_limits, print_search
    from bench.cli.run_output import print_cpu_consent, print_notes
    from bench.run.fetch import check
    from bench.run.frontier import Finder, frontier_plan
    from bench.run.prior_results import prior_results
    from bench.run.run_spec import support
    from bench.run.session import RunPolicy

    plan, lines = frontier_plan(run_options(given), choose_gpu, is_dry=dry_run)
    print_notes(plan)
    asked = [line.asked for line in lines]
    earlier = prior_results(plan, out or naming.RESULTS, asked, retry_failed=retry_failed)
    print_known(earlier)
    finder = Finder(lines, earlier.results, min(plan.suite.axes.clip_seconds), support(plan), max_clip)
    if dry_run:
        check(plan.origin, show_note)
        print_search(plan, finder.limits())
        print_cpu_consent(plan)
        return ExitCode.DONE
    if finder.is_done():
        print_limits(plan, finder)
        return _nothing_to_run(finder, max_clip)
    return _search(plan, finder, RunPolicy(prune=False, time_budget_s=time_budget), out, yes)


def _nothing_to_run(finder: "Finder", max_clip_s: float) -> int:
    """Print that no probe is left. Return 4 if a probe failed, or if one timed out and nothing fits."""
    ends = [found for found in finder.limits() if found.undecided is not None]
    what = "every limit is known as far as it can be" if ends else "every limit is known from earlier records"
    if any(found.is_cut for found in finder.limits()):
        what = f"no clip up to {clip_length(max_clip_s)} is left to try"
    click.echo(f"{what}: nothing was run")
    is_answered = all(
        found.search.fits_s is not None and found.undecided.outcome.status != "failed"
        for found in ends
        if found.undecided is not None
    )
    return ExitCode.DONE if is_answered else ExitCode.CELLS_FAILED


def _search(plan: "Plan", finder: "Finder", policy: "RunPolicy", out: Path | None, yes: bool) -> int:
    from bench.cli.frontier_output import print_limits
    from bench.cli.run_output import exit_code
    from bench.run.isolation import Stopped
    from bench.run.signals import undisturbed

    try:
        result = _run(plan, finder, policy, out or naming.RESULTS, yes)
    except Stopped as stopped:
        return _stopped_early(stopped.signal_number)
    if not result.record.cells:
        result.path.unlink()  # a record without cells
        if result.signal_number is not None:
            return _stopped_early(result.signal_number)
        print_limits(plan, finder)
        click.echo("no probe had ended at twice the time budget: give a longer one")
        return ExitCode.DONE
    with undisturbed(result.signal_number):
        _print_result(plan, finder, result, out)
    return exit_code(result)


def _stopped_early(signal_number: int) -> int:
    click.echo("bench: stopped before the first probe had ended; run the same command again", err=True)
    return 128 + signal_number


def _run(plan: "Plan", finder: "Finder", policy: "RunPolicy", out: Path, yes: bool) -> "RunResult":
    from bench.cli.display import probe_display
    from bench.cli.downloads import fetched
    from bench.cli.run_output import kernel_announcer
    from bench.run import runner

    location = runner.OutputLocation(out)
    plan = accept_cpu(plan)
    for note in runner.check(plan, location):
        echo(note, err=True)
    runs = any(found.unsupported is None for found in finder.limits())
    weights = fetched(plan, yes) if runs or runner.needs_weights(plan, location) else runner.Weights()
    with probe_display(plan) as listener:
        return runner.run(
            plan,
            weights,
            policy,
            location,
            listener,
            sweep=lambda session, journal, _: finder.sweep(session, journal, listener),
            announce=kernel_announcer(plan, [found.line.asked for found in finder.limits()], listener.say),
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
        echo(f"record  {result.path}")
    for path in report:
        echo(f"report  {path}")
    if result.signal_number is not None:
        click.echo("interrupted; the same command goes on from this record")
