"""The memory of a record against the prediction for its card."""

from dataclasses import replace

import pytest

from bench.records.enums import Attention
from bench.validate.prediction import _predicted, outside_prediction
from tests.validate.edits import candidate, document_of, edited, judged
from tests.validate.good import good
from tests.validate.recipes import UNLISTED, Recipe, recipes

ALIKE = Recipe(card="rtx-4090", clips=(10.0,), tokens=(32,))


def test_a_card_without_a_prediction_has_nothing_to_be_compared_with() -> None:
    unlisted = document_of(good(replace(ALIKE, card=UNLISTED)))
    assert list(outside_prediction(candidate(unlisted))) == []


@pytest.mark.parametrize("factor", [0.5, 2])
def test_memory_outside_the_predicted_interval(factor: float) -> None:
    record = good(replace(ALIKE, tokens=(128,), attention=(Attention.SDPA,)))
    predicted = _predicted(record)
    assert predicted is not None
    envelope = predicted.cells[0].envelope
    assert envelope is not None
    reserved = envelope.reserved_peak_bytes
    assert reserved is not None
    assert list(outside_prediction(candidate(document_of(record)))) == []

    path = "cells[0].summary.reserved_peak_bytes"
    found_bytes = round(factor * reserved.low)
    (only,) = outside_prediction(candidate(edited({path: found_bytes}, document_of(record))))
    assert (only.code, only.path) == ("outside_prediction", path)
    assert only.facts == {
        "found_bytes": found_bytes,
        "low_bytes": reserved.low,
        "high_bytes": reserved.high,
    }


def test_good_records_are_inside() -> None:
    for recipe in recipes():
        assert list(outside_prediction(candidate(document_of(good(recipe))))) == [], recipe


def test_another_configuration_escapes_the_prediction_and_is_suspicious_itself() -> None:
    escaped = edited({"cells[0].summary.reserved_peak_bytes": 1, "model.config_sha256": "ab" * 32})
    assert list(outside_prediction(candidate(escaped))) == []
    assert "configuration_not_shipped" in {each.code for each in judged(escaped)}
