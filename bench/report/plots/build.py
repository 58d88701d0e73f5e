"""Builds all plots of a view and the data that they share."""

from dataclasses import replace
from typing import Final

from bench.report.interface import View
from bench.report.plots.cells import cells
from bench.report.plots.heat import heat_plot
from bench.report.plots.interface import Plot, Plots
from bench.report.plots.memory import budget_data, memory_plot
from bench.report.plots.phases import phases_plot
from bench.report.plots.series import series
from bench.report.plots.speed import speed_plot
from bench.report.plots.trace import trace_plot, traced, traces

_LINES: Final = ("memory", "speed")


def plots(view: View) -> Plots:
    """The plots of a page. A plot without data is left out."""
    rows = view.rows
    if not rows:
        return Plots()
    lines = series(view)
    points = cells(view, lines)
    watched = traced(view)
    over_time = traces(watched, lines)
    longest = max(row.clip_seconds for row in rows) * 1.03
    found = (
        memory_plot(view, lines, points, longest),
        speed_plot(view, lines, points, longest),
        phases_plot(view, lines, points),
        heat_plot(view, lines, points),
        trace_plot(view, watched, over_time),
    )
    figures = _arranged([plot for plot in found if plot is not None])
    has_lines = any(plot.name in _LINES for plot in figures)
    return Plots(
        figures=figures,
        data={"cells": points, "budgets": budget_data(view), "traces": over_time},
        notes=tuple(_notes(view, lines.left_out if has_lines else ())),
    )


def _arranged(figures: list[Plot]) -> tuple[Plot, ...]:
    """A plot that would leave half a row empty becomes wide."""
    halves = sum(not plot.is_wide for plot in figures)
    return tuple(replace(plot, is_wide=plot.is_wide or halves == 1) for plot in figures)


def _notes(view: View, left_out: tuple[int, ...]) -> list[str]:
    notes = []
    if view.is_emulated:
        notes.append("Speed is not drawn: another device emulated the card. The tables have its speed.")
    if left_out:
        notes.append(
            f"{len(left_out):,} more numbers of new tokens are not drawn as lines; the tables have them."
        )
    return notes
