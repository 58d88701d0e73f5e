"""The output of `bench plan`: records as tables or JSON, the catalog with a verdict for each card."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from bench.cli.answer_output import print_view
from bench.cli.streams import echo
from bench.units import GIB, clip_length, gib
from bench.wording import caveats, predictions

if TYPE_CHECKING:
    from bench.predict.planner import PlanRequest
    from bench.records.enums import AttentionKernel
    from bench.records.record import Record
    from bench.records.survey import Survey, SurveyCard

_HEADER: Final = ("card", "memory", "verdict", "needs")
_SMALLEST: Final = {
    "headless": "smallest headless card that fits",
    "headless_likely": "smallest headless card that likely fits",
    "desktop": "smallest card that fits with a desktop",
    "desktop_likely": "smallest card that likely fits with a desktop",
}


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show the progress of traces in a transient line on standard error; nothing in a pipe or a log."""
    from rich.console import Console

    console = Console(stderr=True)
    # With FORCE_COLOR rich takes a log file for a terminal, in which a rewritten line is unreadable.
    if not (console.is_interactive and console.file.isatty()):
        yield _nothing
        return
    with console.status("building the model without weights") as status:
        yield status.update


def _nothing(_what: str) -> None:
    """Show nothing, for pipes and logs."""


# --- one card or several ----------------------------------------------------------------------------------


def records_json(records: "Sequence[Record]") -> str:
    """Return one record as it is written to disk, several in an object."""
    from bench.store.record_files import render

    if len(records) == 1:
        return render(records[0])
    whole = ",\n".join(render(record).rstrip("\n") for record in records)
    return f'{{"records": [\n{whole}\n]}}\n'


def print_records(records: "Sequence[Record]", *, verbose: bool) -> None:
    """Print each record's answer, then a line for each."""
    from bench.report.view import view_of

    views = [view_of(record) for record in records]
    for number, view in enumerate(views):
        if number:
            click.echo("")
        print_view(view, verbose=verbose)
    if len(views) > 1:
        click.echo("")
        width = max(len(view.identity.gpu) for view in views)
        for view in views:
            click.echo(f"{view.identity.gpu:<{width}}  {view.headline}")


# --- the whole catalog ------------------------------------------------------------------------------------


def print_survey(found: "Survey", chosen: "PlanRequest") -> None:
    """Print the system and the smallest cards in a line each, then the catalog by memory."""
    from bench.predict.planned_system import installed_release
    from bench.records.caveats import PredictedForSystem

    what = _asked(chosen)
    click.echo(f"{chosen.source.origin.name}, {what} (predicted, nothing was run)")
    here = installed_release()
    planned_for = PredictedForSystem(
        os=found.system.os,
        torch=found.system.torch,
        kernels=_kernels(found),
        torch_here=None if here == found.system.torch else here,
    )
    echo(caveats.sentence(planned_for))
    for kind, words in _SMALLEST.items():
        if found.headroom is None or kind.startswith(found.headroom):
            click.echo(f"{words:<47}{_smallest(found, kind)}")
    click.echo("")
    for line in _lines([_HEADER, *map(_row, found.cards)]):
        echo(line)
    for why, slugs in _reasons(found).items():
        click.echo(f"{', '.join(slugs)}: {why}")


def _reasons(found: "Survey") -> dict[str, list[str]]:
    """Return lines with the reasons why nothing was predicted, and the cards of each."""
    reasons: dict[str, list[str]] = {}
    for card in found.cards:
        if card.device_peak_bytes is None:
            reasons.setdefault(card.why, []).append(card.slug)
    return reasons


def _kernels(found: "Survey") -> "tuple[AttentionKernel, ...]":
    """Return the attention kernels of all cards, each once."""
    return tuple(dict.fromkeys(kernel for card in found.cards for kernel in card.attention_kernels))


def _smallest(found: "Survey", kind: str) -> str:
    slug = getattr(found, f"smallest_{kind}")
    total = next((card.memory_total_bytes for card in found.cards if card.slug == slug), None)
    return "none of the catalog" if slug is None else f"{slug}, {gib(total)}"


def _row(card: "SurveyCard") -> tuple[str, ...]:
    from bench.records.enums import Provenance, Verdict
    from bench.wording.labels import headline

    word = headline(card.verdict, Provenance.DERIVED).lower()
    if card.verdict is Verdict.TOO_CLOSE_TO_CALL:
        word = predictions.likelihood(card.headless_likely or card.desktop_likely)
    need = card.device_peak_bytes
    needs = "" if need is None else f"{need.low / GIB:.2f} to {gib(need.high)}"
    return card.slug, gib(card.memory_total_bytes), word, needs


def _lines(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Return aligned lines, with sizes at the right of their columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for slug, memory, word, needs in rows:
        yield f"{slug:<{widths[0]}}  {memory:>{widths[1]}}  {word:<{widths[2]}}  {needs}".rstrip()


def _asked(chosen: "PlanRequest") -> str:
    """Return `60 s, 512 tokens, sdpa`, or the number of cells if there are several."""
    cells = [cell.requested for cell in chosen.cells]
    if len(cells) > 1:
        return f"all {len(cells)} cells of {chosen.suite.name}"
    (asked,) = cells
    return f"{clip_length(asked.clip_seconds)}, {asked.max_tokens} tokens, {asked.attention}"
