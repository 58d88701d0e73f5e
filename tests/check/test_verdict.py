"""The verdict over all records, and its sentence."""

from bench.records.enums import Fit, Verdict
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import (
    CELL,
    MACHINES,
    at,
    lean,
    merged,
    rerun,
    small,
)


def test_ran_on_two_and_not_on_one_is_too_close_to_call_with_the_tally() -> None:
    out = rerun(small([sample.out_of_memory(CELL.requested)]), 3, machine=MACHINES[2])
    check = merged(at(40.0, 1, MACHINES[0]), at(41.0, 2, MACHINES[1]), out)
    (row,) = check.rows
    assert row.fit is Fit.TOO_CLOSE_TO_CALL
    assert row.statuses == {"measured": 2, "out_of_memory": 1}
    assert "fit" in row.disagrees
    assert check.verdict is Verdict.TOO_CLOSE_TO_CALL
    assert "ran in 2 records and ran out of memory in 1 record" in check.why
    (line,) = check.frontier
    assert (line.longest_fit_s, line.smallest_misfit_s, line.disagrees) == (None, None, True)


def test_the_sentence_says_what_it_rests_on() -> None:
    check = merged(at(40.0, 1, MACHINES[0]), at(41.0, 2, MACHINES[1]), at(42.0, 3, MACHINES[1]))
    assert check.verdict is Verdict.RUNS
    assert check.why.startswith("Measured in 3 records on 2 machines: the longest clip that ran is 10 s with")
    assert "40.8 tok/s" in check.why  # of 40 and the 41.5 of the second machine


# --- settings that no merged cell decides ------------------------------------------------------------------


def test_predictions_for_two_profiles_are_told_one_by_one_and_none_is_the_best() -> None:
    plan = derived.derived_record(with_longest_clips=False)
    faithful, economical = merged(plan).why, merged(lean(plan, 2)).why
    check = merged(plan, lean(plan, 2))
    first, _, second = check.why.partition(" Profile faithful: ")
    assert first == "Predicted in 2 records. Profile lean: " + economical.removeprefix(
        "Predicted, not measured: "
    )
    assert second == faithful.removeprefix("Predicted, not measured: ")
    assert check.verdict is Verdict.RUNS  # as the leaner of both says: one that fits can be chosen
    assert "best" not in check.why


def test_of_predictions_for_the_same_settings_the_newest_tells() -> None:
    old, new = rerun(derived.derived_record(clips=(600.0,)), 1), rerun(derived.derived_record(), 2)
    check = merged(new, old)
    assert check.why == f"Predicted in 2 records. The newest of them: {merged(new).why}"
    assert check.verdict is merged(new).verdict
