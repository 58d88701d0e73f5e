"""The columns of metrics, and the figures of a cell in them."""

from dataclasses import dataclass
from typing import Final, Literal

from bench import units
from bench.records.card import Sampled
from bench.records.metrics import METRICS, Metric, Section, Statistic, stated
from bench.records.record import CellResult
from bench.report.basics import Figure

# `detail` is in CSV only.
Table = Literal["speed", "memory", "card", "power", "detail"]
_TABLES: Final[dict[Section, Table]] = {
    Section.STEPS: "speed",
    Section.SPEED: "speed",
    Section.MEMORY: "memory",
    Section.ENERGY: "memory",
    Section.CARD: "card",
}


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the key in records, CSV, gates; `heading` is what people read."""

    name: str
    heading: str
    table: Table


def column(metric: Metric) -> Column:
    """The column of a metric."""
    return Column(metric.name, metric.heading, _TABLES[metric.section])


# Read by looking at the card again and again, so a short peak may be missing from them.
_SAMPLED: Final = frozenset({"process_peak_bytes", "device_peak_bytes"})


def figures(cell: CellResult) -> dict[str, Figure]:
    """Every metric of `METRICS`; one without a value says so in words."""
    return {name: _figure(metric, cell) for name, metric in METRICS.items()}


def _figure(metric: Metric, cell: CellResult) -> Figure:
    value = stated(cell.summary, metric.name)
    if isinstance(value, Statistic):
        return _of_statistic(metric, value)
    watched = cell.device_memory if metric.name in _SAMPLED and value is not None else None
    return Figure(value, units.quantity(value, metric.unit), note=sampled(watched.sampler) if watched else "")


def _of_statistic(metric: Metric, statistic: Statistic) -> Figure:
    interval = statistic.interval
    low, high = (interval.low, interval.high) if interval else (None, None)
    return Figure(
        value=statistic.median,
        text=units.quantity(statistic.median, metric.unit),
        interval=between(metric, low, high) if interval else "",
        variation=f"cv {units.ratio(statistic.cv)}" if statistic.cv is not None else "",
        low=low,
        high=high,
        cv=statistic.cv,
    )


def between(metric: Metric, low: float | None, high: float | None) -> str:
    """`47.0–47.8 tok/s`: an interval of a metric."""
    return span(units.quantity(low, metric.unit), units.quantity(high, metric.unit))


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
