"""Costs of a card as its own measured records show them, in place of those of other machines. Pure.

Only cells comparable with a prediction count (`judge.calibration`). A prediction that is calibrated
this way is not compared with the same records: the comparison is with the one before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.hardware.budget import Cost, Figure
from bench.hardware.card_costs import CardCosts
from bench.judge.calibration import CellError, errors
from bench.records.metrics import METRICS
from bench.records.record import Record

_RESERVED: Final = "reserved_peak_bytes"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Costs of a card, as its measured records show them; None: not shown.

    `records` are the ids of those whose cells count. `takes_convolution`: whether any cell reserved more than
    is predicted if cuDNN takes no workspace.
    """

    records: tuple[str, ...]
    context: Cost | None
    reserve: Cost | None
    takes_convolution: bool | None

    def applied(self, costs: CardCosts) -> CardCosts:
        """Return the costs with what the records show. A reserve that the driver reports now stays."""
        reserve = self.reserve if costs.read_at is None else None
        return replace(
            costs,
            context=self.context or costs.context,
            reserve=reserve or costs.reserve,
            convolution=self.takes_convolution is not False,
        )


def calibration(derived: Record, without: Record, measured: Sequence[Record]) -> Calibration:
    """Return the costs that the records show, compared with a derived record.

    `without` is the same prediction in which cuDNN takes no workspace.
    """
    found = _reserved(derived, measured)
    records = tuple({error.record.content_hash: error.record for error in found}.values())
    contexts = (_context(record, found) for record in records)
    reserves = (_reserve(record) for record in records)
    return Calibration(
        records=tuple(record.record_id for record in records),
        context=_cost("CUDA context and libraries, measured on this card", contexts),
        reserve=_cost("driver reserve, measured on this card", reserves),
        takes_convolution=_takes_convolution(found, _reserved(without, measured)),
    )


def _reserved(derived: Record, measured: Sequence[Record]) -> list[CellError]:
    return [error for error in errors(derived, measured) if error.metric == _RESERVED]


def _takes_convolution(found: Sequence[CellError], without: Sequence[CellError]) -> bool | None:
    """Return None where the workspace would not show in any cell beyond what equal runs differ by."""
    noise = METRICS[_RESERVED].noise_bytes
    telling = [
        bare
        for full, bare in zip(found, without, strict=True)
        if full.predicted.high > bare.predicted.high + noise
    ]
    if not telling:
        return None
    return any(bare.measured_bytes > bare.predicted.high + noise for bare in telling)


def _cost(what: str, figures: Iterable[Figure | None]) -> Cost | None:
    known = tuple(figure for figure in figures if figure is not None)
    return Cost(what, known) if known else None


def _context(record: Record, found: Sequence[CellError]) -> Figure | None:
    """Return the range over the cells of one record."""
    cells = [error.cell for error in found if error.record is record]
    sizes = [
        cell.device_memory.context_bytes
        for cell in cells
        if cell.device_memory is not None and cell.device_memory.context_bytes is not None
    ]
    source = f"record {record.record_id}, {len(sizes)} {'cell' if len(sizes) == 1 else 'cells'}"
    return Figure(min(sizes), max(sizes), source) if sizes else None


def _reserve(record: Record) -> Figure | None:
    state = record.device_state
    if state is None or state.memory_reserved_bytes is None:
        return None
    return Figure(state.memory_reserved_bytes, state.memory_reserved_bytes, f"record {record.record_id}")
