"""Statistics over the raw repeats of one cell. Pure: numbers in, numbers out."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.records.base import Interval
from bench.records.cell import Repeat
from bench.records.metrics import Statistic, kind_of

_Floats = NDArray[np.float64]
_Places = NDArray[np.int64]

_RESAMPLES = 2000
_SEED = 20260101  # the same record gives the same interval on every machine


def known_statistic(values: Iterable[float | None]) -> Statistic | None:
    """The statistic of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return statistic(known) if known else None


def statistic(values: Sequence[float]) -> Statistic:
    """Median, 10th and 90th percentile, interval and coefficient of variation of at least one value.

    The interval is a bootstrap interval, or the range of too few values (`kind_of`); None for one value.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("a statistic needs at least one value")
    sample = np.sort(np.asarray(values, dtype=np.float64))  # or the order would choose the bootstrap's draws
    kind = kind_of(len(values)) if len(values) > 1 else None
    p10, median, p90 = (float(value) for value in np.quantile(sample, (0.1, 0.5, 0.9)))
    return Statistic(
        median=median,
        p10=p10,
        p90=p90,
        interval=None if kind is None else _range(sample) if kind == "range" else _bootstrap_interval(sample),
        interval_kind=kind,
        cv=coefficient_of_variation(values),
        n=len(values),
    )


def coefficient_of_variation(values: Sequence[float]) -> float | None:
    """Sample standard deviation over mean; None below two values or for a mean of 0."""
    if len(values) < 2:
        return None
    sample = np.sort(np.asarray(values, dtype=np.float64))  # sums round differently in another order
    mean = float(np.mean(sample))
    return float(np.std(sample, ddof=1)) / mean if mean else None


def _range(sample: _Floats) -> Interval:
    return Interval(low=float(sample[0]), high=float(sample[-1]))


def _bootstrap_interval(sample: _Floats) -> Interval:
    (low,), (high,) = bootstrap_intervals(sample[np.newaxis, :])
    return Interval(low=float(low), high=float(high))


def bootstrap_intervals(samples: _Floats) -> tuple[_Floats, _Floats]:
    """Return the ends of the 95 % percentile bootstrap interval of each median (Efron & Tibshirani 1993,
    ch. 13). `samples` are sorted rows of equal length.

    A draw's median is the mean of the same two places for each row (of one, for an odd length).
    """
    low, high = _middles(samples.shape[1])
    medians = (samples[:, low] + samples[:, high]) / 2
    ends = np.quantile(medians, (0.025, 0.975), axis=1)
    return ends[0], ends[1]


@cache
def _middles(length: int) -> tuple[_Places, _Places]:
    """The places of the middle of each draw from a sorted sample of this length."""
    draws = np.random.default_rng(_SEED).integers(0, length, size=(_RESAMPLES, length))
    draws.sort(axis=1)
    # Copies: a view would keep all draws, 16 MB for 1,000 values.
    return draws[:, (length - 1) // 2].copy(), draws[:, length // 2].copy()


def is_noisy(repeats: Sequence[Repeat], noise_cv: float) -> bool:
    """Whether the latency varies by more than the suite allows; False below two repeats."""
    variation = coefficient_of_variation([repeat.latency_s for repeat in repeats])
    return variation is not None and variation > noise_cv
