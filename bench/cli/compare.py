"""`bench compare`: two builds or several cards, and gates for CI."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench.cli.command import Command
from bench.cli.interleaved import ROUNDS, Alternation, interleaved
from bench.cli.options import FILE, card_slugs, device_names, profile_option, suite_names
from bench.cli.streams import echo
from bench.errors import ExitCode, GateError, RecordError, UsageError
from bench.text import printable_json

if TYPE_CHECKING:
    from bench.compare.sides import Side
    from bench.records.comparison import Comparison, GateResult, SideComparison
    from bench.records.record import Record


F = TypeVar("F", bound=Callable[..., Any])


def run_options(function: F) -> F:
    """Add the options for `bench run`, as text: each build parses them itself."""
    for option in (
        click.option("--repeats", metavar="N", help="Timed generations per cell. Default: the suite's."),
        click.option(
            "--attention", metavar="L", help="Attention backends, such as eager,sdpa. Default: the suite's."
        ),
        click.option("--max-tokens", metavar="L", help="Answer lengths in tokens. Default: the suite's."),
        click.option("--clip-seconds", metavar="L", help="Clip lengths in seconds. Default: the suite's."),
        click.option(
            "--weights",
            type=click.Choice(["hub", "random"]),
            help="hub: the released weights that `bench run` has downloaded. random: random weights of the "
            "same shapes. Default: hub.",
        ),
        click.option(
            "--model", metavar="REPO|DIR", type=click.Path(), help="Model to run. Default: the suite's."
        ),
        click.option(
            "--device",
            metavar="cpu|SLUG|UUID",
            shell_complete=device_names,
            help="Device to use. Default: as in `bench run`.",
        ),
        click.option(
            "--gpu",
            metavar="SLUG",
            shell_complete=card_slugs,
            help="NVIDIA card in this machine to use. Default: as for --device.",
        ),
        click.option(
            "--suite",
            metavar="NAME|FILE",
            shell_complete=suite_names,
            help="Suite to run. Default: as in `bench run`.",
        ),
    ):
        function = option(function)
    return function


@click.command(cls=Command, short_help="Compare records or builds, and check gates.")
@click.argument("sides", nargs=-1, required=True, metavar="BASE NEW...", type=FILE)
@click.option(
    "--fail-on",
    "gates",
    multiple=True,
    metavar="METRIC:+5%",
    help="Gate: the change of a metric that is still allowed; exit with 1 if it fails. May be repeated.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 also if a gate is undecided. Default: exit with 0.")
@click.option(
    "--format",
    "chosen",
    type=click.Choice(["table", "json", "md", "html"]),
    default="table",
    show_default=True,
    help="Format of the output.",
)
@click.option(
    "--interleave",
    is_flag=True,
    help="Take BASE and NEW as Python environments, and run both in alternation.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    metavar="N",
    help=f"Most pairs to run; stops earlier when every gate has a decision. Default: {ROUNDS}.",
)
@click.option(
    "--turns",
    type=click.Choice(["run", "generation"]),
    help="Unit of the alternation. Default: generation with --device cpu, else run.",
)
@click.option(
    "--out", metavar="DIR", type=FILE, help="Folder for the records of the pairs. Default: interleaved/TIME."
)
@run_options
@profile_option
def compare(
    sides: tuple[Path, ...],
    gates: tuple[str, ...],
    chosen: str,
    *,
    strict: bool,
    interleave: bool,
    rounds: int | None,
    turns: str | None,
    out: Path | None,
    **options: str | None,
) -> int:
    """Compare NEW with BASE, cell by cell. A side is a record, or a folder with records of one build.

    Cells that cannot be compared are listed with the reason. Several records of one build show how much
    fresh processes differ. With one record on each side only a large change counts: a factor of more than 2
    on a CPU, of more than 1.35 on a card.

    --interleave runs two builds in turn, each time in a fresh process, so that small changes show. The
    options after --out choose the cells, as in `bench run`.

    Each gate prints pass, fail or undecided, with the reason and the step that would decide it.
    latency_s:+5% allows up to 5 % more; latency_s:-5% demands at least 5 % less. A stricter
    gate never passes when a laxer one does not.

    \b
    Examples:
      bench compare before.json after.json
      bench compare before.json after.json --fail-on latency_s:+30% --strict
      bench compare main/ branch/ --fail-on decode_tokens_per_s:-5% --fail-on reserved_peak_bytes:+2%
      bench compare rtx-4070.json rtx-4090.json rtx-3060.json --format html > cards.html
      bench compare --interleave main/.venv branch/.venv --suite quick --fail-on decode_tokens_per_s:-5%
    """
    from bench.compare.compare import compare as compared
    from bench.compare.gates import parse_gate

    limits = [parse_gate(text) for text in gates]
    if interleave:
        comparison, signal_number = interleaved(sides, options, Alternation(rounds, turns, out), limits)
        if comparison is not None:
            show(comparison, chosen)
        if comparison is None or signal_number:
            return 128 + signal_number
        return exit_code(comparison, strict=strict)
    _require_interleave({"rounds": rounds, "turns": turns, "out": out, **options})
    if len(sides) < 2:
        raise UsageError(
            "two sides are needed", hint="Use: bench compare BASE NEW, each a record or a folder of records"
        )
    base, *news = _sides(sides)
    comparison = compared(base, news, limits)
    show(comparison, chosen)
    return exit_code(comparison, strict=strict)


def _require_interleave(options: "Mapping[str, object]") -> None:
    for name, value in options.items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} needs --interleave", hint="Add --interleave, or leave it out")


def show(comparison: "Comparison", chosen: str) -> None:
    """Print a comparison in one format."""
    if chosen == "json":
        click.echo(printable_json(comparison.model_dump_json()))
        return
    from bench.report.comparison.view import build_view

    view = build_view(comparison)
    if chosen == "table":
        from rich.console import Console

        from bench.report.comparison.terminal import as_text, summary

        console = Console()
        if console.is_terminal:
            console.print(summary(view))
        else:
            echo(as_text(view), nl=False)
    elif chosen == "md":
        from bench.report.comparison.markdown import render

        click.echo(render(view), nl=False)
    else:
        from bench.report.comparison.html import render

        click.echo(render(view), nl=False)


def exit_code(comparison: "Comparison", *, strict: bool) -> int:
    """Print a line for every gate that did not pass, and return the exit code. Annotations on GitHub.

    Raises:
        GateError: a gate failed, or is undecided and `strict`.
    """
    from bench.cli.ci import on_github

    failed = _lines(comparison, "fail", "gate failed")
    undecided = _lines(comparison, "undecided", "gate undecided")
    fatal, noted = (undecided + failed, []) if strict else (failed, undecided)
    if on_github():
        _annotate(failed, undecided)
    for line in (*noted, *fatal[:-1]):
        click.echo(f"bench: {line}", err=True)
    if fatal:
        raise GateError(fatal[-1])
    return ExitCode.DONE


def _lines(comparison: "Comparison", decision: str, words: str) -> list[str]:
    """One line for each gate with this decision: why, and what would decide it."""
    from bench.report.ci.annotations import inert
    from bench.text import clean

    several = len(comparison.against) > 1
    return [
        inert(clean(f"{words}: {gate.gate}: {gate.why}{_decided_by(gate)}{_of(against) if several else ''}"))
        for against in comparison.against
        for gate in against.gates
        if gate.decision == decision
    ]


def _of(against: "SideComparison") -> str:
    return f" ({against.new.label})"


def _decided_by(gate: "GateResult") -> str:
    return f". Would decide it: {gate.remedy}" if gate.remedy else ""


def _annotate(failed: "Sequence[str]", undecided: "Sequence[str]") -> None:
    """Workflow commands, on standard error: standard output may be a document."""
    from bench.report.ci.annotations import Annotation, Level, commands

    errors = [Annotation(Level.ERROR, "bench compare", line) for line in failed]
    warnings = [Annotation(Level.WARNING, "bench compare", line) for line in undecided]
    click.echo(commands((*errors, *warnings)), err=True, nl=False)


def _sides(paths: Sequence[Path]) -> "list[Side]":
    """Return the sides, named as given; of the base's folder, the records most like the first other side."""
    from bench.compare.sides import side_of

    base, *others = [_records(path) for path in paths]
    news = [side_of(str(path), records) for path, records in zip(paths[1:], others, strict=True)]
    return [side_of(str(paths[0]), base, like=news[0].newest), *news]


def _records(path: Path) -> "list[Record]":
    """Return all readable records; print the name of each other one.

    Raises:
        RecordError: no record can be read.
    """
    from bench.store.record_files import find_records, read_record

    records: list[Record] = []
    errors: list[RecordError] = []
    for found in find_records(path):
        try:
            records.append(read_record(found))
        except RecordError as error:
            errors.append(error)
    last = errors.pop() if errors and not records else None
    for fault in errors:
        echo(f"bench: {fault}", err=True)
    if last is not None:
        raise last
    return records
