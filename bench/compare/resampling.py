"""How uncertain a change is: percentile bootstrap (Efron & Tibshirani 1993, ch. 13), the same every time."""

from collections.abc import Sequence
from typing import Final

import numpy as np

_RESAMPLES: Final = 2000
FEWEST: Final = 3  # below it the bootstrap only repeats what is there
_LEVELS: Final = (0.025, 0.975)


def log_ratios(base: Sequence[float], new: Sequence[float], seed: int) -> np.ndarray | None:
    """Bootstrap draws of log(median(new) / median(base)); each side is drawn on its own.

    None where one side has fewer than 3 values. Values are above 0.
    """
    if min(len(base), len(new)) < FEWEST:
        return None
    random = np.random.default_rng(seed)
    drawn: np.ndarray = np.log(_medians(new, random)) - np.log(_medians(base, random))
    return drawn


def ends(logs: np.ndarray) -> tuple[float, float]:
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
