"""Bounds for pages with many cells: an evenly chosen part of the view, and a sentence about the rest."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from bench.report.grid import alike
from bench.report.interface import Grid, Miss, View

MAX_CELLS: Final = 200
"""With a trace and raw repeats in every cell, a page of so many stays under 1.5 MB."""
_MAX_GRIDS: Final = 12
_MAX_COLUMNS: Final = 16
_MAX_LINES: Final = 100
Value = TypeVar("Value")


def limited(view: View) -> tuple[View, str]:
    """The view itself up to `MAX_CELLS`; else a part of it, and a sentence that says what was left out."""
    cells = len(view.rows)
    if cells <= MAX_CELLS:
        return view, ""
    shown = view.grids[:_MAX_GRIDS]
    grids = tuple(_cut(grid, MAX_CELLS // len(shown)) for grid in shown)
    part = replace(
        view,
        grids=grids,
        shared_grids=alike(grids),
        answer=None if view.answer is None else view.answer.first(_MAX_LINES),
        frontier=view.frontier[:_MAX_LINES],
        misses=tuple(map(_short, view.misses[:_MAX_LINES])),
        kernels=view.kernels[:_MAX_LINES],
    )
    return part, _words(len(part.rows), cells, len(view.grids) - len(shown))


def spread(values: Sequence[Value], most: int) -> list[Value]:
    """At most that many of the values, evenly spaced, first and last among them."""
    if len(values) <= most or most < 2:
        return list(values[:most])
    return [values[place * (len(values) - 1) // (most - 1)] for place in range(most)]


def _cut(grid: Grid, most: int) -> Grid:
    """Clip lengths and numbers of tokens spread evenly over the whole grid, ends included."""
    columns = spread(range(len(grid.columns)), _MAX_COLUMNS)
    lines = [
        replace(line, cells=tuple(line.cells[column] for column in columns))
        for line in spread(grid.lines, max(2, most // max(1, len(columns))))
    ]
    rows = tuple(cell.row for line in lines for cell in line.cells if cell is not None)
    return replace(
        grid, columns=tuple(grid.columns[place] for place in columns), lines=tuple(lines), rows=rows
    )


def _short(miss: Miss) -> Miss:
    if len(miss.cells) <= _MAX_LINES:
        return miss
    rest = len(miss.cells) - _MAX_LINES
    return replace(miss, cells=(*miss.cells[:_MAX_LINES], f"and {rest:,} more"))


def _words(shown: int, cells: int, grids: int) -> str:
    others = f" {grids:,} more settings are left out." if grids else ""
    return (
        f"This page shows {shown:,} of {cells:,} cells, spread evenly over clip lengths and numbers of new "
        f"tokens.{others} All are in the record, and in the table that bench report --format csv writes."
    )
