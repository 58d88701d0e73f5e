"""What kind of figure a metric is: that decides what its difference means."""

from enum import Enum, auto
from typing import Final

from bench.judge.metrics import METRICS, Better
from bench.records.comparison import Word


class Kind(Enum):
    """`COUNTED` repeats to the byte; `WATCHED` is as good as the watching; `TIMED` varies with everything."""

    COUNTED = auto()
    WATCHED = auto()
    TIMED = auto()


_COUNTED: Final = frozenset({"allocated_peak_bytes", "reserved_peak_bytes", "generated_tokens"})
_WATCHED: Final = frozenset({"process_peak_bytes", "device_peak_bytes", "resident_peak_bytes"})
_AMOUNTS: Final = frozenset({"bandwidth_fraction", "bf16_fraction"})


def kind_of(metric: str) -> Kind:
    """The kind of a metric of `METRICS`."""
    if metric in _COUNTED:
        return Kind.COUNTED
    return Kind.WATCHED if metric in _WATCHED else Kind.TIMED


def word(metric: str, change: float) -> Word:
    """The word for a change that is there."""
    if _is_speed(metric):
        return Word.FASTER if is_better(metric, change) else Word.SLOWER
    return Word.MORE if change > 0 else Word.LESS


def is_better(metric: str, change: float) -> bool:
    """Whether a change goes the good way."""
    return (change > 0) == (METRICS[metric] is Better.HIGHER)


def _is_speed(metric: str) -> bool:
    is_amount = metric.startswith("energy_") or metric in _AMOUNTS
    return kind_of(metric) is Kind.TIMED and not is_amount
