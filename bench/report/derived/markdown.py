"""The tables of a prediction in a post."""

from collections.abc import Iterator

from bench.records.enums import Provenance
from bench.report.basics import Fact
from bench.report.derived.interface import CEILINGS, MEANING, TERMS, Derived, Prediction
from bench.report.interface import FrontierRow, FrontierTable, Grid, GridCell, Row, View
from bench.report.markdown_syntax import escape, facts, misses, some_grids, table, uniform
from bench.units import NOT_AVAILABLE

_Predicted = list[tuple[Row, Prediction]]


def blocks(view: View, derived: Derived) -> Iterator[str]:
    """Grids, frontier, terms, ceilings, sources, and the comparison with what was measured."""
    yield facts("The card and its budget", [Fact(t.label, f"{t.text} ({t.note})") for t in derived.tiles])
    yield from some_grids(view, lambda grid: _blocks(grid, view))
    yield from misses(view)
    yield from _frontier(view, derived)
    yield from figures(view)
    yield facts("How it was derived", derived.how) if derived.how else ""
    yield from _compared(view, derived)


def figures(view: View) -> Iterator[str]:
    """Terms and ceilings of every cell that was predicted; nothing where none was."""
    rows = [(row, row.prediction) for row in view.rows if row.prediction is not None]
    if rows:
        stamp = escape(view.stamp_of(Provenance.DERIVED).text)
        yield from _terms(rows, stamp)
        yield from _ceilings(rows, stamp)


def _blocks(grid: Grid, view: View) -> Iterator[str]:
    yield f"### {escape(grid.title)}: what fits\n\n{escape(view.stamp)}"
    yield uniform(grid) or _grid(grid)


def _grid(grid: Grid) -> str:
    head = ["clip", *(f"{tokens} new tokens" for tokens in grid.columns)]
    return table(head, ([f"**{line.clip}**", *map(_grid_cell, line.cells)] for line in grid.lines))


def _grid_cell(cell: GridCell | None) -> str:
    if cell is None:
        return ""
    found = cell.row.prediction
    return escape(cell.row.status.word) if found is None else predicted_cell(found)


def predicted_cell(found: Prediction) -> str:
    """Whether it fits, what it needs, and what is at work at the peak."""
    parts = (f"**{escape(found.fit.word)}**", found.peak, escape(found.also), escape(found.at_peak))
    return "<br>".join(filter(None, parts))


def _frontier(view: View, derived: Derived) -> Iterator[str]:
    if derived.has_frontier:
        yield "### The longest clip"
        for part in view.frontiers:
            yield from surely(part, view)


def surely(part: FrontierTable, view: View) -> Iterator[str]:
    """The predicted lines: what surely fits, and what surely does not."""
    headless, desktop = part.shows_headless, part.shows_desktop
    head = ["attention", "new tokens"]
    head += ["surely fits headless"] if headless else []
    head += ["surely fits beside a desktop"] if desktop else []
    head += ["surely none headless"] if headless else []
    head += ["surely none beside a desktop"] if desktop else []
    yield escape(view.stamp_of(part.provenance).text)
    lines = (_frontier_line(point, headless, desktop) for point in part.lines)
    yield table([*head, "model's context"], lines)


def attention(point: FrontierRow) -> str:
    """`SDPA, profile lean (3 machines)`."""
    return escape(f"{point.attention_words} ({point.basis})" if point.basis else point.attention_words)


def _frontier_line(point: FrontierRow, headless: bool, desktop: bool) -> list[str]:
    line = [attention(point), f"{point.max_tokens:,}"]
    line += [point.longest_fit] if headless else []
    line += [point.longest_fit_with_desktop] if desktop else []
    line += [point.smallest_misfit] if headless else []
    line += [point.smallest_misfit_with_desktop] if desktop else []
    return [*line, point.context or "n/a"]


def _terms(rows: _Predicted, stamp: str) -> Iterator[str]:
    names = [name for name in TERMS if any(found.terms[name] != NOT_AVAILABLE for _, found in rows)]
    most = any(found.dominant for _, found in rows)
    head = ["Attention", "Clip × tokens", *(TERMS[name] for name in names)]
    yield f"### Term by term\n\n{stamp}\n\n{MEANING}"
    lines = (
        [
            escape(row.variant),
            row.shape,
            *(found.terms[name] for name in names),
            found.dominant if most else escape(found.at_peak),
        ]
        for row, found in rows
    )
    yield table([*head, "Most beside the weights" if most else "At the peak"], lines)


def _ceilings(rows: _Predicted, stamp: str) -> Iterator[str]:
    names = [name for name in CEILINGS if any(found.ceiling[name] != NOT_AVAILABLE for _, found in rows)]
    if not names:
        return
    head = ["Attention", "Clip × tokens", *(CEILINGS[name] for name in names)]
    yield f"### Ceiling of speed (roofline), not a forecast\n\n{stamp}"
    lines = (
        [escape(row.variant), row.shape, *(found.ceiling[name] for name in names)] for row, found in rows
    )
    yield table(head, lines)


def _compared(view: View, derived: Derived) -> Iterator[str]:
    if derived.compared:
        yield f"### Prediction against measurement\n\n{escape(view.stamp)}"
        head = ["record", "memory", "cells", "inside the range", "measured / predicted", "least to most"]
        lines = (
            [escape(entry.record), entry.metric, entry.cells, entry.inside, entry.factor, entry.spread]
            for entry in derived.compared
        )
        yield table(head, lines)
