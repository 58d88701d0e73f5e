"""Bytes that a cell needs, and bytes that its card has. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.hardware.budget import desktop_cost
from bench.records.card import Emulation
from bench.records.cell import CellResult, OutOfMemory
from bench.records.enums import Attention, Label, PeakMetric, Provenance
from bench.records.record import DeviceInfo, Record


@dataclass(frozen=True, slots=True)
class CardMemory:
    """Bytes of the card that a program can have, CUDA context included; None where they are not known.

    `emulated_bytes` is the memory of an emulated card; None of a real one.
    """

    headless_bytes: int | None = None
    desktop_bytes: int | None = None
    now_bytes: int | None = None
    emulated_bytes: int | None = None


def is_emulated(record: Record) -> bool:
    """Whether the card was emulated: the speed is then that of the device that emulated it."""
    return record.emulation is not None or record.provenance is Provenance.EMULATED


def card_memory(record: Record) -> CardMemory:
    """The budget of the emulated card, else of the card that was found.

    An emulated card leaves its total less its driver's reserve; a desktop on it takes the typical amount.
    """
    emulated = record.emulation
    if emulated is not None:
        headless = max(0, emulated.total_bytes - emulated.reserve_bytes)
        desktop = max(0, headless - desktop_cost("linux").typical_bytes)
        return CardMemory(headless, desktop, None, emulated.total_bytes)
    if record.device_state is None:
        return CardMemory()
    budget = record.device_state.budget
    return CardMemory(budget.headless_bytes, budget.desktop_bytes, budget.now_bytes)


def needed_bytes(cell: CellResult, emulation: Emulation | None) -> int | None:
    """Bytes that a card must have for this cell, CUDA context included; None where they are not known.

    The worker's peak as the driver saw it; else the allocator's peak and the measured context; else the
    growth of the whole card. On an emulated card the allocator's peak and the context assumed for it: the
    context of the larger device is not that card's.
    """
    summary, card = cell.summary, cell.device_memory
    if cell.outcome.status != "measured" or summary is None:
        return None
    if emulation is not None:
        peak = summary.reserved_peak_bytes
        peak = summary.allocated_peak_bytes if peak is None else peak
        return None if peak is None else peak + emulation.context_bytes
    if summary.process_peak_bytes is not None:
        return summary.process_peak_bytes
    if card is None:
        return None
    if summary.reserved_peak_bytes is not None and card.context_bytes is not None:
        return summary.reserved_peak_bytes + card.context_bytes
    if summary.device_peak_bytes is not None and card.baseline_bytes is not None:
        return max(0, summary.device_peak_bytes - card.baseline_bytes)
    return None


def fits_with_desktop(cell: CellResult, memory: CardMemory, emulation: Emulation | None) -> bool | None:
    """Whether a cell that ran would also fit with a desktop; None where that is not known.

    Windows always has a desktop, and so no headless budget: what ran there without a spill ran with one.
    """
    if has_spilled(cell):
        return False
    if memory.desktop_bytes is not None and memory.headless_bytes is None:
        return cell.outcome.status == "measured" or None
    need, budget = needed_bytes(cell, emulation), memory.desktop_bytes
    return None if need is None or budget is None else need <= budget


def has_spilled(cell: CellResult) -> bool:
    """Whether the cell ran only because part of it lay in system memory: the card was too small for it."""
    return cell.summary is not None and Label.SPILLED in cell.summary.labels


def is_contended(cell: CellResult) -> bool:
    """Whether another program is known to have computed on the card during the cell."""
    return cell.device_memory is not None and cell.device_memory.contended is True


def ran_out_while_contended(cell: CellResult) -> bool:
    """Whether the cell ran out of memory while another program used the card: without it the cell may fit."""
    return isinstance(cell.outcome, OutOfMemory) and is_contended(cell)


# Windows moves what does not fit to system memory instead of failing. Over PCIe the weights come at a
# twentieth of the card's own bandwidth: a card that is full and reads at less than a third of what its other
# cells read is hardly busy with anything else.
FULL: Final = 0.95
SLOW: Final = 1 / 3


def cliffs(record: Record) -> tuple[CellResult, ...]:
    """Cells that filled the card and read far more slowly than the others with the same attention."""
    found: dict[Attention, list[float]] = {}
    for cell in record.cells:
        fraction = _fraction(cell)
        if fraction is not None:
            found.setdefault(cell.requested.attention, []).append(fraction)
    ordered = {attention: sorted(fractions) for attention, fractions in found.items()}
    return tuple(
        cell
        for cell in record.cells
        if _is_full(cell, record) and _is_slow(_fraction(cell), ordered.get(cell.requested.attention, []))
    )


def _is_full(cell: CellResult, record: Record) -> bool:
    peak = cell.summary.device_peak_bytes if cell.summary else None
    total = record.device.memory_total_bytes
    return peak is not None and total is not None and peak >= FULL * total


def _is_slow(own: float | None, ordered: Sequence[float]) -> bool:
    """`ordered` has those of all cells with that attention, its own among them."""
    return own is not None and len(ordered) > 1 and own < SLOW * _median_without(ordered, own)


def _median_without(ordered: Sequence[float], value: float) -> float:
    """The median of sorted values, one of them left out."""
    place, rest = bisect_left(ordered, value), len(ordered) - 1
    middle = ((rest - 1) // 2, rest // 2)
    return sum(ordered[nth if nth < place else nth + 1] for nth in middle) / 2


def _fraction(cell: CellResult) -> float | None:
    return cell.summary.bandwidth_fraction if cell.summary else None


# A card must hold what the process takes, CUDA context included. Where the driver does not report it (WDDM,
# WSL2), the next best figure is used, under its own name: the names are never mixed.
_ON_GPU: Final[tuple[PeakMetric, ...]] = (
    "process_peak_bytes",
    "device_peak_bytes",
    "reserved_peak_bytes",
    "allocated_peak_bytes",
)
_ON_CPU: Final[tuple[PeakMetric, ...]] = ("resident_peak_bytes", "allocated_peak_bytes")


@dataclass(frozen=True, slots=True)
class Peak:
    """A memory peak and the name of the figure that it is."""

    metric: PeakMetric
    size_bytes: int


def peak_of(cell: CellResult, device: DeviceInfo) -> Peak | None:
    """The most informative figure of the memory that the cell took; None where nothing was read."""
    if cell.summary is None:
        return None
    for metric in _ON_CPU if device.kind == "cpu" else _ON_GPU:
        size_bytes: int | None = getattr(cell.summary, metric)
        if size_bytes is not None:
            return Peak(metric, size_bytes)
    return None
