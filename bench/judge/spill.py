"""Signs that a cell lay partly in system memory although nothing said so."""

from statistics import median
from typing import Final

from bench.records.schema import CellResult, Record

# Windows moves what does not fit to system memory instead of failing. Over PCIe the weights come at a
# twentieth of the card's own bandwidth: a card that is full and reads at less than a third of what its other
# cells read is hardly busy with anything else.
FULL: Final = 0.95
SLOW: Final = 1 / 3


def cliffs(record: Record) -> tuple[CellResult, ...]:
    """Cells that filled the card and read far more slowly than the others with the same attention."""
    return tuple(cell for cell in record.cells if _is_full(cell, record) and _is_slow(cell, record))


def _is_full(cell: CellResult, record: Record) -> bool:
    peak = cell.summary.device_peak_bytes if cell.summary else None
    total = record.device.memory_total_bytes
    return peak is not None and total is not None and peak >= FULL * total


def _is_slow(cell: CellResult, record: Record) -> bool:
    others = [
        fraction
        for other in record.cells
        if other.cell_id != cell.cell_id and other.requested.attention == cell.requested.attention
        if (fraction := _fraction(other)) is not None
    ]
    own = _fraction(cell)
    return own is not None and bool(others) and own < SLOW * median(others)


def _fraction(cell: CellResult) -> float | None:
    return cell.summary.bandwidth_fraction if cell.summary else None
