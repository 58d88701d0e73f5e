"""Rank tests, exact for small samples with ties: numbers in, p out. Two-sided, twice the smaller tail.

Rank sum: Mann and Whitney 1947. Signed rank: Wilcoxon 1945, zeros left out. Ties get their mean rank, and the
exact distribution is that of the permutations of those ranks; scipy's exact tests take no ties
(tests/benchmarks/test_ranks.py).

Each test has its interval: the shifts that it would not reject (Hodges and Lehmann 1963; Hollander, Wolfe and
Chicken 2014, 3.3 and 4.3). It excludes 0 where p is not above the level.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np

ALPHA: Final = 0.05
"""A difference is shown where p is not above it."""

# Up to this number of values all permutations are counted; beyond it the normal approximation is close.
_EXACT_UP_TO: Final = 40
_PAIRS_UP_TO: Final = 200


def rank_sum_p(base: Sequence[float], new: Sequence[float]) -> float:
    """Two-sided p that both sides are alike; both have values."""
    ranks = _doubled_ranks(np.asarray([*base, *new], dtype=np.float64))
    rank_sum = int(ranks[: len(base)].sum())
    if ranks.size <= _EXACT_UP_TO:
        return _two_sided(_sums(ranks, len(base)), rank_sum)
    return _normal_rank_sum(ranks / 2, len(base), rank_sum / 2)


def smallest_rank_sum_p(base: int, new: int) -> float:
    """Smallest two-sided p that samples of these sizes can have: that of samples that do not overlap."""
    return min(1.0, 2 / math.comb(base + new, base))


def signed_rank_p(differences: Sequence[float]) -> float:
    """Two-sided p that differences are spread around 0 alike on both sides; 1 where all are 0."""
    values = np.asarray([value for value in differences if value], dtype=np.float64)
    if not values.size:
        return 1.0
    ranks = _doubled_ranks(np.abs(values))
    positive = int(ranks[values > 0].sum())
    return (
        _exact_signed_rank(ranks, positive)
        if values.size <= _PAIRS_UP_TO
        else _normal_signed_rank(ranks, positive)
    )


def _exact_signed_rank(ranks: np.ndarray, positive: int) -> float:
    return _two_sided(_signed_rank_chances(ranks), positive)


def _signed_rank_chances(ranks: np.ndarray) -> np.ndarray:
    """Return the probability of each sum of ranks; each rank is in the sum with probability 1/2."""
    chances = np.ones(1)
    for rank in ranks:
        longer = np.zeros(chances.size + int(rank))
        longer[: chances.size] += chances / 2
        longer[int(rank) :] += chances / 2
        chances = longer
    return chances


def _normal_signed_rank(doubled: np.ndarray, positive: int) -> float:
    """From doubled ranks, of which each is on either side; their squares have the ties in them."""
    ranks = doubled / 2
    z = max(0.0, abs(positive / 2 - ranks.sum() / 2) - 0.5) / math.sqrt(float((ranks**2).sum()) / 4)
    return math.erfc(z / math.sqrt(2))


def smallest_signed_rank_p(pairs: int) -> float:
    """Smallest two-sided p of this number of pairs: all differ in one direction."""
    return min(1.0, 2.0 ** (1 - pairs))


# --- intervals --------------------------------------------------------------------------------------------

Ends = tuple[float, float]
_STEPS: Final = 80
_NOTHING: Final = 1e-12


def rank_sum_interval(base: Sequence[float], new: Sequence[float], level: float = ALPHA) -> Ends | None:
    """The shifts from base to new that a rank sum test does not reject; None where it can reject none."""
    count = len(base) * len(new)
    drop = _rejected_rank_sums(len(base), len(new), level)
    if drop is None:
        return None
    olds, news = np.sort(np.asarray(base, float)), np.sort(np.asarray(new, float))
    return _nth_difference(olds, news, drop), _nth_difference(olds, news, count - 1 - drop)


def signed_rank_interval(differences: Sequence[float], level: float = ALPHA) -> Ends | None:
    """The shifts that a signed rank test does not reject; None where it can reject none."""
    drop = _rejected_signed_ranks(len(differences), level)
    if drop is None:
        return None
    values = np.asarray(differences, float)
    means = np.sort(((values[:, None] + values[None, :]) / 2)[np.triu_indices(len(values))])
    return float(means[drop]), float(means[len(means) - 1 - drop])


def _nth_difference(base: np.ndarray, new: np.ndarray, nth: int) -> float:
    """The nth smallest (from 0) of all new - base, by bisection: not all of them are kept at once."""
    low, high = float(new[0] - base[-1]), float(new[-1] - base[0])
    if nth == 0:
        return low
    if nth == len(base) * len(new) - 1:
        return high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if int(np.searchsorted(new, base + middle, side="right").sum()) > nth:
            high = middle
        else:
            low = middle
    return 0.0 if abs(high) < _NOTHING else high


def _rejected_rank_sums(base: int, new: int, level: float) -> int | None:
    """How many differences lie outside the interval at each end; None: the test can reject nothing."""
    both, mean = base + new, base * new / 2
    if both > _EXACT_UP_TO:
        return _rejected(mean, math.sqrt(base * new * (both + 1) / 12), level)
    chances = _sums(np.arange(1, both + 1), base)[base * (base + 1) // 2 :]
    return _last(chances, level)


def _rejected_signed_ranks(pairs: int, level: float) -> int | None:
    if pairs > _PAIRS_UP_TO:
        variance = pairs * (pairs + 1) * (2 * pairs + 1) / 24
        return _rejected(pairs * (pairs + 1) / 4, math.sqrt(variance), level)
    return _last(_signed_rank_chances(np.arange(1, pairs + 1)), level)


def _last(chances: np.ndarray, level: float) -> int | None:
    """The last place up to which the chances add up to no more than half the level."""
    count = int((2 * np.cumsum(chances) <= level).sum())
    return count - 1 if count else None


def _rejected(mean: float, deviation: float, level: float) -> int | None:
    """The same by the normal approximation, corrected for continuity as p is."""
    last = math.floor(mean - NormalDist().inv_cdf(1 - level / 2) * deviation - 0.5)
    return last if last >= 0 else None


# --- distributions ----------------------------------------------------------------------------------------


def _sums(ranks: np.ndarray, size: int) -> np.ndarray:
    """The probability of each sum of `size` of these whole ranks, drawn at random."""
    ways = np.zeros((size + 1, int(ranks.sum()) + 1))
    ways[0, 0] = 1
    for rank in ranks.astype(int):
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    drawn: np.ndarray = ways[size] / ways[size].sum()
    return drawn


def _two_sided(chances: np.ndarray, found: int) -> float:
    lower, upper = float(chances[: found + 1].sum()), float(chances[found:].sum())
    return min(1.0, 2 * min(lower, upper))


def _normal_rank_sum(ranks: np.ndarray, size: int, rank_sum: float) -> float:
    """With the variance corrected for ties, and for continuity."""
    both = ranks.size
    variance = size * (both - size) * float(np.var(ranks, ddof=1)) / both
    if not variance:
        return 1.0
    z = max(0.0, abs(rank_sum - size * (both + 1) / 2) - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def _doubled_ranks(values: np.ndarray) -> np.ndarray:
    """Twice the mean ranks: whole numbers, also of ties."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    doubled: np.ndarray = (2 * last - counts + 1)[places]
    return doubled


# 0.975 quantiles for 1, 2, ... degrees of freedom.
# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
_QUANTILES: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def t_quantile(degrees: int) -> float:
    """The 0.975 quantile of Student's t; beyond 30 `degrees` (from 1) that of 30, at most 5 % too large."""
    return _QUANTILES[min(degrees, len(_QUANTILES)) - 1]
