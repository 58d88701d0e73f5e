"""The dataset of memory over time: one datum for each cell that was watched, small enough for a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bench import units
from bench.records.record import MemoryTrace
from bench.report.details import PHASES
from bench.report.interface import Row, View
from bench.report.plots.interface import Datum
from bench.report.plots.series import Series

MAX_TRACES: Final = 200
# Beside 0.7 MB of Vega and the tables there is room for so many stretches, at about 13 bytes each.
_STRETCHES: Final = 8_000
_MOST: Final = 120
_LEAST: Final = 32
_SMALL_BYTES: Final = 2 * units.GIB

WHAT: Final = {
    "allocated": "allocated by the framework",
    "process": "taken by the process",
    "device": "in use on the whole card",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """What sizes are drawn in, and the 1024th of it that the data count in."""

    name: str
    step_bytes: int


def unit_of(rows: Sequence[Row]) -> Unit:
    """GiB in steps of a MiB; for a tiny model MiB in steps of a KiB."""
    most = max((max(row.trace.high_bytes, default=0) for row in rows if row.trace), default=0)
    return Unit("MiB", 2**10) if most < _SMALL_BYTES else Unit("GiB", 2**20)


def traced(view: View) -> tuple[Row, ...]:
    """The cells whose memory was watched over time."""
    return tuple(row for row in view.rows if row.trace is not None and stretches(row.trace))


def traces(rows: Sequence[Row], series: Series) -> list[Datum]:
    """`t` begin of each stretch in ms, `lo` its least, `up` how much more its most is, in steps of the unit.

    `ph`, `pb`, `pe`: names, begins and ends of the phases. Stretches are put together where there are too
    many; the least and the most of each are kept.
    """
    unit, shown = unit_of(rows), rows[:MAX_TRACES]
    most = max(_LEAST, min(_MOST, _STRETCHES // max(1, len(shown))))
    return [
        {"i": nth, "cell": series.words(row), **_course(row.trace, most, unit)}
        for nth, row in enumerate(shown)
        if row.trace is not None
    ]


def _course(trace: MemoryTrace, most: int, unit: Unit) -> Datum:
    thinned = thin(stretches(trace), most)
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


def stretches(trace: MemoryTrace) -> list[tuple[float, int, int]]:
    """Begin, least and most of each stretch; what a broken record has too much of is left out."""
    return list(zip(trace.times_s, trace.low_bytes, trace.high_bytes, strict=False))


def thin(parts: Sequence[tuple[float, int, int]], most: int) -> list[tuple[float, int, int]]:
    """At most that many stretches: neighbours put together, with the least and the most of them."""
    count = min(most, len(parts))
    edges = [nth * len(parts) // count for nth in range(count + 1)] if count else []
    groups = (parts[begin:end] for begin, end in pairwise(edges))
    return [
        (group[0][0], min(low for _, low, _ in group), max(high for _, _, high in group)) for group in groups
    ]
