"""VRAM against clip length, with the budgets of the card and what was predicted: the figure and its words."""

from collections.abc import Sequence

from bench import units
from bench.report.interface import View
from bench.report.metrics import span
from bench.report.plots.budgets import Budget, budgets, in_sight
from bench.report.plots.cells import NEEDED, memory_figure
from bench.report.plots.interface import Datum, KeyEntry, Plot, joined
from bench.report.plots.memory_marks import MemoryMarks, has, memory_spec, ran_out, sizes
from bench.report.plots.series import Series, drawn


def memory_plot(view: View, series: Series, cells: Sequence[Datum], longest: float) -> Plot | None:
    """None where no cell has a figure. Cells that ran are points on lines, predictions are bands."""
    found = sizes(cells)
    if not found:
        return None
    every, figure = budgets(view), memory_figure(view)
    shown = in_sight(every, max(found) * units.GIB)
    is_need = figure == NEEDED
    lines = drawn(series, [datum for datum in cells if "m" in datum or "hi" in datum])
    marks = MemoryMarks(lines, cells, shown, longest, "Needed (GiB)" if is_need else "Memory (GiB)")
    return Plot(
        name="memory",
        title="Memory needed of the card by clip length" if is_need else "Memory by clip length",
        summary=_summary(figure, found, every, shown),
        note=_note(figure, cells),
        table="terms" if view.is_predicted else "grids",
        table_words="memory term by term" if view.is_predicted else "speed and memory by clip and length",
        key=(*lines.key(), *_key(cells, shown)),
        spec=memory_spec(marks),
        is_wide=True,
    )


def budget_data(view: View) -> list[Datum]:
    """The dataset of the lines."""
    return [budget.datum(is_first=nth == 0) for nth, budget in enumerate(budgets(view))]


def _summary(figure: str, found: Sequence[float], every: list[Budget], shown: list[Budget]) -> str:
    what = "What the cells need of the card" if figure == NEEDED else f"The {figure} of the cells"
    low, high = (units.gib(round(size * units.GIB)) for size in (min(found), max(found)))
    lines = joined([budget.text for budget in shown])
    beyond = joined([budget.text for budget in every if budget not in shown])
    sentences = (
        f"{what}: {span(low, high)}.",
        f"Held against it: {lines}." if lines else "",
        f"Far above, and so not drawn: {beyond}." if beyond else "",
    )
    return " ".join(filter(None, sentences))


def _note(figure: str, cells: Sequence[Datum]) -> str:
    if has(cells, "hi"):
        ran = (
            "Points ran; bands were predicted"
            if has(cells, "m")
            else "Nothing ran: each band is a prediction"
        )
        return f"{ran}, from the least to the most that a cell may need."
    return "" if figure == NEEDED else f"The figure is the {figure}, not what a card must have."


def _key(cells: Sequence[Datum], shown: Sequence[Budget]) -> list[KeyEntry]:
    entries = (
        (has(cells, "hi"), KeyEntry("swatch", "band", "predicted, least to most")),
        (bool(ran_out(cells)), KeyEntry("symbol", "bad", "ran out of memory there", "✕")),
        (bool(shown), KeyEntry("line", "budget", "what the card has, and leaves")),
    )
    return [entry for is_there, entry in entries if is_there]
