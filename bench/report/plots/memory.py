"""Memory against clip length, with the budgets of the card and the predicted ranges."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from bench import units
from bench.report import ranges
from bench.report.interface import View
from bench.report.plots.budgets import Budget, budgets, drawable
from bench.report.plots.cells import NEEDED, memory_figure
from bench.report.plots.interface import Datum, KeyEntry, Plot, Spec, joined
from bench.report.plots.marks import (
    ABOVE_ZERO,
    clip_axis,
    of_line,
    of_variant,
    to_spec,
    token_colour,
    token_shape,
    variant_choice,
    variant_dash,
)
from bench.report.plots.overlap import ALIKE, along_clips, left_out, without_overlaps
from bench.report.plots.series import Drawn, Series, drawn

if TYPE_CHECKING:
    import altair as alt

_HEIGHT: Final = 250
_PAD: Final = 0.08
_FIGURES: Final = ("m", "lo", "hi")
_RAN_OUT: Final = "out_of_memory"
# In px: below it a budget is named without its figure in GB.
_LEAST_FOR_BOTH_UNITS: Final = 600


def memory_plot(view: View, series: Series, cells: Sequence[Datum], longest: float) -> Plot | None:
    """The figure; None if no setting has two clip lengths. What ran is points on lines, predictions bands."""
    able = [datum for datum in cells if "m" in datum or "hi" in datum or datum["k"] == _RAN_OUT]
    points = along_clips(able)
    found = _sizes(points)
    if not found:
        return None
    every, figure = budgets(view), memory_figure(view)
    shown = drawable(every, max(found) * units.GIB)
    is_need = figure == NEEDED
    lines = drawn(series, [datum for datum in points if "m" in datum or "hi" in datum])
    words = "Needed (GiB)" if is_need else "Memory (GiB)"
    marks = MemoryMarks(lines, points, shown, longest, words)
    lines = without_overlaps(lines, points, _FIGURES, ALIKE * marks.shortest)
    marks = replace(marks, lines=lines)
    return Plot(
        name="memory",
        title="Memory needed of the card by clip length" if is_need else "Memory by clip length",
        summary=_summary(figure, found, every, shown),
        note=" ".join(filter(None, (_note(figure, points), left_out(able, points)))),
        table="terms" if view.is_predicted else "grids",
        table_words="memory term by term" if view.is_predicted else "speed and memory by clip and length",
        key=(*lines.key(), *_key(points, shown)),
        spec=_spec(marks),
        is_wide=True,
    )


def budget_data(view: View) -> list[Datum]:
    """The dataset of the budget lines."""
    return [budget.datum(is_first=nth == 0) for nth, budget in enumerate(budgets(view))]


def _summary(figure: str, found: Sequence[float], every: list[Budget], shown: list[Budget]) -> str:
    what = "What the cells need of the card" if figure == NEEDED else f"The {figure} of the cells"
    low, high = (units.gib(round(size * units.GIB)) for size in (min(found), max(found)))
    lines = joined([budget.text for budget in shown])
    beyond = joined([budget.text for budget in every if budget not in shown])
    sentences = (
        f"{what}: {ranges.span(low, high)}.",
        f"Compared with: {lines}." if lines else "",
        f"Far above, and so not drawn: {beyond}." if beyond else "",
    )
    return " ".join(filter(None, sentences))


def _note(figure: str, cells: Sequence[Datum]) -> str:
    if _has(cells, "hi"):
        ran = (
            "Points ran; bands were predicted"
            if _has(cells, "m")
            else "Nothing ran: each band is a prediction"
        )
        return f"{ran}, from the least to the most that a cell may need."
    return "" if figure == NEEDED else f"The figure is the {figure}, not what a card must have."


def _key(cells: Sequence[Datum], shown: Sequence[Budget]) -> list[KeyEntry]:
    entries = (
        (_has(cells, "hi"), KeyEntry("swatch", "band", "predicted, least to most")),
        (bool(_ran_out(cells)), KeyEntry("symbol", "bad", "ran out of memory there", "✕")),
        (bool(shown), KeyEntry("line", "budget", "what the card has, and leaves")),
    )
    return [entry for is_there, entry in entries if is_there]


# --- the spec ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemoryMarks:
    """The drawn cells and budgets, and the ends of both axes.

    Where one setting is chosen at a time, each has a memory axis of its own: one that needs far more would
    press the others flat.
    """

    lines: Drawn
    cells: Sequence[Datum]
    budgets: Sequence[Budget]
    longest: float
    title: str

    @property
    def domain(self) -> tuple[float, float]:
        """Ends of the memory axis in GiB for all cells, with space for the names of the budgets."""
        return self._domain_of(self.cells)

    @property
    def low(self) -> str:
        """The low end as an expression."""
        return self._end(0)

    @property
    def high(self) -> str:
        """The high end as an expression."""
        return self._end(1)

    @property
    def shortest(self) -> float:
        """Length in GiB of the shortest memory axis that can be chosen."""
        return min(high - low for low, high in self._domains)

    @property
    def axis_title(self) -> str:
        """The figure and its unit, and whether the axis begins above 0."""
        return f"{self.title}{ABOVE_ZERO}" if all(low > 0 for low, _ in self._domains) else self.title

    @property
    def _domains(self) -> list[tuple[float, float]]:
        """One for each choice; all begin at 0 if any does, so that the title holds for each."""
        if self.lines.together:
            return [self.domain]
        groups = ([datum for datum in self.cells if datum["v"] in group] for group in self.lines.variants)
        found = [self._domain_of(cells) for cells in groups]
        return found if all(low > 0 for low, _ in found) else [(0.0, high) for _, high in found]

    def _end(self, side: Literal[0, 1]) -> str:
        ends = [round(domain[side], 3) for domain in self._domains]
        first = [group[0] for group in self.lines.variants]
        return f"{ends[0]}" if len(ends) == 1 else f"{ends}[indexof({first}, variant)]"

    def _domain_of(self, cells: Sequence[Datum]) -> tuple[float, float]:
        sizes = _sizes(cells)
        near = drawable(list(self.budgets), max(sizes) * units.GIB)
        edges = [size / units.GIB for one in near for size in (one.low_bytes, one.high_bytes)]
        ends = [*sizes, *edges]
        low, high = min(ends), max(ends)
        pad = (high - low or high or 1) * _PAD
        pad_for_crosses = pad if _ran_out(cells) else 0
        return max(0.0, low - pad), high + pad + pad_for_crosses


def _sizes(cells: Sequence[Datum]) -> list[float]:
    """Every figure of memory in GiB."""
    return [float(str(datum[key])) for datum in cells for key in _FIGURES if key in datum]


def _has(cells: Sequence[Datum], key: str) -> bool:
    """Whether any cell has this figure."""
    return any(key in datum for datum in cells)


def _ran_out(cells: Sequence[Datum]) -> list[Datum]:
    """The cells that ran out of memory; their need is unknown."""
    return [datum for datum in cells if datum["k"] == _RAN_OUT]


def _spec(marks: MemoryMarks) -> Spec:
    """The layers: budgets behind, then predictions, then cells that ran."""
    import altair as alt

    low, high = alt.ExprRef(marks.low), alt.ExprRef(marks.high)
    scale = alt.Scale(domainMin=low, domainMax=high, nice=False, zero=False)
    size = alt.Y("m:Q", title=marks.axis_title, scale=scale)
    layers = [
        *(_budgets(marks.high) if marks.budgets else []),
        *(_bands(marks, scale) if _has(marks.cells, "hi") else []),
        *(_runs(marks, size) if _has(marks.cells, "m") else []),
        *([_misfits(marks)] if _ran_out(marks.cells) else []),
    ]
    return to_spec(alt.layer(*layers), _HEIGHT, variant_choice(marks.lines))


def _budgets(highest: str) -> "list[alt.Chart]":
    """A line, or a band between two lines; the first has its name above it, the others below."""
    import altair as alt

    base = alt.Chart(alt.NamedData(name="budgets")).transform_filter(f"datum.lo <= {highest}")
    tip = [alt.Tooltip("text:N", title="Budget")]
    words = alt.ExprRef(f"width > {_LEAST_FOR_BOTH_UNITS} ? datum.text : datum.short")
    hue = alt.Color("hue:N", scale=None, legend=None)
    line = base.mark_rule(strokeDash=[4, 3], strokeWidth=1.2).encode(color=hue)
    above, below = (base.transform_filter(f"datum.above == {flag}") for flag in (1, 0))
    return [
        base.mark_rect(opacity=0.1).encode(y=alt.Y("lo:Q"), y2="hi:Q", color=hue),
        line.encode(y=alt.Y("hi:Q"), tooltip=tip),
        line.encode(y=alt.Y("lo:Q")),
        _named(above, words, "bottom", -3).encode(y=alt.Y("hi:Q"), color=hue),
        _named(below, words, "top", 4).encode(y=alt.Y("lo:Q"), color=hue),
    ]


def _named(
    base: "alt.Chart", words: "alt.ExprRef", baseline: Literal["top", "bottom"], dy: int
) -> "alt.Chart":
    named: alt.Chart = base.mark_text(
        align="right", baseline=baseline, dy=dy, fontSize=12, text=words, x="width"
    )
    return named


def _cells(lines: Drawn, key: str) -> "alt.Chart":
    import altair as alt

    base = alt.Chart(alt.NamedData(name="cells"))
    return base.transform_filter(f"isValid(datum.{key}) && {of_line(lines)}").transform_filter(
        of_variant(lines)
    )


def _bands(marks: MemoryMarks, scale: "alt.Scale") -> "list[alt.Chart]":
    import altair as alt

    lines = marks.lines
    base = _cells(lines, "hi").encode(x=clip_axis(marks.longest), color=token_colour(lines.series))
    edge = base.mark_line(strokeWidth=1).encode(detail="v:O", strokeDash=variant_dash(lines))
    tip = [
        alt.Tooltip("cell:N", title="Cell"),
        alt.Tooltip("bt:N", title="Predicted need"),
        alt.Tooltip("w:N", title="Verdict"),
    ]
    least = alt.Y("lo:Q", title=marks.axis_title, scale=scale)
    points = base.mark_point(filled=True, size=42, opacity=1)
    return [
        base.mark_area(opacity=0.1).encode(y=least, y2="hi:Q", detail="v:O"),
        edge.encode(y=alt.Y("lo:Q")),
        edge.encode(y=alt.Y("hi:Q")),
        points.encode(y=alt.Y("hi:Q"), shape=token_shape(lines.series), tooltip=tip),
    ]


def _runs(marks: MemoryMarks, size: "alt.Y") -> "list[alt.Chart]":
    import altair as alt

    lines = marks.lines
    base = _cells(lines, "m").encode(x=clip_axis(marks.longest), y=size, color=token_colour(lines.series))
    tip = [
        alt.Tooltip("cell:N", title="Cell"),
        alt.Tooltip("mt:N", title="Memory"),
        alt.Tooltip("w:N", title="Verdict"),
    ]
    points = base.mark_point(filled=True, size=64, opacity=1)
    return [
        base.mark_line(strokeWidth=1.8).encode(detail="v:O", strokeDash=variant_dash(lines)),
        points.encode(shape=token_shape(lines.series), tooltip=tip),
    ]


def _misfits(marks: MemoryMarks) -> "alt.Chart":
    """A cross at the top of the plot, at the clip that ran out of memory."""
    import altair as alt

    base = alt.Chart(alt.NamedData(name="cells")).transform_filter("datum.k == 'out_of_memory'")
    tip = [
        alt.Tooltip("cell:N", title="Cell"),
        alt.Tooltip("w:N", title="Verdict"),
        alt.Tooltip("why:N", title="Reason"),
    ]
    cross = base.transform_filter(of_variant(marks.lines)).mark_text(
        text="✕", fontSize=15, fontWeight=700, color="var(--bad)", baseline="top"
    )
    at_the_top: alt.Chart = cross.encode(x=clip_axis(marks.longest), y=alt.value(0), tooltip=tip)
    return at_the_top
