"""Whether a comparison in alternation knows its gates well enough to end."""

import math
from collections.abc import Sequence
from typing import Final

from bench.compare.gates import Gate
from bench.records.comparison import Change, Comparison
from bench.records.metrics import METRICS, Kind

FEWEST_PAIRS: Final = 8
"""Below it an interval may be narrow by chance."""
MARGIN: Final = 0.5
"""Of the limit. Beyond it a record by itself is too noisy for a gate, too."""


def is_enough(comparison: Comparison, gates: Sequence[Gate]) -> bool:
    """Whether every gate is told, the change of timed metrics within half its limit; never without gates.

    That a difference shows is not enough: the oftener one looks for one, the likelier chance makes it. Only
    where its interval is narrow is a change beyond the limit far from none at all.
    """
    (against,) = comparison.against
    told = zip(gates, against.gates, strict=True)
    return bool(gates) and all(
        is_told(gate, against.overall.get(gate.metric), result.result) for gate, result in told
    )


def is_told(gate: Gate, change: Change | None, result: str) -> bool:
    """Whether more pairs would tell no more: `result` is what the gate says of those that there are."""
    if METRICS[gate.metric].kind is not Kind.TIMED:
        return True  # the same in every pair
    return result != "cannot_tell" and is_narrow(gate, change)


def is_narrow(gate: Gate, change: Change | None) -> bool:
    """Whether half the interval over the pairs is within half the limit; as logarithms, as pairs are held."""
    if change is None or change.interval is None:
        return False
    low, high = (math.log1p(end) for end in (change.interval.low, change.interval.high))
    return change.n_base >= FEWEST_PAIRS and (high - low) / 2 <= MARGIN * abs(math.log1p(gate.limit))
