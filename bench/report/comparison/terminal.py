"""A comparison in the terminal: gates first, then the overall change, then the cells."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bench.report.basics import Tone
from bench.report.comparison.interface import CellLines, ComparisonView, SideView
from bench.report.comparison.view import LEGEND, evidence
from bench.report.terminal import STYLES, plain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

WIDTH: Final = 110
# The metrics that fit into 110 columns; the other formats have all of them.
_IN_CELLS: Final = ("decode_tokens_per_s", "time_to_first_token_s", "latency_s", "reserved_peak_bytes")
_ON_CPU: Final = ("decode_tokens_per_s", "time_to_first_token_s", "latency_s", "allocated_peak_bytes")
_MOST_COLUMNS: Final = 4
_MOST_CELLS: Final = 60


def as_text(view: ComparisonView) -> str:
    """The comparison as plain text without colours, for pipes and logs."""
    return plain(summary(view), WIDTH)


def summary(view: ComparisonView) -> "RenderableType":
    """The comparison for a rich console. Markup in a record has no effect."""
    from rich.console import Group

    return Group(*_parts(view))


def _parts(view: ComparisonView) -> Iterator["RenderableType"]:
    from rich.text import Text

    title = Text(f"{view.title}: ", style=f"bold {STYLES[view.title_tone]}")
    yield title.append(f"{view.model}, suite {view.suite} ({view.stamp})", style="not bold default")
    yield Text(f"base: {view.base}. {view.method}")
    if view.beside:
        yield from _side_by_side(view)
    for side in view.sides:
        yield from _side(view, side)


def _side_by_side(view: ComparisonView) -> Iterator["RenderableType"]:
    from rich.text import Text

    table = _table("Metric", *(side.label for side in view.beside))
    for name, heading in view.metrics.items():
        lines = [side.overall.get(name) for side in view.beside]
        changes = [Text(line.brief, STYLES[line.tone]) if line else Text("") for line in lines]
        table.add_row(Text(heading), *changes)
    yield table


def _side(view: ComparisonView, side: SideView) -> Iterator["RenderableType"]:
    from rich.text import Text

    other = "" if side.stamp == view.stamp else f" ({side.stamp})"
    yield Text.assemble((f"\n{side.label}", "bold"), f"{other}: {side.headline}")
    for reason in side.reasons:
        yield Text.assemble(("not comparable", STYLES[Tone.WARN]), f": {reason}")
    for mark in side.marks:
        yield Text.assemble((f"{mark.word}  ", STYLES[mark.tone]), f"{mark.gate}: {mark.why}")
        if mark.remedy:
            yield Text(f"  would decide it: {mark.remedy}")
    for what, old, now in side.differences:
        yield Text(f"changed  {what}: {old} -> {now}")
    if side.overall:
        yield _overall(side)
        for number, note in enumerate(side.notes, 1):
            yield Text(f"({number}) {note}")
    yield from _cells(side)
    for text in side.lone:
        yield Text(text)
    for caveat in side.caveats:
        yield Text(f"- {caveat}", style="yellow")


def _overall(side: SideView) -> "Table":
    from rich.text import Text

    columns = evidence(side)
    table = _table("Overall", *(_title(heading) for heading in columns.values()))
    for line in side.overall.values():
        mark = f" ({line.mark})" if line.mark else ""
        verdict = Text.assemble((line.word, STYLES[line.tone]), mark)
        figures = (verdict if name == "word" else Text(getattr(line, name)) for name in columns)
        table.add_row(Text(line.metric), *figures)
    return table


def _cells(side: SideView) -> Iterator["RenderableType"]:
    from rich.text import Text

    named = _IN_CELLS if "reserved_peak_bytes" in side.metrics else _ON_CPU
    few = len(side.metrics) <= _MOST_COLUMNS
    shown = [*side.metrics] if few else [name for name in named if name in side.metrics]
    table = _table("Cell", *(side.metrics[name] for name in shown))
    compared = [cell for cell in side.cells if cell.lines]
    for cell in compared[:_MOST_CELLS]:
        table.add_row(*_figures(cell, shown))
    if compared:
        yield table
        yield Text(LEGEND, style="dim")
    if len(compared) > _MOST_CELLS:
        yield Text(f"and {len(compared) - _MOST_CELLS} more cells; --format json has them all")
    yield from _ended(side)


def _figures(cell: CellLines, shown: list[str]) -> Iterator["Text"]:
    from rich.text import Text

    yield Text(cell.name)
    for name in shown:
        line = cell.lines.get(name)
        yield Text(line.brief, STYLES[line.tone]) if line else Text("")


def _ended(side: SideView) -> Iterator["Text"]:
    """One line for all cells with the same end and reasons."""
    from rich.text import Text

    alike: dict[tuple[str, tuple[str, ...], Tone], list[str]] = {}
    for cell in side.cells:
        if cell.ended:
            alike.setdefault((cell.ended, cell.reasons, cell.tone), []).append(cell.name)
    for (ended, reasons, tone), names in list(alike.items())[:_MOST_CELLS]:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        why = f": {'; '.join(reasons)}" if reasons else ""
        yield Text.assemble((ended, STYLES[tone]), f"{why} ({', '.join(names[:3])}{more})")
    if len(alike) > _MOST_CELLS:
        yield Text(f"and {len(alike) - _MOST_CELLS} more ways to end; --format json has them all")


def _title(heading: str) -> str:
    return heading if len(heading) == 1 else heading[:1].upper() + heading[1:]


def _table(first: str, *others: str) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(Text(first))
    for heading in others:
        table.add_column(Text(heading), justify="left" if heading == "Verdict" else "right")
    return table
