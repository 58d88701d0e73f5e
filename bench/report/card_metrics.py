"""What the driver told of the card during each cell, as columns beside the metrics of the contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bench import units
from bench.judge.memory import needed_bytes
from bench.records.card import DeviceMemory, Emulation, Power, Range
from bench.records.metrics import FIGURES, NEEDED
from bench.records.record import CellResult
from bench.report.basics import Figure
from bench.report.metrics import Column, column, figures, sampled, span
from bench.text import MAX_NAME, clean

_NONE: Final = Figure(None, units.NOT_AVAILABLE)
_MAX_REASON: Final = 40

Part = TypeVar("Part", DeviceMemory, Power)


@dataclass(frozen=True, slots=True)
class CardColumn(Column, Generic[Part]):
    """A column that is read off the driver's part of a cell, not off its summary."""

    read: Callable[[Part], Figure]


def all_figures(cell: CellResult, emulation: Emulation | None) -> dict[str, Figure]:
    """Every name of `COLUMNS`; what is not available says so in words."""
    memory, power = cell.device_memory, cell.power
    return {
        **figures(cell),
        **_predicted(cell),
        NEEDED.name: _size(needed_bytes(cell, emulation)),
        **{column.name: column.read(memory) if memory else _NONE for column in _MEMORY},
        **{column.name: column.read(power) if power else _NONE for column in _POWER},
    }


def _predicted(cell: CellResult) -> dict[str, Figure]:
    """What a prediction has under the name of a metric. Its ranges are in `Row.prediction`."""
    if cell.outcome.status != "predicted" or cell.envelope is None:
        return {}
    return {"allocated_peak_bytes": _size(cell.envelope.allocated_peak_bytes)}


def _size(value: int | None, note: str = "") -> Figure:
    return Figure(value, units.gib(value), note=note if value is not None else "")


def _context(memory: DeviceMemory) -> Figure:
    # Where the driver tells no process, other programs are in it.
    return _size(memory.context_bytes, "of the whole device" if memory.context_source == "device" else "")


def _residue(memory: DeviceMemory) -> Figure:
    return _size(memory.residue_bytes, "not back at the baseline" if memory.back_at_baseline is False else "")


def _range(value: Range | None, unit: str) -> Figure:
    if value is None:
        return _NONE
    between = span(units.rate(value.low, unit), units.rate(value.high, unit))
    text = units.rate(value.median, unit)
    return Figure(value.median, text, interval=between, low=value.low, high=value.high)


def _held_back(power: Power) -> Figure:
    """The reason that was in force the longest, and below it all of them."""
    if power.throttle_reasons is None:
        return _NONE
    reasons = sorted(power.throttle_reasons.items(), key=lambda item: (-item[1], item[0]))
    if not reasons:
        return Figure(0.0, "never")
    listed = ", ".join(f"{clean(reason, _MAX_REASON)} {_percent(share)}" for reason, share in reasons)
    most = reasons[0][1]
    return Figure(most, f"{_percent(most)} of the time", note=clean(listed, MAX_NAME))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _link(power: Power) -> Figure:
    generation, width = power.pcie_generation, power.pcie_width
    if generation is None:
        return _NONE
    return Figure(generation, f"gen {generation}" if width is None else f"gen {generation}, {width} lanes")


def _energy_source(power: Power) -> Figure:
    if power.source is None:
        return _NONE
    return Figure(len(power.energies_j), power.source, note=sampled(power.sampler))


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

COLUMNS: Final[tuple[Column, ...]] = (*map(column, FIGURES.values()), *_MEMORY, *_POWER)
"""Every column: the metrics of the contract, then those of the card."""
