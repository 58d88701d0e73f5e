"""The timeline of memory in bounded space: least and most of each segment of time. Pure.

A `Timeline` takes every event of a value that holds until the next one, and halves its resolution when it is
full. `memory_trace` cuts its segments by phases, and thins them to the size of a record.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from bench.measure.energy import Floats
from bench.records.cell import MemoryTrace, Repeat
from bench.records.enums import Phase

Ints = NDArray[np.int64]
What = Literal["allocated", "process", "device"]

MOST: Final = 72
"""Most segments of one trace: below 3,000 bytes of JSON with 11-digit sizes, and hours of seconds."""
ENOUGH: Final = 2 * MOST
"""Segments that a timeline must hold, so that it has more than a trace after each halving."""
_FEWEST: Final = 8  # segments that a phase may have however short it is; the rest go by duration
_DECIMALS: Final = 6


@dataclass(frozen=True, eq=False)
class Segments:
    """Begins, ascending, and the least and most bytes until the next begin; each of shape (segments,)."""

    at_s: Floats
    low: Ints
    high: Ints

    @property
    def peak(self) -> int | None:
        """The most bytes; None without a segment."""
        return int(self.high.max()) if len(self.high) else None


class Timeline:
    """Takes any number of events, and keeps at most `most` (an even number) segments of equally many events.

    `add` runs after every operator and must be cheap: least and most of the last segment are kept apart from
    the columns, and compared without a call.
    """

    __slots__ = ("_at", "_high", "_highs", "_low", "_lows", "_most", "_open_events", "_stride")

    def __init__(self, most: int) -> None:
        self._most = most
        self._at = array("d")
        self._lows = array("q")
        self._highs = array("q")
        self._low = 0
        self._high = 0
        self._stride = 1
        self._open_events = 0  # events that the last segment still takes

    def add(self, at_s: float, low: int, high: int) -> None:
        """Add an event: least and most since the one before, which was not later."""
        if not self._open_events:
            self._open(at_s, low, high)
            return
        self._open_events -= 1
        if low < self._low:  # noqa: PLR1730
            self._low = low
        if high > self._high:  # noqa: PLR1730
            self._high = high

    def segments(self) -> Segments:
        """Return a copy of the segments."""
        self._close()
        return Segments(
            np.array(self._at, dtype=np.float64),
            np.array(self._lows, dtype=np.int64),
            np.array(self._highs, dtype=np.int64),
        )

    def _open(self, at_s: float, low: int, high: int) -> None:
        self._close()
        if len(self._at) == self._most:
            self._halve()
        self._at.append(at_s)
        self._lows.append(low)
        self._highs.append(high)
        self._low, self._high = low, high
        self._open_events = self._stride - 1

    def _close(self) -> None:
        if self._at:
            self._lows[-1], self._highs[-1] = self._low, self._high

    def _halve(self) -> None:
        """Join pairs of segments: all are full here."""
        self._at = self._at[::2]
        self._lows = array("q", map(min, self._lows[::2], self._lows[1::2]))
        self._highs = array("q", map(max, self._highs[::2], self._highs[1::2]))
        self._stride *= 2


def joined(parts: Iterable[Segments]) -> Segments:
    """Concatenate at least one part."""
    columns = zip(*((part.at_s, part.low, part.high) for part in parts), strict=True)
    return Segments(*(np.concatenate(column) for column in columns))


def cut(whole: Segments, begin_s: float, end_s: float) -> Segments:
    """Return the segments from begin to end, exclusive.

    A segment across the begin starts there; its least and most count on both sides. There is nothing before
    the first event.
    """
    first = int(np.searchsorted(whole.at_s, begin_s, side="left"))
    if first > 0 and (first == len(whole.at_s) or whole.at_s[first] > begin_s):
        first -= 1
    inside = slice(first, int(np.searchsorted(whole.at_s, end_s, side="left")))
    return Segments(np.maximum(whole.at_s[inside], begin_s), whole.low[inside], whole.high[inside])


def thinned(part: Segments, most: int) -> Segments:
    """Join segments until at most `most` are left, each of about equally many, with their least and most."""
    count = len(part.at_s)
    if count <= most:
        return part
    firsts = np.arange(most) * count // most
    return Segments(
        part.at_s[firsts], np.minimum.reduceat(part.low, firsts), np.maximum.reduceat(part.high, firsts)
    )


def memory_trace(
    whole: Segments, begins: Mapping[Phase, float], end_s: float, *, what: What, source: str
) -> MemoryTrace | None:
    """Return the trace of a generation, by the begins of its phases, in order, and its end.

    None without an event between its begin and its end.
    """
    edges = [*begins.values(), end_s]
    if not np.any((whole.at_s >= edges[0]) & (whole.at_s < end_s)):
        return None
    shares = _shares(edges)
    parts = [thinned(cut(whole, *edge), most) for edge, most in zip(pairwise(edges), shares, strict=True)]
    seen = joined(parts)
    return MemoryTrace(
        what=what,
        source=source,
        times_s=tuple(round(time, _DECIMALS) for time in (seen.at_s - edges[0]).tolist()),
        low_bytes=tuple(seen.low.tolist()),
        high_bytes=tuple(seen.high.tolist()),
        end_s=round(end_s - edges[0], _DECIMALS),
        phases={phase: round(begin - edges[0], _DECIMALS) for phase, begin in begins.items()},
    )


def _shares(edges: list[float]) -> Iterator[int]:
    """Segments that each phase may have; together at most MOST."""
    total = edges[-1] - edges[0]
    spare = MOST - _FEWEST * (len(edges) - 1)
    for begin, end in pairwise(edges):
        yield _FEWEST + int(spare * (end - begin) / total)


def trace_of_repeat(
    whole: Segments, repeat: Repeat, begin_s: float, *, what: What, source: str
) -> MemoryTrace | None:
    """Return the trace of a timed generation that began at `begin_s`; None where its phases are unknown."""
    if repeat.preprocess_s is None or repeat.encode_s is None:
        return None
    begins = {
        Phase.PREPROCESS: 0.0,
        Phase.ENCODE: repeat.preprocess_s,
        Phase.PREFILL: repeat.preprocess_s + repeat.encode_s,
        Phase.DECODE: repeat.time_to_first_token_s,
    }
    at = {phase: begin_s + begin for phase, begin in begins.items()}
    return memory_trace(whole, at, begin_s + repeat.latency_s, what=what, source=source)
