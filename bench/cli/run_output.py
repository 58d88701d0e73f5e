"""The output of `bench run` before and after the cells."""

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import click

from bench.cli.answer_output import print_view
from bench.cli.challenge_output import challenge_lines, destination
from bench.cli.streams import echo
from bench.errors import ExitCode
from bench.records.enums import Attention
from bench.store import naming
from bench.units import clip_length, seconds
from bench.wording import outcomes
from bench.wording.phrases import plural

if TYPE_CHECKING:
    from bench.records.cell import Requested
    from bench.report.ci.cases import Case
    from bench.report.interface import View
    from bench.run.estimate import Basis, Estimate
    from bench.run.protocol import Hello
    from bench.run.run_spec import Plan
    from bench.run.runner import OutputLocation, RunResult
    from bench.run.session import RunPolicy
    from bench.suite.cells import Cell

_MAX_UNMET = 20
_BASES: "Final[dict[Basis, str]]" = {
    "checked": "a rough guide: half or twice as long is possible",
    "dtype": "a guess: how fast this CPU computes in 16 bits is not known",
    "catalog": "a guess from the card's rates in the catalog, which no run has checked",
}


@dataclass(frozen=True)
class ResumeCommand:
    """The command that finishes an interrupted run; `words` are options that its record does not contain."""

    words: tuple[str, ...]
    retry_failed: bool = False

    @classmethod
    def of(
        cls,
        given: dict[str, Any],
        policy: "RunPolicy",
        *,
        out: Path | None,
        plan: "Plan | None" = None,
        retry_failed: bool = False,
    ) -> Self:
        """Return the command for a run with these options."""
        suite = given["suite"]
        values = {
            "--suite": suite if suite is not None and suite.endswith(".toml") else None,
            "--gpu": given["gpu"],
            "--device": given["device"],
            "--model": given["model"] if plan is None else plan.origin.directory,
            "--audio": given["audio"],
            "--isolate": policy.isolate if policy.isolate != "group" else None,
            "--time-budget": None if policy.time_budget_s is None else f"{policy.time_budget_s:g}s",
            "--out": out,
        }
        words = [word for name, value in values.items() if value is not None for word in (name, str(value))]
        return cls((*words, *([] if policy.prune else ["--no-prune"])), retry_failed)

    def command(self, record: Path, *, retry_failed: bool = False) -> str:
        """Return `bench run --resume RECORD ...`, to be copied into a shell."""
        retry = ["--retry-failed"] if retry_failed or self.retry_failed else []
        return _shell_line(["bench", "run", "--resume", str(record), *retry, *self.words])


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as it was printed. `report` is None if the run was interrupted."""

    result: "RunResult"
    view: "View"
    cases: "tuple[Case, ...]"
    report: Path | None


def print_notes(plan: "Plan") -> None:
    """Print the notes on the device to standard error, each once."""
    from bench.hardware.device import notes

    for note in dict.fromkeys(notes(plan.device)):
        echo(note, err=True)


def print_plan(plan: "Plan", *, is_challenged: bool = False) -> None:
    """Print every cell with its id and estimated time, each reason of unsupported ones once, and the sum.

    `is_challenged`: a challenge is answered after the cells.
    """
    from bench.report.ci.cases import name_of
    from bench.run.plan_estimate import estimate_of
    from bench.run.run_spec import support
    from bench.suite.challenge import ANSWER_TOKENS, CHALLENGE_S

    estimate, unsupported_reason = estimate_of(plan), support(plan)
    unsupported: Counter[str] = Counter()
    running = []
    for cell in plan.cells:
        reason = unsupported_reason(cell.requested)
        if reason is not None:
            unsupported[outcomes.reason(reason)] += 1
            takes = "unsupported"
        else:
            running.append(cell)
            takes = "" if isinstance(estimate, str) else f"about {seconds(estimate.cell_s(cell))}"
        click.echo(f"{cell.cell_id}  {name_of(cell.requested)}  {takes}".rstrip())
    for why, count in unsupported.items():
        click.echo(f"{count} {plural('cell', count)} unsupported: {why}")
    cells = f"{len(plan.cells)} {plural('cell', len(plan.cells))}"
    click.echo(
        f"{cells} of {plan.suite.name} on {plan.device.name} with {plan.origin.weight_mode} weights: "
        f"{_in_all(estimate, running)}"
    )
    if is_challenged:
        click.echo(f"after them the challenge: {clip_length(CHALLENGE_S)}, {ANSWER_TOKENS} tokens, greedy")
    print_cpu_consent(plan)


def print_cpu_consent(plan: "Plan") -> None:
    """Print that a run would ask first, where it would use the CPU because no card was found."""
    from bench.run.cpu_consent import expectation

    if plan.needs_cpu_consent:
        click.echo(f"{expectation(plan)}; a run asks first, and without a terminal it needs --device cpu")


def _in_all(estimate: "Estimate | str", running: "Sequence[Cell]") -> str:
    """Return the estimated time of all cells, and what it rests on."""
    if isinstance(estimate, str):
        return f"no estimate of the time: {estimate}"
    from bench.run.estimate import LONGEST_CHECKED_S

    basis = _BASES[estimate.rates.basis]
    if estimate.rates.basis == "checked" and any(
        cell.requested.clip_seconds > LONGEST_CHECKED_S for cell in running
    ):
        basis = f"a guess: no clip longer than {clip_length(LONGEST_CHECKED_S)} was checked"
    return f"about {seconds(estimate.run_s(running))} ({basis})"


def kernel_announcer(
    plan: "Plan", asked: "Iterable[Requested]", say: Callable[[str], None]
) -> "Callable[[Hello], None]":
    """Return a function that says the attention kernels that will run, each once."""

    def announce(hello: "Hello") -> None:
        from bench.run.run_spec import support

        unsupported_reason = support(plan, flash_attention_problem=hello.flash_attention_problem)
        if hello.torch is None:  # an engine without torch does not say
            return
        words = [*_kernels(plan, hello, [one for one in asked if unsupported_reason(one) is None])]
        if words:
            say(f"attention kernels of the language model: {'; '.join(words)}")

    return announce


def _kernels(plan: "Plan", hello: "Hello", asked: "Sequence[Requested]") -> "Iterable[str]":
    """The kernel of each attention and kind of call, once; of math also its cost for the longest clip."""
    from bench.engines.native.profiles import settings_of
    from bench.packages import version_of
    from bench.wording.kernels import attention

    on_cpu = plan.compute_on == "cpu"
    longest: dict[tuple[Attention, bool], float] = {}
    for one in asked:
        kind = one.attention, settings_of(one.profile).is_grouped(hello.sdpa_kernel)
        longest[kind] = max(one.clip_seconds, longest.get(kind, 0.0))
    for (each, is_grouped), clip_seconds in longest.items():
        words = attention(
            each,
            hello.sdpa_kernel,
            on_cpu=on_cpu,
            has_flash=hello.has_flash_kernels,
            flash_attn=version_of("flash-attn"),
            is_grouped=is_grouped,
        )
        is_math = each is Attention.SDPA and hello.sdpa_kernel == "math" and is_grouped
        yield f"{words}{_cost_of_math(plan, clip_seconds)}" if is_math and not on_cpu else words


def _cost_of_math(plan: "Plan", clip_seconds: float) -> str:
    """`; math takes 4.99 GiB more than a fused kernel ...`; empty where the shapes are not known."""
    from bench.arithmetic.attention import math_extra_bytes
    from bench.engines.support import prompt_positions
    from bench.run.plan_estimate import model_shapes
    from bench.wording.kernels import math_cost

    shapes = model_shapes(plan.origin)
    if shapes is None:
        return ""
    element_bytes = 4 if plan.suite.dtype == "float32" else 2
    extra = math_extra_bytes(shapes.language_config, prompt_positions(clip_seconds), element_bytes)
    return f"; {math_cost([(clip_seconds, extra)])}; bench doctor says what helps"


def print_unfinished(plan: "Plan", location: "OutputLocation", resume: ResumeCommand) -> None:
    """Print a line if an interrupted run of the same suite and model left its journal."""
    from bench.run.runner import unfinished

    journals = unfinished(plan, location)
    if journals:
        more = f" ({len(journals) - 1} older ones are there too)" if len(journals) > 1 else ""
        echo(
            f"an earlier run was cut short{more}; to finish it instead: {resume.command(journals[-1])}\n"
            "to remove what it left: --discard-unfinished",
            err=True,
        )


def discard_unfinished(plan: "Plan", location: "OutputLocation", *, ask: bool) -> None:
    """Remove the journals of interrupted runs of the same suite and model, after a line about each.

    With `ask` a person agrees first if results are in them.

    Raises:
        UsageError: the answer was no.
        StorageError: the disk refused it.
    """
    from bench.errors import RecordError, UsageError
    from bench.run.runner import unfinished
    from bench.store.journal import discard, read_progress

    journals, results = unfinished(plan, location), 0
    for journal in journals:
        try:
            progress = read_progress(journal)
        except RecordError as error:
            click.echo(f"unfinished: {error.message}", err=True)
        else:
            done, begun = len(progress.done), progress.header.created_at
            results += done
            cells = f"{done} of {len(progress.header.plan)} cells done"
            click.echo(f"unfinished: {journal}: {cells}, begun {begun:%Y-%m-%d %H:%M} UTC", err=True)
    question = f"Remove {len(journals)} {plural('journal', len(journals))} with {results} results?"
    if ask and results and not click.confirm(question, default=False, err=True):
        raise UsageError(
            "nothing was removed, and nothing ran",
            hint="To keep the journals, leave --discard-unfinished out",
        )
    for journal in journals:
        discard(journal)
        click.echo(f"removed {journal}", err=True)


def print_result(
    result: "RunResult",
    out: Path | None,
    resume: ResumeCommand,
    *,
    verbose: bool = False,
    plain: bool = False,
) -> RunSummary:
    """Print the answer, expectations, paths, and the command that resumes or submits the run.

    A run with nothing left to do can be submitted. `plain`: there is nobody who could.
    """
    from bench.report.ci.cases import cases_of

    view, cases = view_of_run(result), cases_of(result.record)
    report: tuple[Path, ...] = ()
    try:
        if result.signal_number is None:
            report = write_report(view, result.path, out)
    finally:  # the record exists even if the report cannot be written
        print_view(view, verbose=verbose, plain=plain)
        for line in _expectations(cases):
            echo(line)
        for line in challenge_lines(result.record):
            echo(line)
        echo(f"record  {result.path}")
    for path in report:
        echo(f"report  {path}")
    if result.signal_number is not None:
        echo(f"interrupted; finish it with\n  {resume.command(result.path)}")
    if result.time_budget is not None:
        echo(f"{_beyond(result)}; finish the run with\n  {resume.command(result.path)}")
    failed = len(result.record.failed)
    if failed and result.signal_number is None:
        again = resume.command(result.path, retry_failed=True)
        echo(f"{failed} {plural('cell', failed)} failed or timed out; run again with\n  {again}")
    if not plain and not failed and result.signal_number is None and result.time_budget is None:
        words = ["bench", "submit", str(result.path), "--to", destination(result.record)]
        echo(f"submit it with\n  {_shell_line(words)}")
    return RunSummary(result, view, cases, report[0] if report else None)


def _beyond(result: "RunResult") -> str:
    """Return how many cells the time budget left out."""
    from bench.records.cell import Skipped

    left = sum(
        isinstance(cell.outcome, Skipped) and cell.outcome.reason_code == result.time_budget
        for cell in result.record.cells
    )
    budget_s = result.time_budget.budget_s if result.time_budget is not None else None
    used = f"the time budget of {seconds(budget_s)} is used; {left} {plural('cell', left)} left"
    # Then the same budget again would get no further.
    ended = left < len(result.record.cells)
    return used if ended else f"{used}: no cell had ended at twice the budget, give a longer one"


def _expectations(cases: "Sequence[Case]") -> Iterator[str]:
    """Yield how many expectations are met, and which are not; nothing for a suite without any."""
    from bench.judge.expectations import count
    from bench.records.expectations import ExpectationResult
    from bench.text import clean
    from bench.wording import expectations

    counts = count(tuple(finding for case in cases for finding in case.findings))
    if not any(counts.values()):
        return
    words = (f"{counts[met]} {met.replace('_', ' ')}" for met in ExpectationResult if counts[met])
    yield f"expectations: {', '.join(words)}"
    unmet = [(case.name, each) for case in cases for each in case.unmet]
    for name, each in unmet[:_MAX_UNMET]:
        wanted, found = expectations.wanted(each), expectations.found(each)
        yield f"not met: {name}: expected {wanted}, found {clean(found)}"
    if len(unmet) > _MAX_UNMET:
        yield f"not met: {len(unmet) - _MAX_UNMET} more"


def exit_code(result: "RunResult", cases: "Sequence[Case]" = ()) -> int:
    """Return the exit code: interrupted, cells failed (not for memory), expectation not met, or done.

    In this order, since expectations say nothing about a run that was interrupted or failed.
    """
    if result.signal_number is not None:
        return 128 + result.signal_number
    if result.record.failed:
        return ExitCode.CELLS_FAILED
    return ExitCode.GATE if any(case.unmet for case in cases) else ExitCode.DONE


def view_of_run(result: "RunResult") -> "View":
    """Return the view of the run, with predictions of a plan in its folder."""
    from bench.report.planned import PlanFinder
    from bench.report.view import view_of

    return view_of(result.record, plan=PlanFinder().of(result.path, result.record))


def write_report(view: "View", record: Path, out: Path | None) -> tuple[Path, ...]:
    """Write the page of the record next to it if `out` is given, else below reports/."""
    from bench.errors import StorageError
    from bench.report.files import write_reports

    folder = record.parent if out else naming.REPORTS.joinpath(*record.parent.parts[-2:])
    try:
        return write_reports(view, folder, ("html",), record.stem)
    except StorageError as error:  # the run is over: only the page is missing
        command = _shell_line(["bench", "report", str(record), *(["--out", str(folder)] if out else [])])
        raise StorageError(error.message, hint=f"{error.step}, then: {command}") from error


def _shell_line(words: "Sequence[str]") -> str:
    """Return a command for the shell of this system: cmd knows double quotes alone. Never run on Windows."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
