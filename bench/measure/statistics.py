"""Statistics over the raw repeats of one cell. Pure: numbers in, numbers out."""

from collections.abc import Iterable, Sequence

import numpy as np

from bench.records.base import Interval
from bench.records.metrics import Statistic, kind_of
from bench.records.record import Repeat

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


def _range(sample: np.ndarray) -> Interval:
    return Interval(low=float(sample[0]), high=float(sample[-1]))


def _bootstrap_interval(sample: np.ndarray) -> Interval:
    """95 % percentile bootstrap interval of the median (Efron & Tibshirani 1993, ch. 13)."""
    draws = np.random.default_rng(_SEED).integers(0, len(sample), size=(_RESAMPLES, len(sample)))
    low, high = np.quantile(np.median(sample[draws], axis=1), (0.025, 0.975))
    return Interval(low=float(low), high=float(high))


def is_noisy(repeats: Sequence[Repeat], noise_cv: float) -> bool:
    """Whether the latency varies by more than the suite allows; False below two repeats."""
    variation = coefficient_of_variation([repeat.latency_s for repeat in repeats])
    return variation is not None and variation > noise_cv
