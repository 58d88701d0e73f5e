"""A record against the prediction for its card, and against other records of that card."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import JsonValue

from bench.records.enums import Attention
from bench.records.record import Record
from bench.validate.against import FEWEST_OTHERS, _predicted, against
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, value_at
from tests.validate.good import good
from tests.validate.recipes import UNLISTED, Recipe

ALIKE = Recipe(card="rtx-4090", clips=(10.0,), tokens=(32,))
RATE = "cells[0].summary.decode_tokens_per_s"


def outliers(document: Document, others: Sequence[Record]) -> list[tuple[str, str]]:
    """Return the findings about other records."""
    found = against(edits.candidate(document), others)
    return [(each.code, each.path) for each in found if each.code == "outlier_of_card"]


def others(count: int) -> list[Record]:
    """Return records of the same cells from other runs."""
    return [good(replace(ALIKE, seed=seed)) for seed in range(100, 100 + count)]


def test_records_of_one_card_agree() -> None:
    assert outliers(document_of(good(ALIKE)), others(4)) == []


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_a_figure_far_from_those_of_others(factor: float) -> None:
    path = f"{RATE}.median"
    far = edited({path: factor * value_at(document_of(good(ALIKE)), path)}, document_of(good(ALIKE)))
    (only,) = [each for each in against(edits.candidate(far), others(4)) if each.code == "outlier_of_card"]
    assert only.path == RATE
    assert only.facts["records"] == 4
    assert only.facts["ratio"] == pytest.approx(factor, rel=0.2)


def test_of_too_few_others_and_of_its_own_copies_nothing_is_said() -> None:
    path = f"{RATE}.median"
    far = edited({path: 5 * value_at(document_of(good(ALIKE)), path)}, document_of(good(ALIKE)))
    assert outliers(far, others(FEWEST_OTHERS - 1)) == []
    assert outliers(far, [*others(1)] * 9) == [], "one record counts once"


def test_a_card_without_a_prediction_has_only_others() -> None:
    unlisted = document_of(good(replace(ALIKE, card=UNLISTED)))
    assert list(against(edits.candidate(unlisted), [])) == []


@pytest.mark.parametrize("factor", [0.5, 2])
def test_memory_outside_the_predicted_interval(factor: float) -> None:
    record = good(replace(ALIKE, tokens=(128,), attention=(Attention.SDPA,)))
    predicted = _predicted(record)
    assert predicted is not None
    envelope = predicted.cells[0].envelope
    assert envelope is not None
    reserved, device = envelope.reserved_peak_bytes, envelope.device_peak_bytes
    assert reserved is not None
    assert device is not None
    path = "cells[0].summary.reserved_peak_bytes"
    likely: dict[str, JsonValue] = {
        "model.config_sha256": predicted.model.config_sha256,
        path: reserved.low,
        "cells[0].summary.process_peak_bytes": device.high,
    }
    inside = edited(likely, document_of(record))
    assert list(against(edits.candidate(inside), [])) == []

    found_bytes = round(factor * reserved.low)
    (only,) = against(edits.candidate(edited({path: found_bytes}, inside)), [])
    assert (only.code, only.path) == ("outside_prediction", path)
    assert only.facts == {
        "found_bytes": found_bytes,
        "low_bytes": reserved.low,
        "high_bytes": reserved.high,
    }
