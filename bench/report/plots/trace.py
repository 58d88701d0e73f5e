"""Memory over one generation of a cell, with its phases; the cell is chosen in a native <select>."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bench.report.interface import Row, View
from bench.report.plots import theme
from bench.report.plots.interface import Datum, KeyEntry, Plot, Spec, counted, joined
from bench.report.plots.marks import choice, to_spec
from bench.report.plots.traces import MAX_TRACES, WHAT, unit_of

if TYPE_CHECKING:
    import altair as alt

_HEIGHT: Final = 280
WHOLE: Final = 0
FIRST: Final = 1


def trace_plot(view: View, rows: Sequence[Row], traces: Sequence[Datum]) -> Plot | None:
    """None where nobody watched."""
    if not traces:
        return None
    what = list(dict.fromkeys(WHAT[row.trace.what] for row in rows if row.trace))
    sources = list(dict.fromkeys(row.trace.source for row in rows if row.trace))
    names = {name for datum in traces if isinstance(datum["ph"], list) for name in datum["ph"]}
    return Plot(
        name="trace",
        title="Memory over time",
        summary=f"Memory {joined(what)}, over one generation; {counted(len(traces))} to choose from.",
        note=" ".join(filter(None, (_sources(sources), _limits(view, len(rows))))),
        table="phases",
        table_words="memory per phase",
        key=tuple(
            KeyEntry("swatch", f"q-{name.lower()}", name.lower()) for name in theme.PHASES if name in names
        ),
        spec=_spec(traces, [name for name in theme.PHASES if name in names], unit_of(rows).name),
        is_wide=True,
    )


def _sources(sources: list[str]) -> str:
    return f"Told by: {joined(sources)}. The band is from the least to the most of each stretch of time."


def _limits(view: View, cells: int) -> str:
    played = "The time is that of the device that played the card." if view.is_emulated else ""
    single = (
        "Each is of one run, the newest that watched: a course over time has no median."
        if view.merged
        else ""
    )
    rest = f"The first {MAX_TRACES} of {cells:,} cells; the record has all." if cells > MAX_TRACES else ""
    return " ".join(filter(None, (single, played, rest)))


def _spec(traces: Sequence[Datum], names: list[str], unit: str) -> Spec:
    import altair as alt

    params = [
        choice("cell", "Cell", [(nth, str(datum["cell"])) for nth, datum in enumerate(traces)]),
        choice("span", "Time", [(WHOLE, "whole generation"), (FIRST, "until the last phase begins")]),
    ]
    hues = alt.Color(
        "ph:N", scale=alt.Scale(domain=names, range=[theme.PHASES[name] for name in names]), legend=None
    )
    layers = [*_phase_layers(hues), *_course_layers(unit)]
    return to_spec(alt.layer(*layers), _HEIGHT, params)


def _chosen() -> "alt.Chart":
    """The one cell, with the end of what is shown of it: decoding takes most of the time, and has no peak."""
    import altair as alt

    one = alt.Chart(alt.NamedData(name="traces")).transform_filter("datum.i == cell")
    return one.transform_calculate(
        cut=f"span == {WHOLE} || !length(datum.pb) ? peek(datum.t) : peek(datum.pb)"
    )


def _phase_layers(hues: "alt.Color") -> "list[alt.Chart]":
    import altair as alt

    phases = (
        _chosen()
        .transform_flatten(["ph", "pb", "pe"])
        .transform_filter("datum.pb < datum.cut")
        .transform_calculate(b="datum.pb / 1000", e="min(datum.pe, datum.cut) / 1000")
    )
    tip = [alt.Tooltip("ph:N", title="Phase"), alt.Tooltip("b:Q", title="From (s)", format=".4~r")]
    whole = {"y": alt.value(0), "y2": alt.value("height")}
    return [
        phases.mark_rect(opacity=0.16).encode(x=alt.X("b:Q"), x2="e:Q", color=hues, tooltip=tip, **whole),
        phases.mark_rule(strokeWidth=2).encode(x=alt.X("b:Q"), color=hues),
    ]


def _course_layers(unit: str) -> "list[alt.Chart]":
    import altair as alt

    course = (
        _chosen()
        .transform_flatten(["t", "lo", "up"])
        .transform_filter("datum.t <= datum.cut")
        .transform_calculate(s="datum.t / 1000", l="datum.lo / 1024", h="(datum.lo + datum.up) / 1024")
    )
    time = alt.X("s:Q", title="Seconds since the generation began", scale=alt.Scale(nice=False))
    scale = alt.Scale(zero=False, padding=10)
    low, high = alt.Y("l:Q", title=f"Memory ({unit})", scale=scale), alt.Y("h:Q", scale=scale)
    tip = [
        alt.Tooltip("s:Q", title="At (s)", format=".4~r"),
        alt.Tooltip("l:Q", title=f"Least ({unit})", format=".2f"),
        alt.Tooltip("h:Q", title=f"Most ({unit})", format=".2f"),
    ]
    hue = theme.SERIES[2]
    return [
        course.mark_area(interpolate="step-after", color=hue, opacity=0.35).encode(x=time, y=low, y2="h:Q"),
        course.mark_line(interpolate="step-after", color=hue, strokeWidth=1.6).encode(x=time, y=high),
        course.mark_point(color=hue, opacity=0, size=90, filled=True).encode(x=time, y=high, tooltip=tip),
    ]
