"""What a cell needs of a card, against what the card can give."""

from dataclasses import dataclass

from bench.hardware import allowance
from bench.records.card import Emulation
from bench.records.schema import CellResult, Record
from bench.records.words import Label, Provenance


@dataclass(frozen=True, slots=True)
class CardMemory:
    """What a program can have of the card, CUDA context included; None where nothing tells.

    `played_bytes` is the memory of the card that was played, None where the device was itself.
    """

    headless_bytes: int | None = None
    desktop_bytes: int | None = None
    now_bytes: int | None = None
    played_bytes: int | None = None


def is_emulated(record: Record) -> bool:
    """Whether another device played the card: the speed is then that of the device that played."""
    return record.emulation is not None or record.provenance is Provenance.EMULATED


def card_memory(record: Record) -> CardMemory:
    """The budget of the card: the one that was played where one was, else the one that was found.

    A played card gives its total less what its driver would keep; a desktop on it takes what is typical.
    """
    played = record.emulation
    if played is not None:
        headless = max(0, played.total_bytes - played.reserve_bytes)
        desktop = max(0, headless - allowance.DESKTOP.typical_bytes)
        return CardMemory(headless, desktop, None, played.total_bytes)
    if record.device_state is None:
        return CardMemory()
    budget = record.device_state.budget
    return CardMemory(budget.headless_bytes, budget.desktop_bytes, budget.now_bytes)


def needed_bytes(cell: CellResult, emulation: Emulation | None) -> int | None:
    """What a card must have for this cell, CUDA context included; None where it cannot be told.

    The worker's peak as the driver saw it; else the allocator's peak and the measured context; else the
    growth of the whole card. On a played card the allocator's peak and the context that was assumed for it:
    the context of the larger device is not that card's.
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


def fits_with_desktop(cell: CellResult, record: Record) -> bool | None:
    """Whether a cell that ran would also have fitted beside a desktop; None where that cannot be told."""
    if has_spilled(cell):
        return False
    need, room = needed_bytes(cell, record.emulation), card_memory(record).desktop_bytes
    return None if need is None or room is None else need <= room


def has_spilled(cell: CellResult) -> bool:
    """It ran only because part of it lay in system memory: the card was too small for it."""
    return cell.summary is not None and Label.SPILLED in cell.summary.labels
