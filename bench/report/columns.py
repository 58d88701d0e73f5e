"""Columns of the metrics and of the card, and the figures of a cell in them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from bench import units
from bench.judge.memory import needed_bytes
from bench.records.card import DeviceMemory, Emulation, Power, Range, Sampled
from bench.records.cell import CellResult
from bench.records.metrics import FIGURES, METRICS, NEEDED, Metric, Section, Statistic, stated
from bench.report import ranges
from bench.report.basics import NO_FIGURE, Figure, pcie_link
from bench.text import MAX_NAME, clean

# `detail` is in CSV only.
Table = Literal["speed", "memory", "card", "power", "detail"]
_TABLES: Final[dict[Section, Table]] = {
    Section.STEPS: "speed",
    Section.SPEED: "speed",
    Section.MEMORY: "memory",
    Section.ENERGY: "memory",
    Section.CARD: "card",
}
# Read at intervals, so a short peak may be missing from them.
_SAMPLED: Final = frozenset({"process_peak_bytes", "device_peak_bytes"})
_MAX_REASON: Final = 40

Part = TypeVar("Part", DeviceMemory, Power)


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the key in records, CSV and gates; `heading` is what people read."""

    name: str
    heading: str
    table: Table


@dataclass(frozen=True, slots=True)
class CardColumn(Column, Generic[Part]):
    """A column that is read from the driver's part of a cell, not from its summary."""

    read: Callable[[Part], Figure]


def all_figures(cell: CellResult, emulation: Emulation | None) -> dict[str, Figure]:
    """Every name of `COLUMNS`; the text of a figure that is not available says so."""
    memory, power = cell.device_memory, cell.power
    return {
        **{name: _of_metric(metric, cell) for name, metric in METRICS.items()},
        **_predicted(cell),
        NEEDED.name: _size(needed_bytes(cell, emulation)),
        **{column.name: column.read(memory) if memory else NO_FIGURE for column in _MEMORY},
        **{column.name: column.read(power) if power else NO_FIGURE for column in _POWER},
    }


# --- the metrics ------------------------------------------------------------------------------------------


def _of_metric(metric: Metric, cell: CellResult) -> Figure:
    value = stated(cell.summary, metric.name)
    if isinstance(value, Statistic):
        return _of_statistic(metric, value)
    watched = cell.device_memory if metric.name in _SAMPLED and value is not None else None
    note = _sampled(watched.sampler) if watched else ""
    return Figure(value, units.quantity(value, metric.unit), note=note)


def _of_statistic(metric: Metric, statistic: Statistic) -> Figure:
    interval, kind = statistic.interval, statistic.kind
    return Figure(
        value=statistic.median,
        text=units.quantity(statistic.median, metric.unit),
        interval=ranges.of_repeats(metric, interval, kind, statistic.n) if interval else "",
        variation=f"cv {units.ratio(statistic.cv)}" if statistic.cv is not None else "",
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        cv=statistic.cv,
        interval_kind=kind,
        interval_n=statistic.n if interval else None,
    )


def _predicted(cell: CellResult) -> dict[str, Figure]:
    """The predicted figure that has the name of a metric. Ranges are in `Row.prediction`."""
    if cell.outcome.status != "predicted" or cell.envelope is None:
        return {}
    return {"allocated_peak_bytes": _size(cell.envelope.allocated_peak_bytes)}


def _sampled(sampler: Sampled) -> str:
    """`812 samples, every 20.0 ms, largest gap 41.0 ms`."""
    counted = f"{sampler.samples:,} sample{'' if sampler.samples == 1 else 's'}"
    gap = f", largest gap {units.seconds(sampler.largest_gap_s)}" if sampler.largest_gap_s is not None else ""
    return f"{counted}, every {units.seconds(sampler.period_s)}{gap}"


# --- the card ---------------------------------------------------------------------------------------------


def _size(value: int | None, note: str = "") -> Figure:
    return Figure(value, units.gib(value), note=note if value is not None else "")


def _context(memory: DeviceMemory) -> Figure:
    # Where the driver reports no processes, the figure includes other programs.
    return _size(memory.context_bytes, "of the whole device" if memory.context_source == "device" else "")


def _residue(memory: DeviceMemory) -> Figure:
    return _size(memory.residue_bytes, "not back at the baseline" if memory.back_at_baseline is False else "")


def _range(value: Range | None, unit: str) -> Figure:
    if value is None:
        return NO_FIGURE
    between = ranges.span(units.rate(value.low, unit), units.rate(value.high, unit))
    text = units.rate(value.median, unit)
    return Figure(value.median, text, interval=between, low=value.low, high=value.high)


def _held_back(power: Power) -> Figure:
    """The throttle reason that was in force the longest; the note lists all."""
    if power.throttle_reasons is None:
        return NO_FIGURE
    reasons = sorted(power.throttle_reasons.items(), key=lambda item: (-item[1], item[0]))
    if not reasons:
        return Figure(0.0, "never")
    listed = ", ".join(f"{clean(reason, _MAX_REASON)} {_percent(share)}" for reason, share in reasons)
    most = reasons[0][1]
    return Figure(most, f"{_percent(most)} of the time", note=clean(listed, MAX_NAME))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _link(power: Power) -> Figure:
    generation = power.pcie_generation
    return Figure(generation, pcie_link(generation, power.pcie_width))


def _energy_source(power: Power) -> Figure:
    if power.source is None:
        return NO_FIGURE
    return Figure(len(power.energies_j), power.source, note=_sampled(power.sampler))


def _samples(memory: DeviceMemory) -> Figure:
    return Figure(memory.sampler.samples, f"{memory.sampler.samples:,}")


def _period(memory: DeviceMemory) -> Figure:
    return Figure(memory.sampler.period_s, units.seconds(memory.sampler.period_s))


def _gap(memory: DeviceMemory) -> Figure:
    return Figure(memory.sampler.largest_gap_s, units.seconds(memory.sampler.largest_gap_s))


_MEMORY: Final[tuple[CardColumn[DeviceMemory], ...]] = (
    CardColumn("baseline_bytes", "Baseline", "card", lambda seen: _size(seen.baseline_bytes)),
    CardColumn("context_bytes", "CUDA context", "card", _context),
    CardColumn("residue_bytes", "Left behind", "card", _residue),
    CardColumn("samples", "Samples", "detail", _samples),
    CardColumn("sample_period_s", "Sampled every", "detail", _period),
    CardColumn("largest_gap_s", "Largest gap", "detail", _gap),
)
_POWER: Final[tuple[CardColumn[Power], ...]] = (
    CardColumn("power_w", "Power", "power", lambda seen: _range(seen.power_w, "W")),
    CardColumn("temperature_c", "Temperature", "power", lambda seen: _range(seen.temperature_c, "°C")),
    CardColumn("sm_clock_mhz", "SM clock", "power", lambda seen: _range(seen.sm_clock_mhz, "MHz")),
    CardColumn(
        "memory_clock_mhz", "Memory clock", "power", lambda seen: _range(seen.memory_clock_mhz, "MHz")
    ),
    CardColumn("held_back_share", "Held back", "power", _held_back),
    CardColumn("pcie_generation", "PCIe", "power", _link),
    CardColumn("energy_readings", "Energy from", "power", _energy_source),
)

COLUMNS: Final[tuple[Column, ...]] = (
    *(Column(metric.name, metric.heading, _TABLES[metric.section]) for metric in FIGURES.values()),
    *_MEMORY,
    *_POWER,
)
"""Every column: the metrics of the contract, then those of the card."""
