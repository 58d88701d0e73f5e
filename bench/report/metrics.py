"""The metrics of the contract: name, heading, and how each is written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bench import units
from bench.records.card import Sampled
from bench.records.metrics import Statistic
from bench.records.record import CellResult
from bench.report.basics import Figure

# `detail` is in CSV only.
Section = Literal["speed", "memory", "card", "power", "detail"]


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the key in records, CSV, gates; `heading` is what people read."""

    name: str
    heading: str
    section: Section


@dataclass(frozen=True, slots=True)
class Metric(Column):
    """A metric of the contract, and how it is written."""

    write: Callable[[float | None], str]


def size(value: float | None) -> str:
    """A number of bytes."""
    return units.gib(None if value is None else round(value))


def _count(value: float | None) -> str:
    return units.NOT_AVAILABLE if value is None else f"{value:,.0f}"


def _tokens_per_s(value: float | None) -> str:
    return units.rate(value, "tok/s")


def _joules(value: float | None) -> str:
    return units.rate(value, "J")


METRICS: Final = (
    Metric("load_s", "Load", "speed", units.seconds),
    Metric("preprocess_s", "Preprocess", "speed", units.seconds),
    Metric("encode_s", "Encode", "speed", units.seconds),
    Metric("time_to_first_token_s", "First token", "speed", units.seconds),
    Metric("decode_tokens_per_s", "Decode", "speed", _tokens_per_s),
    Metric("latency_s", "Latency", "speed", units.seconds),
    Metric("real_time_factor", "Real-time factor", "speed", units.ratio),
    Metric("generated_tokens", "Tokens out", "speed", _count),
    Metric("bandwidth_fraction", "Share of bandwidth", "speed", units.ratio),
    Metric("bf16_fraction", "Share of BF16 rate", "speed", units.ratio),
    Metric("allocated_peak_bytes", "Allocated", "memory", size),
    Metric("reserved_peak_bytes", "Reserved", "memory", size),
    Metric("process_peak_bytes", "Process", "memory", size),
    Metric("device_peak_bytes", "Whole device", "memory", size),
    Metric("resident_peak_bytes", "Resident", "memory", size),
    Metric("energy_j", "Energy", "memory", _joules),
    Metric("energy_per_token_j", "Energy per token", "memory", _joules),
    Metric("energy_per_audio_second_j", "Energy per second of audio", "memory", _joules),
)


# Read by looking at the card again and again, so a short peak may be missing from them.
_SAMPLED: Final = frozenset({"process_peak_bytes", "device_peak_bytes"})


def figures(cell: CellResult) -> dict[str, Figure]:
    """Every metric of `METRICS`; one without a value says so in words."""
    return {metric.name: _figure(metric, cell) for metric in METRICS}


def _figure(metric: Metric, cell: CellResult) -> Figure:
    value: Statistic | float | int | None = getattr(cell.summary, metric.name) if cell.summary else None
    if isinstance(value, Statistic):
        return _of_statistic(metric, value)
    watched = cell.device_memory if metric.name in _SAMPLED and value is not None else None
    return Figure(value, metric.write(value), note=sampled(watched.sampler) if watched else "")


def _of_statistic(metric: Metric, statistic: Statistic) -> Figure:
    interval = statistic.interval
    low, high = (interval.low, interval.high) if interval else (None, None)
    return Figure(
        value=statistic.median,
        text=metric.write(statistic.median),
        interval=span(metric.write(low), metric.write(high)) if interval else "",
        variation=f"cv {units.ratio(statistic.cv)}" if statistic.cv is not None else "",
        low=low,
        high=high,
        cv=statistic.cv,
    )


def span(low: str, high: str) -> str:
    """`47.0 tok/s`, `47.8 tok/s` -> `47.0–47.8 tok/s`: the unit once, where both have the same."""
    number, _, unit = low.rpartition(" ")
    if low == high:
        return low
    if " " not in low and " " not in high:
        return f"{low}–{high}"
    if number and " " not in number and high.rpartition(" ")[2] == unit and high.count(" ") == 1:
        return f"{number}–{high}"
    return f"{low} – {high}"


def sampled(sampler: Sampled) -> str:
    """`812 samples, every 20.0 ms, largest gap 41.0 ms`."""
    counted = f"{sampler.samples:,} sample{'' if sampler.samples == 1 else 's'}"
    gap = f", largest gap {units.seconds(sampler.largest_gap_s)}" if sampler.largest_gap_s is not None else ""
    return f"{counted}, every {units.seconds(sampler.period_s)}{gap}"
