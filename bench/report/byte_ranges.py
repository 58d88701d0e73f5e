"""Ranges of bytes in words: the unit once, and both units where confusion costs memory."""

from collections.abc import Callable

from bench import units
from bench.records.base import Interval
from bench.records.prediction import Term
from bench.report.metrics import span


def gib(size: Interval | None) -> str:
    """`10.94–11.72 GiB`; one figure where both ends read the same."""
    return units.NOT_AVAILABLE if size is None else _between(size, units.gib)


def gb(size: Interval | None) -> str:
    """`11.75–12.58 GB`: never without the same in GiB beside it."""
    return units.NOT_AVAILABLE if size is None else _between(size, units.gb)


def both(size: Interval | None) -> str:
    """`11.75–12.58 GB (10.94–11.72 GiB)`."""
    return units.NOT_AVAILABLE if size is None else f"{gb(size)} ({gib(size)})"


def of_term(term: Term) -> Interval:
    """The range of a cost."""
    return Interval(low=term.low_bytes, high=term.high_bytes)


def _between(size: Interval, write: Callable[[int], str]) -> str:
    return span(write(round(size.low)), write(round(size.high)))
