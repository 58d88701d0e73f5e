"""Memory over one generation of a cell, with its phases; the cell is chosen in a native <select>."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bench import units
from bench.records.cell import MemoryTrace
from bench.report.details import PHASES
from bench.report.interface import Row, View
from bench.report.plots import theme
from bench.report.plots.interface import Datum, KeyEntry, Plot, Spec, counted, joined
from bench.report.plots.marks import ABOVE_ZERO, choice, to_spec
from bench.report.plots.series import Series

if TYPE_CHECKING:
    import altair as alt

MAX_TRACES: Final = 200
# Segments of all traces together, at about 13 bytes each: little next to 0.7 MB of Vega and the tables.
_SEGMENTS: Final = 8_000
_MOST: Final = 120
_LEAST: Final = 32
_SMALL_BYTES: Final = 2 * units.GIB
_HEIGHT: Final = 280
# Share of the highest below which an axis from 0 shows the course as well.
_LOW: Final = 0.5
_WHOLE: Final = 0
_FIRST: Final = 1

Segment = tuple[float, int, int]
"""Begin in seconds, and the least and the most bytes from there to the next begin."""

_MEASURES: Final = {
    "allocated": "allocated by the framework",
    "process": "taken by the process",
    "device": "in use on the whole card",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of the axis, and the 1024th of it, in which the data are counted."""

    name: str
    step_bytes: int


def unit_of(rows: Sequence[Row]) -> Unit:
    """GiB in steps of a MiB; for a tiny model MiB in steps of a KiB."""
    most = max((max(row.trace.high_bytes, default=0) for row in rows if row.trace), default=0)
    return Unit("MiB", 2**10) if most < _SMALL_BYTES else Unit("GiB", 2**20)


def traced(view: View) -> tuple[Row, ...]:
    """The cells that have a memory trace; one segment alone shows no change."""
    return tuple(row for row in view.rows if row.trace is not None and len(segments(row.trace)) > 1)


def traces(rows: Sequence[Row], series: Series) -> list[Datum]:
    """One datum for each trace, as parallel lists over its segments and phases.

    `t`: begins of the segments in ms; `lo`: the least; `up`: the most less the least, both in steps of the
    unit. `ph`, `pb`, `pe`: names, begins and ends of the phases. Too many segments are joined; the least and
    the most of each are kept.
    """
    unit, shown = unit_of(rows), rows[:MAX_TRACES]
    most = max(_LEAST, min(_MOST, _SEGMENTS // max(1, len(shown))))
    return [
        {"i": nth, "cell": series.words(row), **_datum(row.trace, most, unit)}
        for nth, row in enumerate(shown)
        if row.trace is not None
    ]


def _datum(trace: MemoryTrace, most: int, unit: Unit) -> Datum:
    thinned = thin(segments(trace), most)
    end = _ms(max(trace.end_s, thinned[-1][0]))
    lows = [round(low / unit.step_bytes) for _, low, _ in thinned]
    rises = [round(high / unit.step_bytes) - low for (_, _, high), low in zip(thinned, lows, strict=True)]
    phases = sorted(trace.phases.items(), key=lambda item: item[1])
    begins = [_ms(begin) for _, begin in phases]
    return {
        "t": [*(_ms(begin) for begin, _, _ in thinned), end],
        "lo": [*lows, lows[-1]],
        "up": [*rises, rises[-1]],
        "ph": [PHASES[phase] for phase, _ in phases],
        "pb": begins,
        "pe": [*begins[1:], end] if phases else [],
    }


def _ms(time_s: float) -> int:
    return round(1000 * time_s)


def segments(trace: MemoryTrace) -> list[Segment]:
    """Segments of a trace. Lists of unequal length, in a broken record, end with the shortest."""
    return list(zip(trace.times_s, trace.low_bytes, trace.high_bytes, strict=False))


def thin(parts: Sequence[Segment], most: int) -> list[Segment]:
    """At most that many segments: neighbours are joined and keep their least and their most."""
    count = min(most, len(parts))
    edges = [nth * len(parts) // count for nth in range(count + 1)] if count else []
    groups = (parts[begin:end] for begin, end in pairwise(edges))
    return [
        (group[0][0], min(low for _, low, _ in group), max(high for _, _, high in group)) for group in groups
    ]


# --- the figure -------------------------------------------------------------------------------------------


def trace_plot(view: View, rows: Sequence[Row], traces: Sequence[Datum]) -> Plot | None:
    """The figure; None where no cell has a trace."""
    if not traces:
        return None
    what = list(dict.fromkeys(_MEASURES[row.trace.what] for row in rows if row.trace))
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
        spec=_spec(
            traces,
            [name for name in theme.PHASES if name in names],
            unit_of(rows).name,
            from_zero=_begins_low(rows),
        ),
        is_wide=True,
    )


def _sources(sources: list[str]) -> str:
    return f"Source: {joined(sources)}. The band is from the least to the most of each segment of time."


def _limits(view: View, cells: int) -> str:
    emulated = "The time is that of the device that emulated the card." if view.is_emulated else ""
    single = (
        "Each is of one run, the newest that watched: a course over time has no median."
        if view.merged
        else ""
    )
    rest = f"The first {MAX_TRACES} of {cells:,} cells; the record has all." if cells > MAX_TRACES else ""
    return " ".join(filter(None, (single, emulated, rest)))


def _spec(traces: Sequence[Datum], names: list[str], unit: str, *, from_zero: bool) -> Spec:
    import altair as alt

    params = [
        choice("cell", "Cell", [(nth, str(datum["cell"])) for nth, datum in enumerate(traces)]),
        choice("span", "Time", [(_WHOLE, "whole generation"), (_FIRST, "until the last phase begins")]),
    ]
    hues = alt.Color(
        "ph:N", scale=alt.Scale(domain=names, range=[theme.PHASES[name] for name in names]), legend=None
    )
    layers = [*_phase_layers(hues), *_memory_layers(unit, from_zero=from_zero)]
    return to_spec(alt.layer(*layers), _HEIGHT, params)


def _begins_low(rows: Sequence[Row]) -> bool:
    """Whether any trace begins so low that an axis from 0 costs little."""
    found = (segments(row.trace) for row in rows if row.trace is not None)
    return any(min(low for _, low, _ in parts) < _LOW * max(high for _, _, high in parts) for parts in found)


def _chosen() -> "alt.Chart":
    """The chosen cell, with the end of its shown part as `cut`: decoding is long and has no peak."""
    import altair as alt

    one = alt.Chart(alt.NamedData(name="traces")).transform_filter("datum.i == cell")
    return one.transform_calculate(
        cut=f"span == {_WHOLE} || !length(datum.pb) ? peek(datum.t) : peek(datum.pb)"
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


def _memory_layers(unit: str, *, from_zero: bool) -> "list[alt.Chart]":
    import altair as alt

    memory = (
        _chosen()
        .transform_flatten(["t", "lo", "up"])
        .transform_filter("datum.t <= datum.cut")
        .transform_calculate(s="datum.t / 1000", l="datum.lo / 1024", h="(datum.lo + datum.up) / 1024")
    )
    time = alt.X("s:Q", title="Seconds since the generation began", scale=alt.Scale(nice=False))
    scale = alt.Scale(zero=True) if from_zero else alt.Scale(zero=False, padding=10)
    title = f"Memory ({unit})" if from_zero else f"Memory ({unit}){ABOVE_ZERO}"
    low, high = alt.Y("l:Q", title=title, scale=scale), alt.Y("h:Q", scale=scale)
    tip = [
        alt.Tooltip("s:Q", title="At (s)", format=".4~r"),
        alt.Tooltip("l:Q", title=f"Least ({unit})", format=".2f"),
        alt.Tooltip("h:Q", title=f"Most ({unit})", format=".2f"),
    ]
    hue = theme.SERIES[2]
    return [
        memory.mark_area(interpolate="step-after", color=hue, opacity=0.35).encode(x=time, y=low, y2="h:Q"),
        memory.mark_line(interpolate="step-after", color=hue, strokeWidth=1.6).encode(x=time, y=high),
        memory.mark_point(color=hue, opacity=0, size=90, filled=True).encode(x=time, y=high, tooltip=tip),
    ]
