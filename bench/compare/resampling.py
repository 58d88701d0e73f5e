"""How uncertain a change is: percentile bootstrap (Efron & Tibshirani 1993, ch. 13), the same every time.

Of few values it is their range: a bootstrap of them covers far less than 95 %.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from bench.compare.ranks import Ends

_RESAMPLES: Final = 2000
FEWEST: Final = 3
"""Repeats of each side that a comparison needs. A choice: two show next to nothing of the scatter."""
_LEVELS: Final = (0.025, 0.975)


def log_range(base: Sequence[float], new: Sequence[float]) -> Ends:
    """The least and the most of log(new / base) over any two values, which are above 0."""
    return math.log(min(new) / max(base)), math.log(max(new) / min(base))


def log_ratios(base: Sequence[float], new: Sequence[float], seed: int) -> np.ndarray:
    """Bootstrap draws of log(median(new) / median(base)), values above 0; each side is drawn on its own."""
    random = np.random.default_rng(seed)
    drawn: np.ndarray = np.log(_medians(new, random)) - np.log(_medians(base, random))
    return drawn


def ends(logs: np.ndarray) -> Ends:
    """The 95 % interval of drawn logarithms of ratios."""
    low, high = np.quantile(logs, _LEVELS)
    return float(low), float(high)


def _medians(values: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """Medians of samples drawn with replacement, without drawing all of each.

    The k-th of n uniform draws is distributed as Beta(k, n + 1 - k), and picks the value in the middle;
    the next one lies above it like the least of the n - k that are left.
    """
    sample, n = np.sort(np.asarray(values, dtype=np.float64)), len(values)
    k = (n + 1) // 2
    place = random.beta(k, n + 1 - k, _RESAMPLES)
    middle = _at(sample, place)
    if n % 2:
        return middle
    medians: np.ndarray = (middle + _at(sample, place + (1 - place) * random.beta(1, n - k, _RESAMPLES))) / 2
    return medians


def _at(sample: np.ndarray, places: np.ndarray) -> np.ndarray:
    values: np.ndarray = sample[np.minimum((places * len(sample)).astype(int), len(sample) - 1)]
    return values
