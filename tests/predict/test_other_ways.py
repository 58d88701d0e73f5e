"""The other ways of a plan have the lengths that a plan for each of them has."""

import pytest

from bench.hardware.budget import BudgetKind
from bench.packages import version_of
from bench.predict.cells import NotStoredError, Predictions
from bench.predict.other_ways import other_ways
from bench.predict.planned_model import PlannedModel
from bench.predict.planner import Planner, plan_request
from bench.predict.target import targets
from bench.records.enums import Profile
from bench.records.prediction import LongestClip, OtherWay, PlannedSystem
from bench.run.run_spec import RunOptions

LINUX = PlannedSystem(os="linux", torch="2.14")
WINDOWS = PlannedSystem(os="windows", torch="2.14")
of_the_table = pytest.mark.skipif(
    (version_of("transformers") or "5").startswith("4."),
    reason="the shipped table has the weight blocks of transformers 5",
)


def planned(profile: Profile, system: PlannedSystem) -> tuple[tuple[LongestClip, ...], tuple[OtherWay, ...]]:
    planner = Planner(plan_request(RunOptions(model="MOSS-Audio-4B-Instruct", profile=profile)))
    (target,) = targets(["rtx-4070"], system)
    derivation = planner.record(target).derivation
    assert derivation is not None
    return derivation.longest_clips, derivation.other_ways


@of_the_table
def test_every_other_profile_and_system_is_there_once_for_one_answer() -> None:
    _, others = planned(Profile.FAITHFUL, LINUX)
    ways = {(way.profile, way.system.os) for way in others}
    assert ways == {(Profile.LEAN, "linux"), (Profile.FAITHFUL, "windows"), (Profile.LEAN, "windows")}
    assert {way.lengths.max_tokens for way in others} == {512}


@of_the_table
def test_a_plan_for_a_headless_card_names_no_system_that_always_has_a_desktop() -> None:
    planner = Planner(plan_request(RunOptions(model="MOSS-Audio-4B-Instruct")), "headless")
    (target,) = targets(["rtx-4070"], LINUX)
    derivation = planner.record(target).derivation
    assert derivation is not None
    assert {way.system.os for way in derivation.other_ways} == {"linux"}


@of_the_table
@pytest.mark.parametrize(
    ("profile", "system"), [(Profile.LEAN, LINUX), (Profile.FAITHFUL, WINDOWS), (Profile.LEAN, WINDOWS)]
)
def test_a_way_has_the_lengths_of_its_own_plan(profile: Profile, system: PlannedSystem) -> None:
    own, _ = planned(profile, system)
    _, others = planned(Profile.FAITHFUL, LINUX)
    found = {
        way.lengths.attention: way.lengths for way in others if (way.profile, way.system) == (profile, system)
    }
    assert found == {line.attention: line for line in own if line.max_tokens == 512}


@of_the_table
@pytest.mark.parametrize("profile", Profile)
def test_a_limit_does_not_depend_on_which_budgets_are_asked(profile: Profile) -> None:
    request = plan_request(RunOptions(model="MOSS-Audio-4B-Instruct", profile=profile))
    (target,) = targets(["rtx-4070"], LINUX)

    def lengths(budget: BudgetKind | None) -> dict[tuple[object, ...], LongestClip]:
        derivation = Planner(request, budget).record(target).derivation
        assert derivation is not None
        own: dict[tuple[object, ...], LongestClip] = {
            (profile, LINUX, line.attention, line.max_tokens): line for line in derivation.longest_clips
        }
        others: dict[tuple[object, ...], LongestClip] = {
            (way.profile, way.system, way.lengths.attention, way.lengths.max_tokens): way.lengths
            for way in derivation.other_ways
        }
        return {**own, **others}

    both = lengths(None)
    for way, found in lengths("headless").items():
        assert (found.headless_fits_s, found.headless_likely_fits_s, found.headless_misfit_s) == (
            both[way].headless_fits_s,
            both[way].headless_likely_fits_s,
            both[way].headless_misfit_s,
        )
    for way, found in lengths("desktop").items():
        assert (found.desktop_fits_s, found.desktop_likely_fits_s, found.desktop_misfit_s) == (
            both[way].desktop_fits_s,
            both[way].desktop_likely_fits_s,
            both[way].desktop_misfit_s,
        )


def test_what_is_not_stored_is_not_traced_for_another_way() -> None:
    asked = plan_request(RunOptions(model="MOSS-Audio-4B-Instruct"))
    predictions = Predictions(PlannedModel(asked.source, "bfloat16"), [512], may_trace=False)
    (target,) = targets(["rtx-4070"], LINUX)
    with pytest.raises(NotStoredError):
        predictions.envelopes(asked.cells[0].requested, target)
    derivation = Planner(asked).derivation(target)
    assert other_ways(asked.cells, target, predictions, 40_960, lambda _: derivation) == ()
