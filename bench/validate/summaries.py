"""Every summary, recomputed from the raw repeats, the memory of the phases and the driver's readings.

Statistics of all cells are computed at once: validating a record costs less than reading it.
"""

from collections import defaultdict
from collections.abc import Iterator
from math import isinf
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.judge.same_system import os_of
from bench.measure.fractions import bandwidth_fraction, bf16_fraction
from bench.measure.load import any_throttles, is_limit_lowered
from bench.measure.statistics import bootstrap_intervals
from bench.measure.summary import peak
from bench.records.cell import CellResult
from bench.records.enums import Label
from bench.records.metrics import METRICS, Statistic, Summary, kind_of
from bench.records.record import DeviceInfo, Record
from bench.validate.candidate import Candidate, Fact, Found
from bench.validate.repeats import RELATIVE

_STATISTICS: Final = tuple(metric.name for metric in METRICS.values() if metric.is_statistic)
_TINY: Final = 1e-12
_ROWS: Final = 512
"""Statistics computed at once: each takes 32 kB for its interval, and a file can have any number."""
_MOST_RESAMPLED: Final = 1000
"""No suite has more repeats; the resampling of more would take memory without bound."""

_Floats = NDArray[np.float64]
_Placed = tuple[str, Statistic]
"""A path, and the statistic that is stated there."""


def summaries(candidate: Candidate) -> Iterator[Found]:
    """Yield every figure of a summary that does not follow from the rest of the cell."""
    device = candidate.record.device
    samples: defaultdict[int, list[tuple[_Placed, tuple[float, ...]]]] = defaultdict(list)
    for path, cell in candidate.measured:
        summary = cell.summary
        if summary is None or not cell.repeats:
            continue
        for name in _STATISTICS:
            where, stated = f"{path}.summary.{name}", getattr(summary, name)
            values = tuple(value for value in (getattr(r, name) for r in cell.repeats) if value is not None)
            if (stated is None) != (not values):
                yield Found("summary_mismatch", where, {"stated": _median(stated), "computed": None})
            elif stated is not None:
                samples[len(values)].append(((where, stated), values))
        for name, computed in _single(cell, device):
            found = getattr(summary, name)
            if not _equal(found, computed):
                yield Found(
                    "summary_mismatch", f"{path}.summary.{name}", {"stated": found, "computed": computed}
                )
        yield from _labels(candidate, path, cell, summary)
    for count, group in samples.items():
        for first in range(0, len(group), _ROWS):
            yield from _statistics(count, group[first : first + _ROWS])


def _median(stated: Statistic | None) -> Fact:
    return None if stated is None else stated.median


# --- statistics over the repeats --------------------------------------------------------------------------


def _statistics(count: int, group: list[tuple[_Placed, tuple[float, ...]]]) -> Iterator[Found]:
    """Compare all statistics of so many values each."""
    sample: _Floats = np.sort(np.array([values for _, values in group], dtype=np.float64), axis=1)
    with np.errstate(all="ignore"):  # figures at the end of all numbers
        p10, middle, p90 = (_quantile(sample, share) for share in (0.1, 0.5, 0.9))
        low, high = _intervals(count, sample)
        cv = _variation(sample) if count > 1 else None
    columns = {"median": middle, "p10": p10, "p90": p90}
    for row, ((path, stated), _) in enumerate(group):
        computed: dict[str, float | None] = {name: float(column[row]) for name, column in columns.items()}
        computed["cv"] = None if cv is None or np.isnan(cv[row]) else float(cv[row])
        for name, value in computed.items():
            found = getattr(stated, name)
            if not _equal(found, value):
                yield Found("summary_mismatch", f"{path}.{name}", {"stated": found, "computed": value})
        if stated.n != count:
            yield Found("summary_mismatch", f"{path}.n", {"stated": stated.n, "computed": count})
        if count <= _MOST_RESAMPLED:
            yield from _interval(path, stated, count, (float(low[row]), float(high[row])))


def _quantile(sample: _Floats, share: float) -> _Floats:
    """A quantile of each sorted row, interpolated as by np.quantile, in a sixth of its time."""
    place = share * (sample.shape[1] - 1)
    low = sample[:, int(place)]
    found: _Floats = low + (sample[:, min(int(place) + 1, sample.shape[1] - 1)] - low) * (place - int(place))
    return found


def _interval(path: str, stated: Statistic, count: int, computed: tuple[float, float]) -> Iterator[Found]:
    interval = stated.interval
    if (interval is None) != (count < 2):
        yield Found("summary_mismatch", f"{path}.interval", {"stated": None, "computed": computed[0]})
    if interval is None or count < 2:
        return
    if stated.kind != kind_of(count):
        facts: dict[str, Fact] = {"stated": stated.kind, "computed": kind_of(count)}
        yield Found("summary_mismatch", f"{path}.interval_kind", facts)
    for name, found, value in zip(("low", "high"), (interval.low, interval.high), computed, strict=True):
        if not _equal(found, value):
            yield Found("summary_mismatch", f"{path}.interval.{name}", {"stated": found, "computed": value})


def _intervals(count: int, sample: _Floats) -> tuple[_Floats, _Floats]:
    if count < 2 or count > _MOST_RESAMPLED or kind_of(count) == "range":
        return sample[:, 0], sample[:, -1]
    return bootstrap_intervals(sample)


def _variation(sample: _Floats) -> _Floats:
    """Sample standard deviation over mean of each row; NaN for a mean of 0."""
    mean: _Floats = np.mean(sample, axis=1)
    found: _Floats = np.where(mean != 0, np.std(sample, axis=1, ddof=1) / mean, np.nan)
    return found


def _equal(stated: float | None, computed: float | None) -> bool:
    if stated is None or computed is None:
        return stated is computed
    if isinf(computed):
        return False
    return abs(stated - computed) <= _TINY + RELATIVE * max(abs(stated), abs(computed))


# --- single figures ---------------------------------------------------------------------------------------


def _single(cell: CellResult, device: DeviceInfo) -> Iterator[tuple[str, float | None]]:
    """Each figure that is no statistic, as it follows from the rest of the cell."""
    tokens = cell.repeats[0].generated_tokens
    yield "generated_tokens", tokens
    for name in ("allocated_peak_bytes", "reserved_peak_bytes", "resident_peak_bytes"):
        yield name, peak(cell.memory, name)
    seen = cell.device_memory
    yield "process_peak_bytes", None if seen is None else seen.process_peak_bytes
    yield "device_peak_bytes", None if seen is None else seen.device_peak_bytes
    energies = () if cell.power is None else cell.power.energies_j
    energy = median(energies) if energies else None
    yield "energy_j", energy
    yield "energy_per_token_j", energy / tokens if energy is not None and tokens > 0 else None
    yield "energy_per_audio_second_j", None if energy is None else energy / cell.requested.clip_seconds
    decode = _rate(cell)
    yield "bandwidth_fraction", bandwidth_fraction(cell.work, decode, device.memory_bandwidth_bytes_per_s)
    yield "bf16_fraction", bf16_fraction(cell.work, cell.repeats, device.bf16_operations_per_s)


def _rate(cell: CellResult) -> float | None:
    rates = [r.decode_tokens_per_s for r in cell.repeats if r.decode_tokens_per_s is not None]
    return median(rates) if rates else None


def _labels(candidate: Candidate, path: str, cell: CellResult, summary: Summary) -> Iterator[Found]:
    """Labels that the cell's own figures demand, and those that no run writes."""
    suite, cv = candidate.suite, None if summary.latency_s is None else summary.latency_s.cv
    reasons = (cell.power.throttle_reasons if cell.power is not None else None) or {}
    lowered = is_limit_lowered(candidate.record.device_state)
    demanded = {
        Label.NOISY: suite is not None and cv is not None and cv > suite.measure.noise_cv,
        Label.CONTENDED: cell.device_memory is not None and cell.device_memory.contended is True,
        Label.THROTTLED: any_throttles(reasons, limit_lowered=lowered),
    }
    for label, is_demanded in demanded.items():
        if is_demanded and label.value not in summary.labels:
            yield Found("label_missing", f"{path}.summary.labels", {"label": label.value})
    possible = {label.value for label in Label if label is not Label.SPILLED or _can_spill(candidate.record)}
    for name in dict.fromkeys(summary.labels):
        if name not in possible:
            yield Found("label_contradicted", f"{path}.summary.labels", {"label": name})


def _can_spill(record: Record) -> bool:
    """Whether Windows manages the memory of the card: elsewhere a program runs out of it."""
    return record.device.kind == "cuda" and os_of(record.environment.kernel) != "linux"
