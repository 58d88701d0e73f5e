"""The plan of a run: an earlier prediction of its cells, in the same folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.errors import RecordError
from bench.judge.same_run import PREDICTED, values
from bench.judge.same_system import CellSystems, is_for, system_of
from bench.records.enums import Provenance
from bench.records.prediction import Envelope
from bench.records.record import Record
from bench.store import naming
from bench.store.record_files import read_record

_LOOKED_AT: Final = 12  # the newest: reading a whole folder of records takes long; a plan has one system


class PlanFinder:
    """Finds the plan of a run; looks into each folder once."""

    def __init__(self) -> None:
        self._found: dict[Path, tuple[Record, ...]] = {}

    def of(self, path: Path, record: Record) -> Record | None:
        """The newest `bench plan` in the folder of a run that predicts its cells; None if there is none."""
        if record.provenance is not Provenance.MEASURED:
            return None
        folder = path.parent
        if folder not in self._found:
            self._found[folder] = tuple(_read(folder))
        return next((plan for plan in self._found[folder] if is_of(plan, record)), None)


def _read(folder: Path) -> Iterator[Record]:
    for candidate in naming.plans_in(folder)[:_LOOKED_AT]:
        try:
            yield read_record(candidate)
        except RecordError:
            continue  # the user did not name this file


def is_of(plan: Record, record: Record) -> bool:
    """True if the plan predicts cells of this record, on the same model and device and for its system."""
    return (
        plan.provenance is Provenance.DERIVED
        and record.provenance is Provenance.MEASURED
        and values(PREDICTED, plan) == values(PREDICTED, record)
        and bool(predictions_of(plan, record))
    )


def predictions_of(plan: Record, record: Record) -> dict[str, Envelope]:
    """The predictions of cells of a record, by the id of the cell: for its system and the kernel that ran."""
    kernels, planned, ran_on = CellSystems.of(record), system_of(plan), system_of(record)
    predicted = {cell.cell_id: cell.envelope for cell in plan.cells if cell.envelope is not None}
    return {
        cell.cell_id: envelope
        for cell in record.cells
        if (envelope := predicted.get(cell.cell_id)) is not None
        and is_for(planned, envelope.attention_kernel, ran_on, kernels.kernel(cell))
    }
