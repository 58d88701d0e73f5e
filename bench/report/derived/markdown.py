"""The tables of a prediction in a post."""

from collections.abc import Iterator

from bench.report.basics import Fact
from bench.report.derived.interface import CEILINGS, MEANING, TERMS, Derived, Prediction
from bench.report.interface import FrontierRow, Grid, GridCell, Row, View
from bench.report.markdown_syntax import escape, facts, misses, some_grids, table, uniform


def blocks(view: View, derived: Derived) -> Iterator[str]:
    """Grids, frontier, terms, ceilings, sources, and the comparison with what was measured."""
    yield facts("The card and its budget", [Fact(t.label, f"{t.text} ({t.note})") for t in derived.tiles])
    yield from some_grids(view, lambda grid: _blocks(grid, view))
    yield from misses(view)
    yield from _frontier(view, derived)
    rows = [(row, row.prediction) for row in view.rows if row.prediction is not None]
    if rows:
        yield from _terms(rows, view, derived)
        yield from _ceilings(rows, view, derived)
    yield facts("How it was derived", derived.how) if derived.how else ""
    yield from _compared(view, derived)


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
    if found is None:
        return escape(cell.row.status.word)
    parts = (f"**{escape(found.fit.word)}**", found.peak, escape(found.also), escape(found.at_peak))
    return "<br>".join(filter(None, parts))


def _frontier(view: View, derived: Derived) -> Iterator[str]:
    if not derived.has_frontier:
        return
    headless, desktop = derived.shows_headless, derived.shows_desktop
    head = ["attention", "new tokens"]
    head += ["surely fits headless"] if headless else []
    head += ["surely fits beside a desktop"] if desktop else []
    head += ["surely none headless"] if headless else []
    head += ["surely none beside a desktop"] if desktop else []
    yield f"### The longest clip\n\n{escape(view.stamp)}"
    lines = (_frontier_line(point, headless, desktop) for point in view.frontier)
    yield table([*head, "model's context"], lines)


def _frontier_line(point: FrontierRow, headless: bool, desktop: bool) -> list[str]:
    line = [escape(point.attention_words), f"{point.max_tokens:,}"]
    line += [point.longest_fit] if headless else []
    line += [point.longest_fit_with_desktop] if desktop else []
    line += [point.smallest_misfit] if headless else []
    line += [point.smallest_misfit_with_desktop] if desktop else []
    return [*line, point.context or "n/a"]


def _terms(rows: list[tuple[Row, Prediction]], view: View, derived: Derived) -> Iterator[str]:
    head = ["Attention", "Clip × tokens", *(TERMS[name] for name in derived.terms)]
    yield f"### Term by term\n\n{escape(view.stamp)}\n\n{MEANING}"
    lines = (
        [escape(row.variant), row.shape, *(found.terms[name] for name in derived.terms), found.dominant]
        for row, found in rows
    )
    yield table([*head, "Most beside the weights"], lines)


def _ceilings(rows: list[tuple[Row, Prediction]], view: View, derived: Derived) -> Iterator[str]:
    if not derived.ceilings:
        return
    head = ["Attention", "Clip × tokens", *(CEILINGS[name] for name in derived.ceilings)]
    yield f"### Ceiling of speed (roofline), not a forecast\n\n{escape(view.stamp)}"
    lines = (
        [escape(row.variant), row.shape, *(found.ceiling[name] for name in derived.ceilings)]
        for row, found in rows
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
