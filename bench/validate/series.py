"""Raw series: spread that no machine has, samples that are missing."""

from collections.abc import Iterator
from math import sqrt
from typing import Final

from bench.records.card import Sampled
from bench.records.cell import CellResult
from bench.validate.candidate import Candidate, Found

MOST_SPREAD: Final = 1.0
"""Coefficient of variation of the latency: repeats of one cell that differ by more than their mean."""
LEAST_SPREAD: Final = 1e-6
"""Clocks of hosts and devices resolve a microsecond or less; work on a machine varies by far more."""
FEWEST_ALIKE: Final = 3
"""Repeats that are too alike to be measured: two can agree by chance."""
FEWEST_SAMPLES: Final = 0.2
"""Share of the samples that the period promises: a loaded host misses some."""
MOST_SAMPLES: Final = 2**16
"""The sampler thins a longer series, down to this number (`bench/measure/sampler.py`)."""
LONGEST_GAP_S: Final = 2.0
_PERIODS: Final = 10


def series(candidate: Candidate) -> Iterator[Found]:
    """Yield what is wrong with repeats and samples."""
    for path, cell in candidate.measured:
        yield from _spread(path, cell)
        yield from _samples(path, cell)


def _spread(path: str, cell: CellResult) -> Iterator[Found]:
    latencies = [repeat.latency_s for repeat in cell.repeats]
    if len(latencies) < 2 or len(set(latencies)) < len(latencies):  # copies have their own finding
        return
    mean = sum(latencies) / len(latencies)
    variation = sqrt(sum((each - mean) * (each - mean) for each in latencies) / (len(latencies) - 1)) / mean
    if variation > MOST_SPREAD:
        yield Found("spread_absurd", f"{path}.repeats", {"cv": variation})
    elif variation < LEAST_SPREAD and len(latencies) >= FEWEST_ALIKE:
        yield Found("spread_too_small", f"{path}.repeats", {"cv": variation})


def _samples(path: str, cell: CellResult) -> Iterator[Found]:
    """Samples over the timed repeats; a driver that stopped answering is labelled."""
    if cell.device_memory is not None and cell.device_memory.driver_error is not None:
        return
    took = sum(repeat.latency_s for repeat in cell.repeats)
    samplers: list[tuple[str, Sampled]] = []
    if cell.device_memory is not None:
        samplers.append((f"{path}.device_memory.sampler", cell.device_memory.sampler))
    if cell.power is not None:
        samplers.append((f"{path}.power.sampler", cell.power.sampler))
    for where, sampler in samplers:
        expected = min(took / sampler.period_s, MOST_SAMPLES) if sampler.period_s else 0.0
        if expected > _PERIODS and sampler.samples < FEWEST_SAMPLES * expected:
            yield Found("samples_missing", where, {"found": sampler.samples, "expected": round(expected)})
        elif sampler.largest_gap_s is not None and sampler.largest_gap_s > LONGEST_GAP_S:
            yield Found("samples_missing", f"{where}.largest_gap_s", {"gap_s": sampler.largest_gap_s})
