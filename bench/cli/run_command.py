"""`bench run`: a suite on this machine, to a record and a report."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bench.cli.answer_output import verbose_option
from bench.cli.challenge_option import ChallengeSource
from bench.cli.command import ModelCommand
from bench.cli.options import (
    FILE,
    accept_cpu,
    audio_option,
    axis_options,
    choose_gpu,
    device_options,
    emulation_option,
    engine_option,
    model_options,
    out_option,
    profile_option,
    run_options,
    suite_option,
    time_budget_option,
)
from bench.cli.streams import echo, has_person
from bench.errors import ExitCode, StorageError, UsageError
from bench.store import naming

if TYPE_CHECKING:
    from bench.cli.run_output import ResumeCommand, RunSummary
    from bench.run.run_spec import Plan, RunOptions
    from bench.run.runner import OutputLocation, RunResult
    from bench.run.session import RunPolicy
    from bench.store.journal import Resumed


@click.command(cls=ModelCommand, short_help="Measure a suite on this machine.")
@suite_option
@device_options
@model_options
@engine_option
@profile_option
@axis_options
@audio_option
@emulation_option
@click.option("--repeats", type=int, metavar="N", help="Timed generations per cell. Default: the suite's.")
@click.option(
    "--isolate",
    type=click.Choice(["group", "cell"]),
    default="group",
    show_default=True,
    help="group: one process for all cells that use the same loaded model. cell: one process per cell.",
)
@click.option(
    "--no-prune",
    is_flag=True,
    help="Run also cells that are larger than one that ran out of memory. Default: skip them.",
)
@time_budget_option
@out_option
@click.option(
    "--resume", metavar="RECORD", type=FILE, help="Finish the interrupted run of this record or journal."
)
@click.option("--retry-failed", is_flag=True, help="With --resume: run failed and timed-out cells again.")
@click.option(
    "--discard-unfinished",
    is_flag=True,
    help="Remove the journals of interrupted runs of this suite, then run.",
)
@click.option("--dry-run", is_flag=True, help="Print the cells and the estimated time, and exit.")
@click.option(
    "--challenge",
    metavar="URL|RECORD",
    help="Site that issues a nonce, which shows that the record was made after it; or a record whose answer "
    "to a nonce this run checks. Default: none.",
)
@verbose_option
@click.option(
    "--ci",
    is_flag=True,
    help="For build servers: ask nothing, print plain lines, write JUnit XML and a summary.",
)
def run(
    *,
    isolate: Literal["group", "cell"],
    no_prune: bool,
    time_budget: float | None,
    out: Path | None,
    resume: Path | None,
    retry_failed: bool,
    discard_unfinished: bool,
    dry_run: bool,
    challenge: str | None,
    verbose: bool,
    ci: bool,
    yes: bool,
    **given: Any,
) -> int:
    """Measure a suite: every combination of clip length, max_tokens and attention is one cell.

    Out of memory is a result, not a failure. Each outcome is on disk before the next cell starts: an
    interrupted run loses at most the running cell. An expectation of the suite that is not met gives exit
    code 1.

    With --time-budget the first cell always starts. Cells without time left are skipped, and the exit code
    is 0. The run prints the command that runs them.

    A cell that failed or timed out gives exit code 4. --resume --retry-failed runs such cells again; the
    record keeps both attempts.

    A killed run leaves a journal with its results. --discard-unfinished lists the journals of this suite,
    model and device, asks on a terminal (not with --yes), removes them, and runs.

    With --challenge the model answers, after the cells, about an excerpt that the nonce of a site chooses.
    The nonce and the answer are in the record. bench submit signs them with it.

    --ci asks nothing and prints no colours. It writes JUnit XML and a Markdown summary next to the record and
    annotations for GitHub; the last line of standard output is JSON.

    \b
    Examples:
      bench run
      bench run --gpu rtx-4070
      bench run --ci --yes --suite ./mine.toml
      bench run --suite quick --weights random --clip-seconds 10,60
      bench run --challenge https://results.example.org
      bench run --resume results/20260607T201500Z-standard-1f2e3d4c5b6a.json
    """
    from bench.run.session import RunPolicy

    if retry_failed and resume is None:
        raise UsageError("--retry-failed needs --resume", hint="Add --resume RECORD")
    if discard_unfinished and resume is not None:
        raise UsageError("--discard-unfinished and --resume exclude each other", hint="Leave one of them out")
    if challenge is not None and resume is not None:
        raise UsageError(
            "--challenge and --resume exclude each other: a nonce is asked for before a run begins",
            hint="Leave --challenge out: a resumed run keeps its own",
        )
    policy = RunPolicy(isolate=isolate, prune=not no_prune, time_budget_s=time_budget)
    files = _Files(
        out,
        resume,
        None if challenge is None else ChallengeSource.of(challenge),
        retry_failed=retry_failed,
        discard_unfinished=discard_unfinished,
        verbose=verbose,
    )
    if not ci:
        return _run(given, policy, files, yes=yes, dry_run=dry_run)[0]
    if dry_run:
        raise UsageError(
            "--ci and --dry-run exclude each other: a dry run has no result", hint="Leave one of them out"
        )
    from bench.cli.ci import run_in_ci

    return run_in_ci(lambda: _run(given, policy, files, yes=yes, ci=True))


@dataclass(frozen=True)
class _Files:
    """The options about records, journals and the challenge, and whether all of a record is printed."""

    out: Path | None
    resume: Path | None
    challenge: ChallengeSource | None
    retry_failed: bool
    discard_unfinished: bool
    verbose: bool


def _run(
    given: dict[str, Any],
    policy: "RunPolicy",
    files: _Files,
    *,
    yes: bool,
    ci: bool = False,
    dry_run: bool = False,
) -> "tuple[int, RunSummary | None]":
    """Return the exit code and the run; None if nothing was run."""
    from bench.cli.run_output import ResumeCommand
    from bench.store.journal import resuming

    if files.resume is None:
        return _run_the_rest(given, policy, None, files, yes=yes, ci=ci, dry_run=dry_run)
    with resuming(files.resume, retry_failed=files.retry_failed) as earlier:
        if earlier.progress.header.frontier_step_s is not None:
            return _seal_search(earlier.path), None
        if earlier.is_finished:
            return _nothing_left(earlier, ResumeCommand.of(given, policy, out=files.out), files, ci=ci)
        return _run_the_rest(given, policy, earlier, files, yes=yes, ci=ci, dry_run=dry_run)


def _run_the_rest(
    given: dict[str, Any],
    policy: "RunPolicy",
    earlier: "Resumed | None",
    files: _Files,
    *,
    yes: bool,
    ci: bool,
    dry_run: bool,
) -> "tuple[int, RunSummary | None]":
    from bench.cli.downloads import show_note
    from bench.cli.run_output import (
        ResumeCommand,
        discard_unfinished,
        exit_code,
        print_notes,
        print_plan,
        print_result,
        print_unfinished,
    )
    from bench.run import runner
    from bench.run.fetch import check
    from bench.run.isolation import Stopped
    from bench.run.runner import OutputLocation
    from bench.run.signals import undisturbed

    plan = _plan(run_options(given), earlier, ci=ci, is_dry=dry_run)
    if files.challenge is not None:
        files.challenge.require_answerable(plan)
    print_notes(plan)
    location = OutputLocation(files.out or naming.RESULTS, earlier)
    if dry_run:
        if runner.needs_weights(plan, location):
            check(plan.origin, show_note)
        print_plan(plan, is_challenged=files.challenge is not None or plan.challenge is not None)
        return ExitCode.DONE, None
    command = ResumeCommand.of(given, policy, out=files.out, plan=plan, retry_failed=files.retry_failed)
    if files.discard_unfinished:
        discard_unfinished(plan, location, ask=not (yes or ci) and has_person())
    elif earlier is None:
        print_unfinished(plan, location, command)
    try:
        result = _run_cells(plan, policy, location, command, files.challenge, yes=yes, ci=ci)
    except Stopped as stopped:
        click.echo("bench: stopped before the first cell; run the same command again", err=True)
        return 128 + stopped.signal_number, None
    with undisturbed(result.signal_number):
        printed = print_result(result, files.out, command, verbose=files.verbose, plain=ci)
    return exit_code(result, printed.cases), printed


def _nothing_left(
    earlier: "Resumed", command: "ResumeCommand", files: _Files, *, ci: bool
) -> "tuple[int, RunSummary | None]":
    """Seal the record if it is not, since the disk refused it or the process was killed before."""
    from bench.cli.run_output import exit_code, print_result
    from bench.run.runner import RunResult
    from bench.store.journal import seal_journal

    journal = naming.journal_of(earlier.path)
    if not journal.exists():
        finished = f"{earlier.path} is finished: every cell has an outcome"
        if not earlier.failed:
            echo(f"{finished}, and nothing is left to run")
            return ExitCode.DONE, None
        again = command.command(earlier.path, retry_failed=True)
        echo(f"{finished}, but {len(earlier.failed)} failed or timed out; run again with\n  {again}")
        return ExitCode.CELLS_FAILED, None
    with _kept(command, journal):
        record, path = seal_journal(journal)
    result = RunResult(record, path, None)
    printed = print_result(result, files.out, command, verbose=files.verbose, plain=ci)
    return exit_code(result, printed.cases), printed


@contextmanager
def _kept(command: "ResumeCommand", journal: Path) -> Iterator[None]:
    """Add the command that goes on from the journal to the error of a disk."""
    try:
        yield
    except StorageError as error:
        hint = f"{error.step}, then: {command.command(journal)}"
        raise StorageError(error.message, hint=hint) from error


def _seal_search(path: Path) -> int:
    """Seal the journal of a search, which has no planned cells to resume, and return the exit code."""
    from bench.store.journal import seal_journal

    journal = naming.journal_of(path)
    if journal.exists():
        path = seal_journal(journal)[1]
    echo(f"record  {path}\na search goes on from its records: give its `bench frontier` command again")
    return ExitCode.DONE


def _plan(options: "RunOptions", earlier: "Resumed | None", *, ci: bool, is_dry: bool) -> "Plan":
    from bench.run.resumed_plan import resumed
    from bench.run.run_spec import make_plan, refuse_to_choose

    if earlier is not None:
        options = resumed(options, earlier.progress.header, earlier.path)
    plan = make_plan(options, refuse_to_choose if ci else choose_gpu, is_dry=is_dry)
    return plan if earlier is None else replace(plan, challenge=earlier.progress.header.challenge)


def _run_cells(
    plan: "Plan",
    policy: "RunPolicy",
    location: "OutputLocation",
    command: "ResumeCommand",
    challenge: ChallengeSource | None,
    *,
    yes: bool,
    ci: bool,
) -> "RunResult":
    from bench.cli.display import display
    from bench.cli.downloads import fetched
    from bench.cli.run_output import kernel_announcer
    from bench.run import runner

    plan = plan if ci else accept_cpu(plan)
    for note in runner.check(plan, location):
        echo(note, err=True)
    plan = plan if challenge is None else challenge.into(plan)
    needed = runner.needs_weights(plan, location)
    weights = fetched(plan, yes, ci=ci) if needed else runner.Weights()
    done = {cell.cell_id for cell in location.resumed.kept} if location.resumed else set()
    try:
        with display(plan, done, plain=ci) as listener:
            announce = kernel_announcer(plan, [cell.requested for cell in plan.cells], listener.say)
            return runner.run(plan, weights, policy, location, listener, announce=announce)
    except runner.JournalKeptError as error:
        with _kept(command, error.path):
            raise
