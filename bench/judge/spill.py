"""Signs that a cell lay partly in system memory although nothing said so."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from bench.records.schema import CellResult, Record
from bench.records.words import Attention

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
