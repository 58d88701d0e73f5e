"""Facts of one record around the tables."""

import pytest

from bench.report.facts import environment, header, predicted_by
from bench.report.view import view_of
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.challenged import challenged
from tests.validate.good import ordinary


def test_settings_in_force_are_shown_once_and_a_fallback_is_marked() -> None:
    ran = sample.measured(sample.requested())
    other = sample.with_kernels(sample.measured(sample.requested(30.0)), attention="eager")
    kernels = view_of(sample.record([ran, other])).kernels
    assert [(entry.cells, entry.differs) for entry in kernels] == [(1, False), (1, True)]
    assert "eager (asked for sdpa)" in kernels[1].facts[0].text


def test_a_prediction_loaded_no_weights() -> None:
    weights = {fact.label: fact.text for fact in header(derived.derived_record())}["Weights"]
    assert "weights" not in weights
    assert "GiB" in weights


def test_the_plan_of_a_run_is_named_with_its_date_and_bench() -> None:
    plan = derived.derived_record()
    (fact,) = predicted_by(plan)
    assert fact.text.startswith(f"plan {plan.record_id} of {plan.created_at:%Y-%m-%d}, bench ")
    assert predicted_by(None) == ()


@pytest.mark.parametrize(
    ("known", "words"), [(True, "in this torch"), (False, "not in this torch"), (None, None)]
)
def test_a_page_says_whether_torch_has_flash_kernels(known: bool | None, words: str | None) -> None:
    ran = sample.record([sample.measured(sample.requested())])
    here = ran.environment.model_copy(update={"has_flash_kernels": known})
    facts = {fact.label: fact.text for fact in environment(ran.model_copy(update={"environment": here}))}
    assert facts.get("Flash kernels for cards") == words


def test_a_page_says_how_the_challenge_was_answered_and_checked() -> None:
    first = challenged(ordinary())
    facts = {fact.label: fact.text for fact in header(challenged(ordinary(), checks=first))}
    assert facts["Challenge"].endswith("answered with 32 token ids by published weights")
    assert facts["Check of another answer"] == f"all 32 token ids agree: record {first.content_hash}"
    assert "Challenge" not in {fact.label for fact in header(ordinary())}
