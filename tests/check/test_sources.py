"""Which records count, once each, and whose machine is which."""

from bench.records.caveats import RecordsElsewhere
from bench.records.enums import Verdict
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import (
    CELL,
    MACHINES,
    at,
    cheaper,
    merged,
    rate,
    replanned,
    rerun,
    small,
)


def test_a_copy_of_a_record_counts_once() -> None:
    first, second = at(40.0, 1, MACHINES[0]), at(44.0, 2, MACHINES[1])
    assert merged(first, second, first, first) == merged(first, second)


def test_equal_predictions_of_two_times_are_one_prediction() -> None:
    plan = derived.derived_record()
    again = rerun(plan, 1)
    check = merged(plan, again)
    assert [record.hash for record in check.records] == [again.content_hash]
    assert check.rows == merged(again).rows
    other = replanned(plan, [cheaper(cell, 2**20) for cell in plan.cells], 2)
    assert len(merged(plan, again, other).records) == 2


def test_equal_runs_of_two_times_are_two_runs() -> None:
    assert len(merged(at(40.0, 1), at(40.0, 2)).records) == 2


def test_machines_are_numbered_and_their_keys_never_shown() -> None:
    check = merged(at(40.0, 1, MACHINES[1]), at(41.0, 2, MACHINES[0]), at(42.0, 3, MACHINES[1]), at(43.0, 4))
    assert [record.machine for record in check.records] == [1, 2, 1, None]
    assert not any(key in check.model_dump_json() for key in MACHINES)


def test_records_that_computed_elsewhere_count_in_no_figure() -> None:
    seen = sample.effective(CELL.requested, sample.CPU)
    elsewhere = rerun(small([CELL.model_copy(update={"effective": seen})]), 5, machine=MACHINES[1])
    check = merged(at(40.0, 1, MACHINES[0]), elsewhere)
    assert rate(check).records == 1
    assert check.verdict is Verdict.RUNS
    assert RecordsElsewhere(count=1, records=2) in check.caveat_codes


def test_a_smoke_run_never_decides() -> None:
    check = merged(rerun(sample.smoke(), 1), rerun(sample.smoke(), 2))
    assert check.verdict is Verdict.UNKNOWN
    assert "does not show whether the real model runs" in check.why
