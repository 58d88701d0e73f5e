"""What an earlier plan had predicted, beside the cells that ran."""

from bench.judge.same_run import PREDICTED, values
from bench.records.enums import Provenance
from bench.records.record import Record
from bench.report.basics import Fact
from bench.text import MAX_NAME, clean


def is_of(plan: Record, record: Record) -> bool:
    """Whether a plan predicts a run of this model on this device."""
    return (
        plan.provenance is Provenance.DERIVED
        and record.provenance is Provenance.MEASURED
        and values(PREDICTED, plan) == values(PREDICTED, record)
        and bool({cell.cell_id for cell in plan.cells} & {cell.cell_id for cell in record.cells})
    )


def beside(record: Record, plan: Record | None) -> Record:
    """The record, each of its cells with what the plan says of it; to be shown, not to be kept."""
    if plan is None:
        return record
    told = {cell.cell_id: cell.envelope for cell in plan.cells}
    cells = [
        cell.model_copy(update={"envelope": cell.envelope or told.get(cell.cell_id)}) for cell in record.cells
    ]
    return record.model_copy(update={"cells": tuple(cells)})


def source(plan: Record | None) -> tuple[Fact, ...]:
    """Whose prediction stands beside the figures."""
    if plan is None:
        return ()
    text = f"plan {plan.record_id} of {plan.created_at:%Y-%m-%d}, bench {plan.environment.bench_version}"
    return (Fact("Predicted by", clean(text, MAX_NAME)),)
