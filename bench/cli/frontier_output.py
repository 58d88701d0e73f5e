"""The output of `bench frontier` before and after its probes."""

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from bench.cli.display import bounds
from bench.cli.streams import echo
from bench.judge.memory import needed_bytes, peak_of, ran_out_while_contended
from bench.units import clip_length, gib
from bench.wording import outcomes, phrases
from bench.wording.phrases import plural

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from bench.judge.limit import Limit
    from bench.records.cell import CellResult
    from bench.run.frontier import Finder
    from bench.run.prior_results import PriorResults
    from bench.run.run_spec import Plan

WIDTH: Final = 100
_SHOWN: Final = 3


def print_known(known: "PriorResults") -> None:
    """Print to standard error the records from which the search starts, and why others do not count."""
    if known.sources:
        echo(f"starting from {_named(known.sources)}", err=True)
    if known.left_out:
        click.echo(
            f"some records do not count here, for they differ in {', '.join(known.left_out)}", err=True
        )
    if known.unreadable:
        echo(f"cannot be read, and is left out: {_named(known.unreadable)}", err=True)


def _named(paths: "Sequence[Path]") -> str:
    more = f" and {len(paths) - _SHOWN} older ones" if len(paths) > _SHOWN else ""
    return ", ".join(str(path) for path in paths[-_SHOWN:]) + more


def print_search(plan: "Plan", limits: "Sequence[Limit]") -> None:
    """Print the bounds of each limit, and the largest number of probes."""
    for found in limits:
        asked = found.line.asked
        click.echo(f"{asked.attention}, {asked.max_tokens} tokens  {_state(found)}")
    probes = sum(found.at_most for found in limits)
    click.echo(
        f"{len(limits)} {plural('limit', len(limits))} on {plan.device.name} with {plan.origin.weight_mode} "
        f"weights: at most {probes} {plural('probe', probes)}"
    )


def _state(found: "Limit") -> str:
    if found.unsupported is not None:
        return f"unsupported: {outcomes.reason(found.unsupported)}"
    length_s = found.next_s
    if found.undecided is not None:
        return f"{_longest(found)}, {_smallest(found)}"
    if length_s is None:
        return f"known: {_longest(found)}"
    where = bounds(found.search) or "nothing known"
    most = found.search.at_most
    return f"{where}, beginning with {clip_length(length_s)}, at most {most} {plural('probe', most)}"


def print_limits(plan: "Plan", finder: "Finder") -> None:
    """Print the table and its notes."""
    from rich.console import Console

    limits = finder.limits()
    table = _table(plan, finder, limits)
    console = Console()
    if console.is_terminal:
        console.print(table)
    else:
        sink = io.StringIO()
        Console(file=sink, width=WIDTH, color_system=None, force_terminal=False).print(table)
        click.echo("".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines()), nl=False)
    for note in dict.fromkeys(_notes(finder, limits)):
        echo(note)


def _table(plan: "Plan", finder: "Finder", limits: "Sequence[Limit]") -> "Table":
    from rich import box
    from rich.table import Table

    from bench.wording.labels import ATTENTIONS

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Attention", no_wrap=True)
    memory = [_memory(plan, found) for found in limits]
    for heading in ("Tokens", "Fits up to", "Does not fit", "Probes"):
        table.add_column(heading, justify="right")
    if any(memory):
        table.add_column("Memory there", justify="right")
    for found, there in zip(limits, memory, strict=True):
        table.add_row(
            ATTENTIONS[found.line.asked.attention],
            f"{found.line.asked.max_tokens:,}",
            _longest(found),
            _smallest(found),
            str(finder.probes[found.line]),
            *([there] if any(memory) else []),
        )
    return table


def _memory(plan: "Plan", found: "Limit") -> str:
    """Return the memory that the longest clip needs of the card, else the peak that was measured."""
    if found.longest is None:
        return ""
    needed = needed_bytes(found.longest, plan.emulation)
    if needed is not None:
        return f"{gib(needed)} (needed)"
    peak = peak_of(found.longest, plan.device.info())
    return f"{gib(peak.size_bytes)} ({phrases.PEAK_WORDS[peak.metric]})" if peak is not None else ""


def _longest(found: "Limit") -> str:
    if found.unsupported is not None:
        return "unsupported"
    is_open = found.next_s is not None or found.undecided is not None
    if found.search.fits_s is None:
        return "unknown" if is_open else "none"
    more = " or more" if is_open or found.is_cut else ""
    return clip_length(found.search.fits_s) + more


def _smallest(found: "Limit") -> str:
    if found.unsupported is not None:
        return ""
    is_open = found.next_s is not None or found.undecided is not None or found.is_cut
    if found.search.misfit_s is None and found.undecided is not None:
        return f"unknown from {clip_length(found.undecided.requested.clip_seconds)} on"
    if found.search.misfit_s is None and found.is_cut:
        return "none tried"
    if found.search.ends_at_ceiling and not is_open:
        return "none: the context ends there"
    if found.search.misfit_s is None:
        return "unknown"
    less = " or less" if is_open else ""
    return clip_length(found.search.misfit_s) + (" (not tried)" if found.is_inferred else less)


def _notes(finder: "Finder", limits: "Sequence[Limit]") -> Iterator[str]:
    if any(found.is_inferred for found in limits):
        yield "not tried: the same clip did not fit with fewer tokens"
    for found in limits:
        name = f"{found.line.asked.attention}, {found.line.asked.max_tokens} tokens"
        if found.unsupported is not None:
            yield f"{found.line.asked.attention} is unsupported: {outcomes.reason(found.unsupported)}"
        if found.undecided is not None:
            yield f"{name}: {_undecided(found.undecided)}"
        if found.line in finder.beyond_budget:
            yield f"{name}: the time budget is used; the same command goes on"
        if found.search.contradicted_by_s:
            yield _contradiction(name, found)


def _undecided(probe: "CellResult") -> str:
    """Return what ended the search without a decision, and what tries it again."""
    clip = f"unknown from {clip_length(probe.requested.clip_seconds)} on, because that probe"
    if ran_out_while_contended(probe):
        return f"{clip} ran out of memory while another program computed on the card; run it again"
    ended = "timed out" if probe.outcome.status == "timeout" else "failed"
    return f"{clip} {ended}: {outcomes.reason_of(probe.outcome)}. --retry-failed tries it again"


def _contradiction(name: str, found: "Limit") -> str:
    longer = ", ".join(map(clip_length, found.search.contradicted_by_s))
    clip_s = found.search.misfit_s or 0.0
    return (
        f"{name}: {clip_length(clip_s)} did not fit although {longer} did; something else took memory. "
        f"To measure it again: bench run --clip-seconds {clip_s:g}"
    )
