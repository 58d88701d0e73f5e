"""The dataset of memory over time: one datum for each cell that was watched, small enough for a page."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from bench import units
from bench.records.schema import MemoryTrace
from bench.records.words import Phase
from bench.report.interface import Row, View
from bench.report.plots.interface import Datum
from bench.report.plots.series import Series
from bench.report.rows import PHASES

MAX_TRACES: Final = 200
# All traces of a page together have so many stretches: 20 bytes each, beside 0.7 MB of Vega.
_STRETCHES: Final = 9_600
_MOST: Final = 120
_LEAST: Final = 32

WHAT: Final = {
    "allocated": "allocated by the framework",
    "process": "taken by the process",
    "device": "in use on the whole card",
}


def traced(view: View) -> tuple[Row, ...]:
    """The cells whose memory was watched over time."""
    return tuple(row for row in view.rows if row.trace is not None and row.trace.times_s)


def traces(rows: Sequence[Row], series: Series) -> list[Datum]:
    """`t` begin of each stretch in ms, `lo` and `hi` MiB; `ph`, `pb`, `pe` phases with begin and end.

    The last stretch ends with the generation. Stretches are put together where there are too many; the
    least and the most of each are kept.
    """
    shown = rows[:MAX_TRACES]
    most = max(_LEAST, min(_MOST, _STRETCHES // max(1, len(shown))))
    return [_datum(nth, row, row.trace, most, series) for nth, row in enumerate(shown) if row.trace]


def _datum(nth: int, row: Row, trace: MemoryTrace, most: int, series: Series) -> Datum:
    thinned = thin(stretches(trace), most)
    end = round(1000 * max(trace.end_s, trace.times_s[-1]))
    lows, highs = [_mib(low) for _, low, _ in thinned], [_mib(high) for _, _, high in thinned]
    phases = _phases(trace)
    return {
        "i": nth,
        "cell": row.shape if len(series.variants) == 1 else f"{row.shape}, {row.variant}",
        "t": [*(round(1000 * begin) for begin, _, _ in thinned), end],
        "lo": [*lows, lows[-1]],
        "hi": [*highs, highs[-1]],
        "ph": [PHASES[phase] for phase, _ in phases],
        "pb": [round(1000 * begin) for _, begin in phases],
        "pe": [*(round(1000 * begin) for _, begin in phases[1:]), end] if phases else [],
    }


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


def _phases(trace: MemoryTrace) -> list[tuple[Phase, float]]:
    return sorted(trace.phases.items(), key=lambda item: item[1])


def _mib(size_bytes: int) -> int:
    return round(size_bytes / units.MIB)
