"""The frontier over all records."""

from bench.records.enums import Provenance
from tests.report.test_answer import PLAN, with_lean
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import CELL, MACHINES, at, lean, merged, rerun, small


def test_one_record_keeps_its_own_lines() -> None:
    once, twice = merged(cards.rtx_4070()).frontier, merged(cards.rtx_4070(), cards.rtx_4070()).frontier
    assert once == twice
    assert {line.records for line in once} == {1}


def test_what_one_record_fits_and_another_does_not_is_marked() -> None:
    out = rerun(small([sample.out_of_memory(CELL.requested)]), 2, machine=MACHINES[1])
    (line,) = merged(at(40.0, 1, MACHINES[0]), out).frontier
    assert line.disagrees
    (agreed,) = merged(at(40.0, 1, MACHINES[0]), at(41.0, 2, MACHINES[1])).frontier
    assert (agreed.longest_fit_s, agreed.disagrees, agreed.machines) == (10.0, False, 2)


def test_predicted_lines_are_of_the_newest_plan_and_follow_what_ran() -> None:
    old, new = rerun(derived.derived_record(headroom="headless"), 1), rerun(derived.derived_record(), 2)
    lines = merged(new, old, at(40.0, 3, MACHINES[0])).frontier
    kinds = [line.provenance for line in lines]
    assert kinds == sorted(kinds, key=[Provenance.MEASURED, Provenance.DERIVED].index)
    assert all(line.desktop_is_known for line in lines if line.is_predicted)


def test_settings_in_which_records_differ_name_the_line() -> None:
    plan = derived.derived_record()
    variants = {line.variant for line in merged(plan, lean(plan, 2)).frontier}
    assert variants == {("profile faithful",), ("profile lean",)}


def test_lines_of_other_ways_of_one_prediction_are_named_by_their_settings() -> None:
    lines = merged(with_lean(PLAN, 600.0)).frontier
    of_lean = [line for line in lines if line.predicted_headless and line.predicted_headless.fits_s == 600.0]
    assert [line.variant for line in of_lean] == [("profile lean",)]
    others = {line.variant for line in lines} - {("profile lean",)}
    assert others == {("profile faithful",)}
