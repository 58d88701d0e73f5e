"""Whether a comparison in alternation knows its gates well enough to end."""

import math
from collections.abc import Sequence
from typing import Final

from bench.judge.compare.gates import Gate
from bench.judge.compare.kinds import Kind, kind_of
from bench.records.comparison import Change, Comparison

FEWEST_PAIRS: Final = 8
"""Below it an interval may be narrow by chance."""
MARGIN: Final = 0.5
"""Of the limit. Beyond it a record by itself is too noisy for a gate, too."""


def is_enough(comparison: Comparison, gates: Sequence[Gate]) -> bool:
    """Whether the change of every gated timed metric is known within half its limit; never without gates.

    It looks at how wide an interval is and not at where it lies: ending once a difference shows would make
    false alarms likelier, the oftener one looks.
    """
    (against,) = comparison.against
    timed = [gate for gate in gates if kind_of(gate.metric) is Kind.TIMED]
    return bool(gates) and all(is_narrow(gate, against.overall.get(gate.metric)) for gate in timed)


def is_narrow(gate: Gate, change: Change | None) -> bool:
    """Whether half the interval over the pairs is within half the limit; as logarithms, as pairs are held."""
    if change is None or change.interval is None:
        return False
    low, high = (math.log1p(end) for end in (change.interval.low, change.interval.high))
    return change.n_base >= FEWEST_PAIRS and (high - low) / 2 <= MARGIN * abs(math.log1p(gate.limit))
