"""Markdown for a pull request or a forum post: verdict first, then the tables."""

import re
from collections.abc import Iterator
from typing import Final

from bench.records.metrics import FIGURES, Section
from bench.report.derived import markdown as predicted
from bench.report.interface import FrontierRow, FrontierTable, Grid, GridCell, Merged, Source, View
from bench.report.markdown_syntax import bullets, escape, facts, misses, some_grids, table, uniform

# The energy of a whole answer says less than that of a token: a post shows one of them.
_METRICS: Final = [
    metric for metric in FIGURES.values() if metric.section is not Section.STEPS and metric.name != "energy_j"
]
_IN_FULL: Final = "check.json has all of them"


def render(view: View) -> str:
    """The post as text. Untrusted strings show as they are and do nothing."""
    blocks = [
        f"## {escape(view.verdict_word)}: {escape(view.identity.model)} on {escape(view.identity.gpu)}",
        f"**{escape(view.stamp)}**",
        escape(view.why),
        escape(view.derived.units_line) if view.derived else "",
        bullets(view.caveats),
        _repeat(view),
        *(_measured(view) if view.derived is None else predicted.blocks(view, view.derived)),
        facts("What was derived" if view.derived else "What was run", view.header),
        facts("Environment", view.environment),
        *(_record(view) if view.merged is None else _records(view, view.merged)),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _measured(view: View) -> Iterator[str]:
    yield from some_grids(view, lambda grid: _blocks(grid, view))
    yield from _frontier(view)
    yield facts("The card", view.card) if view.card else ""
    yield from _metrics(view)
    yield from misses(view)
    yield from predicted.figures(view)


def _record(view: View) -> Iterator[str]:
    yield f"Record `{view.identity.record_id}`, `{view.identity.content_hash}`"


def _records(view: View, merged: Merged) -> Iterator[str]:
    """Where the records of a merged view disagree, and which they are."""
    if merged.disagreements:
        yield f"### Where records disagree\n\n{escape(view.stamp)}"
        lines = ([*map(escape, (one.cell, one.what, one.found))] for one in merged.disagreements)
        more = merged.disagreements_left_out
        yield table(["cell", "figure", "found"], lines, elsewhere=_IN_FULL, also_left_out=more)
    yield f"### Records\n\n{escape(merged.basis)}"
    head = ["record", "date (UTC)", "machine", "verdict", "provenance", "weights", "suite", "content"]
    more = merged.sources_left_out
    yield table(head, map(_source, merged.sources), elsewhere=_IN_FULL, also_left_out=more)


def _source(source: Source) -> list[str]:
    name = f"[{source.record_id}]({source.link})" if source.link else source.record_id
    told = (source.date, source.machine, source.verdict, source.provenance, source.weights, source.suite)
    return [name, *map(escape, told), f"`{source.content_hash[:19]}`"]


def _repeat(view: View) -> str:
    runs = re.findall(r"`+", view.repeat_command)
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    block = f"How to repeat this:\n\n{fence}sh\n{view.repeat_command}\n{fence}"
    notes = bullets(view.repeat_notes)
    return f"{block}\n\n{notes}" if notes else block


def _blocks(grid: Grid, view: View) -> Iterator[str]:
    yield f"### {escape(grid.title)}\n\n{escape(view.stamp_of(grid.provenance).text)}"
    yield uniform(grid) or _grid(grid)


def _grid(grid: Grid) -> str:
    head = ["clip", *(f"{tokens} new tokens" for tokens in grid.columns)]
    lines = ([f"**{line.clip}**", *map(_grid_cell, line.cells)] for line in grid.lines)
    return table(head, lines)


def _grid_cell(cell: GridCell | None) -> str:
    if cell is None:
        return ""
    row = cell.row
    if row.prediction is not None:
        return predicted.predicted_cell(row.prediction)
    if row.status.code != "measured":
        return escape(row.status.word)
    figures = row.figures
    label = f" ({escape(', '.join(row.marks))})" if row.marks else ""
    return f"**{figures['decode_tokens_per_s'].text}**{label}<br>{row.peak.text}"


def _metrics(view: View) -> Iterator[str]:
    ran = [row for row in view.rows if row.status.code == "measured"]
    if ran:
        shown = [
            metric for metric in _METRICS if any(row.figures[metric.name].value is not None for row in ran)
        ]
        head = ["attention", "clip × tokens", *(metric.heading for metric in shown)]
        lines = ([escape(r.variant), r.shape, *(r.figures[m.name].text for m in shown)] for r in ran)
        yield f"### Medians of the cells that ran\n\n{escape(view.stamp)}"
        yield table(head, lines)


def _frontier(view: View) -> Iterator[str]:
    if view.frontier:
        yield "### Longest clip that fits"
        for part in view.frontiers:
            yield from predicted.surely(part, view) if part.is_predicted else _ran(part, view)


def _ran(part: FrontierTable, view: View) -> Iterator[str]:
    desktop = ["longest beside a desktop"] if part.shows_desktop else []
    head = ["attention", "new tokens", "longest that ran", *desktop, "smallest that did not fit"]
    yield escape(view.stamp_of(part.provenance).text)
    yield table(head, (_frontier_line(point, desktop=bool(desktop)) for point in part.lines))


def _frontier_line(point: FrontierRow, *, desktop: bool) -> list[str]:
    beside = [point.longest_fit_with_desktop] if desktop else []
    return [
        predicted.attention(point),
        f"{point.max_tokens:,}",
        point.longest_fit,
        *beside,
        point.smallest_misfit,
    ]
