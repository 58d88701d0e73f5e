"""The verdict of several predictions: each setting by its newest record."""

from bench.records.enums import Verdict
from tests.samples import predictions as derived
from tests.samples.reruns import (
    lean,
    merged,
    rerun,
)


def test_predictions_for_two_profiles_are_told_one_by_one_and_none_is_the_best() -> None:
    plan = derived.derived_record(with_longest_clips=False)
    faithful, economical = merged(plan).why, merged(lean(plan, 2)).why
    check = merged(plan, lean(plan, 2))
    first, _, second = check.why.partition(" Profile faithful: ")
    assert first == "Predicted in 2 records. Profile lean: " + economical.removeprefix(
        "Derived, not measured: "
    )
    assert second == faithful.removeprefix("Derived, not measured: ")
    assert check.verdict is Verdict.RUNS  # as the leaner of both says: one that fits can be chosen
    assert "best" not in check.why


def test_of_predictions_for_the_same_settings_the_newest_tells() -> None:
    old, new = rerun(derived.derived_record(clips=(600.0,)), 1), rerun(derived.derived_record(), 2)
    check = merged(new, old)
    assert check.why == f"Predicted in 2 records. The newest of them: {merged(new).why}"
    assert check.verdict is merged(new).verdict
