"""One cell over all records that hold it."""

from bench.records.cell import Failed
from bench.records.enums import Provenance, Verdict
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import (
    CELL,
    MACHINES,
    at,
    figure_of,
    merged,
    only_row,
    rerun,
    small,
)


def test_what_ran_decides_and_a_prediction_stands_beside_it() -> None:
    plan = derived.derived_record()
    want = plan.cells[0].requested
    ran = rerun(small([sample.measured(want)]), 1, machine=MACHINES[0])
    ran = rerun(ran.model_copy(update={"model": plan.model, "device": plan.device}), 1, machine=MACHINES[0])
    ran = rerun(
        ran.model_copy(
            update={"cells": (ran.cells[0].model_copy(update={"cell_id": plan.cells[0].cell_id}),)}
        ),
        1,
        machine=MACHINES[0],
    )
    check = merged(plan, ran)
    assert (check.provenance, check.verdict) == (Provenance.MEASURED, Verdict.RUNS)
    (row,) = [row for row in check.rows if row.provenance is Provenance.MEASURED]
    assert row.envelope is not None
    assert figure_of(row, "latency_s").records == 1
    assert len(check.rows) == len(plan.cells)
    assert {line.provenance for line in check.frontier} == {Provenance.MEASURED, Provenance.DERIVED}


def test_a_label_of_one_record_is_counted() -> None:
    row = only_row(at(40.0, 1, MACHINES[0]), at(41.0, 2, MACHINES[1], "noisy"), at(41.0, 3, None, "noisy"))
    assert row.labels == {"noisy": 2}
    assert (row.status, row.statuses, row.records) == ("measured", {"measured": 3}, 3)


def test_the_status_that_says_most_comes_first_with_the_reason_of_its_newest_record() -> None:
    out = sample.out_of_memory(CELL.requested)
    records = [
        rerun(small([cell]), n)
        for n, cell in enumerate((out, sample.not_measured(CELL.requested, Failed(reason="it broke"))))
    ]
    row = only_row(*records)
    assert (row.status, list(row.statuses)) == ("out_of_memory", ["out_of_memory", "failed"])
    assert row.reason == merged(records[0]).rows[0].reason


def test_same_kernels_are_those_that_every_record_saw() -> None:
    card = cards.rtx_4070()
    alike = {row.cell_id: row.same_kernels_as for row in merged(card).rows if row.same_kernels_as}
    assert alike
    both = merged(rerun(card, 1), rerun(card, 2))
    assert {row.cell_id: row.same_kernels_as for row in both.rows if row.same_kernels_as} == alike
