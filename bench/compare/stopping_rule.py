"""When a comparison in alternation has enough pairs to decide its gates."""

import math
from collections.abc import Sequence
from typing import Final

from bench.compare.gates import Gate
from bench.records.comparison import Change, Comparison, Decision
from bench.records.metrics import METRICS, Kind

FEWEST_PAIRS: Final = 8
"""With fewer, an interval may be narrow by chance."""
MARGIN: Final = 0.5
"""Of the limit. Beyond it a record by itself is too noisy for a gate, too."""


def may_stop(comparison: Comparison, gates: Sequence[Gate]) -> bool:
    """True when further pairs cannot change any gate's decision; never without gates.

    That a difference shows does not suffice: the more often one looks for one, the likelier chance makes it.
    Only where its interval is narrow is a change beyond the limit far from none at all.
    """
    (against,) = comparison.against
    results = zip(gates, against.gates, strict=True)
    return bool(gates) and all(
        is_settled(gate, against.overall.get(gate.metric), result.decision) for gate, result in results
    )


def is_settled(gate: Gate, change: Change | None, decision: Decision | None) -> bool:
    """True when further pairs cannot change the decision: the gate's, over the pairs so far."""
    if METRICS[gate.metric].kind is not Kind.TIMED:
        return True  # the same in every pair
    return decision != "undecided" and _is_narrow(gate, change)


def _is_narrow(gate: Gate, change: Change | None) -> bool:
    """Whether half the interval over the pairs is within half the limit, both as logarithms."""
    if change is None or change.interval is None:
        return False
    low, high = (math.log1p(end) for end in (change.interval.low, change.interval.high))
    return change.n_base >= FEWEST_PAIRS and (high - low) / 2 <= MARGIN * abs(math.log1p(gate.limit))
