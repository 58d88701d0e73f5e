"""Energy of a timed span from the samples of a card. Pure: arrays in, joules out.

The counter is preferred: it misses nothing between two samples, while the reported power may be a mean over
the last second. Where a counter exists and cannot resolve a span, the power is not used instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Span = tuple[float, float]
Source = Literal["energy counter", "integrated power"]

_FEWEST: Final = 2  # samples inside a span, below which its edges alone would make the figure


@dataclass(frozen=True, eq=False)
class Trace:
    """Power and energy counter at ascending times, each of shape (samples,); NaN where not reported."""

    at_s: Floats
    power_w: Floats
    energy_j: Floats


def energies(trace: Trace, spans: Sequence[Span]) -> tuple[Source | None, tuple[float, ...]]:
    """Return the source and the joules of each span; (None, ()) unless every span has a figure."""
    has_counter = bool(np.any(~np.isnan(trace.energy_j)))
    of_span = counted if has_counter else integrated
    found = [of_span(trace, begin, end) for begin, end in spans]
    known = tuple(energy for energy in found if energy is not None)
    if not known or len(known) < len(found):
        return None, ()
    return ("energy counter" if has_counter else "integrated power"), known


def counted(trace: Trace, begin_s: float, end_s: float) -> float | None:
    """Joules from the counter, interpolated between the samples at which it changed.

    Drivers renew it every 20 to 100 ms: a sample in between repeats the last figure, and would put the energy
    of a whole step on one side of the span's edge. None if the counter ran backwards (a new driver).
    """
    at, energy = _moves(trace)
    if not _covers(at, begin_s, end_s) or np.any(np.diff(_reported(trace.at_s, trace.energy_j)[1]) < 0):
        return None
    return float(np.interp(end_s, at, energy) - np.interp(begin_s, at, energy))


def is_awaited(trace: Trace, end_s: float) -> bool:
    """Whether a counter exists that has not changed since the end of the span."""
    at, _ = _moves(trace)
    return bool(np.any(~np.isnan(trace.energy_j)) and (len(at) == 0 or at[-1] < end_s))


def integrated(trace: Trace, begin_s: float, end_s: float) -> float | None:
    """Joules from the power, by the trapezoidal rule; its value at both edges is interpolated."""
    at, power = _reported(trace.at_s, trace.power_w)
    if not _covers(at, begin_s, end_s):
        return None
    inner = at[(at > begin_s) & (at < end_s)]
    times = np.concatenate(([begin_s], inner, [end_s]))
    watts = np.interp(times, at, power)
    return float(np.sum((watts[1:] + watts[:-1]) / 2 * np.diff(times)))


def within(at_s: Floats, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Mask of the times within any of the spans; shape (samples,)."""
    inside = np.zeros(len(at_s), dtype=np.bool_)
    for begin, end in spans:
        inside |= (at_s >= begin) & (at_s <= end)
    return inside


def _reported(at_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    reported = ~np.isnan(values)
    return at_s[reported], values[reported]


def _moves(trace: Trace) -> tuple[Floats, Floats]:
    """Return the samples at which the counter changed; the age of the first figure is unknown."""
    at, energy = _reported(trace.at_s, trace.energy_j)
    moved = np.flatnonzero(np.diff(energy)) + 1
    return at[moved], energy[moved]


def _covers(at_s: Floats, begin_s: float, end_s: float) -> bool:
    """Whether samples lie before, in and after the span, so that nothing is extrapolated."""
    if np.count_nonzero(within(at_s, [(begin_s, end_s)])) < _FEWEST:
        return False
    return bool(at_s[0] <= begin_s and at_s[-1] >= end_s)
