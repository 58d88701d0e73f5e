"""Statistics over the raw repeats of one cell. Pure: numbers in, numbers out."""

from collections.abc import Sequence

import numpy as np

from bench.records.base import Interval
from bench.records.schema import Memory, Repeat, Statistic, Summary
from bench.records.words import Phase

_RESAMPLES = 2000
_SEED = 20260101  # the same record gives the same interval on every machine
NOISY = "noisy"


def statistic(values: Sequence[float]) -> Statistic:
    """Median, 10th and 90th percentile, 95 % interval and coefficient of variation of at least one value.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("a statistic needs at least one value")
    sample = np.sort(np.asarray(values, dtype=np.float64))  # or the order would choose the bootstrap's draws
    p10, median, p90 = (float(value) for value in np.quantile(sample, (0.1, 0.5, 0.9)))
    return Statistic(
        median=median,
        p10=p10,
        p90=p90,
        interval=_bootstrap_interval(sample),
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


def _bootstrap_interval(sample: np.ndarray) -> Interval | None:
    """95 % percentile bootstrap interval of the median (Efron & Tibshirani 1993, ch. 13)."""
    if len(sample) < 3:
        return None
    draws = np.random.default_rng(_SEED).integers(0, len(sample), size=(_RESAMPLES, len(sample)))
    low, high = np.quantile(np.median(sample[draws], axis=1), (0.025, 0.975))
    return Interval(low=float(low), high=float(high))


def summarise(
    repeats: Sequence[Repeat], memory: Memory | None, *, load_s: float | None, noise_cv: float
) -> Summary:
    """One value per metric over the repeats of one cell, which are never empty."""
    rates = [repeat.decode_tokens_per_s for repeat in repeats]
    known_rates = [rate for rate in rates if rate is not None]
    return Summary(
        load_s=load_s,
        preprocess_s=statistic([repeat.preprocess_s for repeat in repeats]),
        encode_s=statistic([repeat.encode_s for repeat in repeats]),
        time_to_first_token_s=statistic([repeat.time_to_first_token_s for repeat in repeats]),
        decode_tokens_per_s=statistic(known_rates) if known_rates else None,
        latency_s=statistic([repeat.latency_s for repeat in repeats]),
        real_time_factor=statistic([repeat.real_time_factor for repeat in repeats]),
        generated_tokens=repeats[0].generated_tokens,
        allocated_peak_bytes=_peak(memory, "allocated_peak_bytes"),
        reserved_peak_bytes=_peak(memory, "reserved_peak_bytes"),
        resident_peak_bytes=_peak(memory, "resident_peak_bytes"),
        labels=(NOISY,) if is_noisy(repeats, noise_cv) else (),
    )


def is_noisy(repeats: Sequence[Repeat], noise_cv: float) -> bool:
    """Whether the latency varies by more than the suite allows; False below two repeats."""
    variation = coefficient_of_variation([repeat.latency_s for repeat in repeats])
    return variation is not None and variation > noise_cv


def _peak(memory: Memory | None, name: str) -> int | None:
    """Largest value over the phases of a generation; loading is a peak of its own and does not count."""
    if memory is None:
        return None
    values = [getattr(phase, name) for key, phase in memory.phases.items() if key is not Phase.LOAD]
    known = [value for value in values if value is not None]
    return max(known) if known else None
