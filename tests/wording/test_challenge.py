"""The challenge of a run, in words."""

import pytest

from bench.records.enums import WeightMode
from bench.records.reasons import RunInterrupted
from bench.records.record import Challenge, Record
from bench.wording import outcomes
from bench.wording.challenge import agreement, answered, issued
from tests.samples.challenged import challenged
from tests.validate.good import good, ordinary
from tests.validate.recipes import Recipe


def challenge(record: Record) -> Challenge:
    assert record.challenge is not None
    return record.challenge


def test_who_issued_it_and_when() -> None:
    said = issued(challenge(challenged(ordinary())).issued)
    assert said == "nonce 00112233... of https://results.example.org, issued 2026-11-20 18:03:09 UTC"


def test_the_name_of_a_site_is_cleaned() -> None:
    found = challenge(challenged(ordinary())).issued.model_copy(update={"site": "https://\x1b[31m\u202e"})
    assert issued(found).isprintable()


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (WeightMode.HUB, "answered with 32 token ids by published weights"),
        (
            WeightMode.RANDOM,
            "answered with 32 token ids by random weights, which says nothing of published ones",
        ),
    ],
)
def test_only_published_weights_say_something_of_them(weights: WeightMode, says: str) -> None:
    record = challenged(good(Recipe(weights=weights)))
    assert answered(record, challenge(record)) == says


def test_an_interrupted_run_has_not_answered() -> None:
    record = challenged(ordinary(), outcome=outcomes.skipped(RunInterrupted()))
    said = answered(record, challenge(record))
    assert said.startswith("not answered: the run was interrupted before this cell")


def test_how_far_two_answers_agree() -> None:
    assert agreement(32, 32) == "all 32 token ids agree"
    assert agreement(17, 32) == "the token ids agree up to 17 of 32, and diverge after that"
