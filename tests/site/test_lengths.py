"""The lengths of the front page are those of `bench plan`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.prediction import budgets_from, cell_fit
from bench.predict.planner import Planner, plan_request
from bench.predict.target import targets
from bench.records.enums import Attention, Profile
from bench.records.enums import Fit as PlannedFit
from bench.records.prediction import PlannedSystem
from bench.run.run_spec import RunOptions, released_names
from bench.site.lengths import PLACES, Case, Fit, Lengths, Place
from tests.site.predicted import predicted

CARDS = ("rtx-3060-12gb", "rtx-4060-ti-16gb", "rtx-4090", "l4")
CLIPS_S = (4.0, 60.0, 124.0, 320.0, 464.0, 676.0, 976.0, 1696.0, 2792.0)
# Deferred: the predictions take seconds, and not every process that collects this file runs it.
NAMES = st.deferred(lambda: st.sampled_from([card.slug for card in predicted().cards if card.lengths]))
CASES = st.deferred(lambda: st.sampled_from(predicted().cases))


def judged(slug: str, case: Case, clip_s: float) -> Fit:
    """The answer of the front page."""
    found = predicted()
    card = next(card for card in found.cards if card.slug == slug)
    return card.lengths[found.cases.index(case)].judge(clip_s, found.context_s[case.tokens])


def planned(planner: Planner, slug: str, place: Place) -> dict[tuple[float, int], Fit]:
    """The answers of `bench plan` for each clip and number of tokens."""
    (target,) = targets([slug], place.system)
    budgets = budgets_from(planner.derivation(target), target.info.memory_total_bytes)
    found: dict[tuple[float, int], Fit] = {}
    for cell in planner.results(target):
        fit = cell_fit(cell, budgets)
        answer, likely = (
            (fit.desktop, fit.desktop_likely) if place.has_desktop else (fit.headless, fit.headless_likely)
        )
        words: dict[PlannedFit | None, Fit] = {PlannedFit.FITS: "fits", PlannedFit.DOES_NOT_FIT: "misfit"}
        shape = cell.requested.clip_seconds, cell.requested.max_tokens
        found[shape] = words.get(answer, "likely" if likely else "unlikely")
    return found


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("model", ["MOSS-Audio-4B-Instruct", "MOSS-Audio-8B-Thinking"])
def test_the_lengths_are_those_that_the_plan_prints(model: str, profile: Profile) -> None:
    planner = Planner(plan_request(RunOptions(model=model, profile=profile)), may_trace=False)
    found = predicted()
    (target,) = targets(["rtx-4060-ti-16gb"], PLACES[0].system)
    derivation = planner.record(target).derivation
    assert derivation is not None
    card = next(card for card in found.cards if card.slug == "rtx-4060-ti-16gb")
    for line in derivation.longest_clips:
        case = Case(found.models[model], profile, PLACES[0], found.tokens.index(line.max_tokens))
        printed = line.headless_fits_s, line.headless_likely_fits_s, line.headless_misfit_s
        assert card.lengths[found.cases.index(case)] == printed


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("model", ["MOSS-Audio-4B-Instruct", "MOSS-Audio-8B-Thinking"])
def test_an_answer_is_that_of_the_planned_cell(model: str, profile: Profile) -> None:
    """But near a length: the plan searches it in few steps, and the need of memory has small dents."""
    options = RunOptions(model=model, profile=profile, attention=(Attention.SDPA,), clip_seconds=CLIPS_S)
    planner = Planner(plan_request(options), may_trace=False)
    found = predicted()
    for slug in CARDS:
        for place in PLACES:
            for (clip_s, tokens), answer in planned(planner, slug, place).items():
                case = Case(found.models[model], profile, place, found.tokens.index(tokens))
                near = {judged(slug, case, clip_s * factor) for factor in (0.93, 1.0, 1.07)}
                assert answer in near, (slug, place, clip_s, tokens)
                assert len(near) > 1 or near == {answer}


@given(
    slug=NAMES,
    case=CASES,
    clips=st.tuples(st.floats(0.1, 4000), st.floats(0.1, 4000)),
)
def test_a_longer_clip_never_fits_better(slug: str, case: Case, clips: tuple[float, float]) -> None:
    order: tuple[Fit, ...] = ("fits", "likely", "unlikely", "misfit", "too_long")
    shorter, longer = (order.index(judged(slug, case, clip)) for clip in sorted(clips))
    assert shorter <= longer


def test_the_release_of_torch_makes_no_difference_on_linux() -> None:
    """So that the page need not ask for it."""
    planner = Planner(plan_request(RunOptions(attention=(Attention.SDPA,))), may_trace=False)

    def lines(slug: str, torch: str) -> object:
        (target,) = targets([slug], PlannedSystem(os="linux", torch=torch))
        return planner.longest_clips(target, planner.derivation(target))

    for slug in CARDS:
        assert lines(slug, "2.9") == lines(slug, "2.14")


def test_every_card_has_lengths_or_a_reason() -> None:
    found = predicted()
    assert set(found.models) == set(released_names())
    for card in found.cards:
        assert len(card.lengths) in {0, len(found.cases)}
        assert bool(card.lengths) != bool(card.reason)
    reasons = {card.slug: card.reason for card in found.cards if card.reason}
    assert "8.0" in reasons["t4"]
    assert "memory" in reasons["gb10"]


def test_a_label_tells_cards_of_one_name_apart() -> None:
    labels = [card.label for card in predicted().cards]
    assert len(set(labels)) == len(labels)
    assert {"RTX 4070", "RTX 3060 8 GB", "RTX 3060 12 GB", "RTX A2000 12GB"} <= set(labels)


def test_no_length_is_never_taken_for_a_short_one() -> None:
    assert Lengths(None, None, 1).judge(1, 100) == "misfit"
    assert Lengths(None, None, None).judge(1, 100) == "unlikely"
    assert Lengths(64, 128, 256).judge(101, 100) == "too_long"
