"""Ranges in words: the unit once where both ends have it, and both units where confusion costs memory."""

from bench import units
from bench.records.base import ByteInterval, Interval
from bench.records.metrics import IntervalKind, Metric
from bench.records.prediction import Term
from bench.wording import phrases


def span(low: str, high: str) -> str:
    """`47.0 tok/s`, `47.8 tok/s` -> `47.0–47.8 tok/s`: the unit once, where both have the same."""
    number, _, unit = low.rpartition(" ")
    if low == high:
        return low
    if " " not in low and " " not in high:
        return f"{low}–{high}"
    if number and " " not in number and high.rpartition(" ")[2] == unit and high.count(" ") == 1:
        return f"{number}–{high}"
    return f"{low} – {high}"


def of_metric(metric: Metric, low: float | None, high: float | None) -> str:
    """`47.0–47.8 tok/s`: an interval of a metric."""
    return span(units.quantity(low, metric.unit), units.quantity(high, metric.unit))


def of_repeats(metric: Metric, ends: Interval, kind: IntervalKind | None, n: int | None) -> str:
    """`47.0–47.8 tok/s, range of 3`: an interval over the repeats of one record, and its kind where known."""
    words = of_metric(metric, ends.low, ends.high)
    return words if kind is None else f"{words}, {phrases.interval(kind, n)}"


def gib(size: ByteInterval | Term | None) -> str:
    """`10.94–11.72 GiB`, of little memory in MiB; one figure where both ends read the same."""
    return units.NOT_AVAILABLE if size is None else span(*units.gib_range(*_ends(size)))


def gb(size: ByteInterval | None) -> str:
    """`11.75–12.58 GB`: never without the same in GiB next to it."""
    return units.NOT_AVAILABLE if size is None else span(*map(units.gb, _ends(size)))


def both_units(size: ByteInterval | None) -> str:
    """`11.75–12.58 GB (10.94–11.72 GiB)`."""
    return units.NOT_AVAILABLE if size is None else f"{gb(size)} ({gib(size)})"


def _ends(size: ByteInterval | Term) -> tuple[int, int]:
    if isinstance(size, Term):
        return size.low_bytes, size.high_bytes
    return size.low, size.high
