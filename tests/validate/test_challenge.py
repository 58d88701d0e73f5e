"""The challenge of a record: each edit gets its finding, and no other error."""

from datetime import timedelta
from functools import cache

import pytest
from pydantic import JsonValue

from bench.records.cell import Outcome
from bench.records.enums import WeightMode
from bench.records.reasons import NoNewWorker, RunInterrupted
from bench.wording import outcomes
from tests.samples.challenged import IDS, broken_signature, challenged
from tests.validate.edits import Document, document_of, edited, errors, found, judged
from tests.validate.good import good, ordinary
from tests.validate.recipes import Recipe

INTERRUPTED = outcomes.skipped(RunInterrupted())


@cache
def answered() -> Document:
    return document_of(challenged(ordinary()))


def ids_of(weights: WeightMode, ids: tuple[int, ...]) -> Document:
    recipe = Recipe(card=None, weights=weights, suite="smoke" if weights is WeightMode.TINY else "quick")
    return document_of(challenged(good(recipe), ids=ids))


def test_a_challenge_and_its_answer_are_no_finding() -> None:
    assert judged(answered()) == judged(document_of(ordinary()))
    assert errors(judged(ids_of(WeightMode.TINY, (263,) * 32))) == []


@pytest.mark.parametrize(
    ("code", "path", "value"),
    [
        ("challenge_signature_invalid", "challenge.issued.signature", broken_signature()),
        ("challenge_signature_invalid", "challenge.issued.signature", "x"),
        ("challenge_excerpt_wrong", "challenge.excerpt_starts", [0, 0, 0, 0, 0]),
        ("challenge_excerpt_wrong", "challenge.excerpt_starts", []),
        ("tokens_miscounted", "challenge.token_ids", [*IDS, 1]),
        ("tokens_miscounted", "challenge.token_ids", [*IDS[:-1]]),
        ("challenge_ids_foreign", "challenge.token_ids", [*IDS[:-1], 151_936]),
        ("challenge_contradicted", "challenge.cell.requested.prompt", "Say nothing."),
        ("challenge_contradicted", "challenge.cell.requested.model", "MOSS-Audio-8B-Instruct"),
        ("challenge_contradicted", "challenge.cell.requested.attention", "eager"),
        ("settings_contradicted", "challenge.cell.effective.clip_sha256", "ab" * 32),
        ("settings_contradicted", "challenge.cell.effective.dtype", "float32"),
        ("kernels_contradicted", "challenge.cell.effective.language_model.operators", ["aten::_softmax"]),
        ("outcome_contradicted", "challenge.token_ids", None),
        ("outcome_contradicted", "challenge.cell.effective", None),
        ("cell_id_mismatch", "challenge.cell.cell_id", "0" * 16),
    ],
)
def test_each_edit_has_its_finding(code: str, path: str, value: JsonValue) -> None:
    said = found({path: value}, answered())
    where = path.removesuffix(".operators")
    assert (code, f"$.{where}") in said
    assert {each for each, _ in said} <= {code, "cell_id_mismatch", "kernels_contradicted"}


def test_a_nonce_of_another_challenge_does_not_hold() -> None:
    codes = {code for code, _ in found({"challenge.issued.nonce": "f" * 32}, answered())}
    assert codes == {"challenge_signature_invalid", "challenge_excerpt_wrong"}


@pytest.mark.parametrize(("minutes", "codes"), [(4, []), (6, ["challenge_after_run"])])
def test_a_run_that_began_before_its_challenge(minutes: int, codes: list[str]) -> None:
    """The clocks of two computers differ by some minutes."""
    record = challenged(ordinary())
    assert record.challenge is not None
    began = record.challenge.issued.issued_at - timedelta(minutes=minutes)
    said = found({"created_at": f"{began:%Y-%m-%dT%H:%M:%SZ}"}, document_of(record))
    assert [code for code, _ in said] == codes


@pytest.mark.parametrize(
    "outcome",
    [INTERRUPTED, outcomes.failed(NoNewWorker(error="gone"))],
    ids=lambda each: each.status,
)
def test_a_challenge_without_an_answer_is_a_note(outcome: Outcome) -> None:
    document = document_of(challenged(ordinary(), outcome=outcome))
    assert found({}, document) == [("challenge_unanswered", "$.challenge.cell.outcome")]
    assert ("outcome_contradicted", "$.challenge.token_ids") in found(
        {"challenge.token_ids": [*IDS]}, document
    )


@pytest.mark.parametrize("name", ["summary", "repeats", "memory", "work"])
def test_nothing_is_measured_in_a_challenge(name: str) -> None:
    measured = document_of(ordinary())["cells"][0][name]
    said = found({f"challenge.cell.{name}": measured}, answered())
    assert said == [("outcome_contradicted", f"$.challenge.cell.{name}")]


def test_the_challenge_among_the_cells_is_foreign() -> None:
    """There is one place for it, so that there is one."""
    document = document_of(challenged(ordinary()))
    document["cells"].append(document["challenge"]["cell"])
    assert "cell_foreign" in {code for code, _ in found({}, document)}


def test_ids_are_compared_with_the_vocabulary_that_is_known() -> None:
    high = (10**6,) * 32
    assert [code for code, _ in errors(judged(ids_of(WeightMode.TINY, high)))] == ["challenge_ids_foreign"]
    assert [code for code, _ in errors(judged(ids_of(WeightMode.RANDOM, high)))] == ["challenge_ids_foreign"]
    assert errors(judged(ids_of(WeightMode.LOCAL, high))) == []


def test_a_prediction_answers_nothing() -> None:
    said = found({"provenance": "derived"}, edited({}, answered()))
    assert ("provenance_contradicted", "$.challenge") in said
