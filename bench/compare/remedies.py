"""Steps that would decide a gate on a timed metric: the approximate number of runs or pairs."""

import math
from typing import Final

from bench.compare.ranks import ALPHA, smallest_rank_sum_p, smallest_signed_rank_p
from bench.records.comparison import Change, Unit
from bench.records.comparison_reasons import AtTheLimit, GateRemedy, RunPairs, RunProcesses

MOST: Final = 1000
"""More runs than that are asked of nobody."""


def enough(change: Change, limit: float, end: float | None, cells: int) -> GateRemedy:
    """Number of runs that would bring the end of the interval to the limit: it narrows with their root.

    `end`: the end of the interval that is beyond the limit; None where there is no interval. `cells`: how
    many are looked at, of which one has to show a change.
    """
    is_pairs = change.unit is Unit.PAIR
    least = _fewest(cells, is_pairs=is_pairs)
    if change.unit not in {Unit.PAIR, Unit.PROCESS} or end is None or change.change is None:
        return _asked(least, is_pairs=is_pairs)
    by, reach, far = (_log(one) for one in (change.change, end, limit))
    if by == far:
        return AtTheLimit()
    now = min(change.n_base, change.n_new)
    needed = math.ceil(now * min((reach - by) / (far - by), float(MOST)) ** 2)
    return AtTheLimit() if needed > MOST else _asked(max(least, needed, now + 1), is_pairs=is_pairs)


def _fewest(cells: int, *, is_pairs: bool) -> int:
    """Return the fewest values with which the test can show a change in one of `cells` cells."""
    for count in range(2, MOST):
        smallest = smallest_signed_rank_p(count) if is_pairs else smallest_rank_sum_p(count, count)
        if smallest <= ALPHA / cells:
            return count
    return MOST


def _asked(count: int, *, is_pairs: bool) -> GateRemedy:
    return RunPairs(pairs=count + count % 2) if is_pairs else RunProcesses(runs=count)


def _log(change: float) -> float:
    return math.log1p(max(change, -1 + 1e-9))
