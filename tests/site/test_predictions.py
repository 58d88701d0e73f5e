"""Predictions of cards without records."""

import pytest

from bench.records.enums import Provenance
from bench.site.predictions import NO_DATE, predicted_pages, prediction
from tests.site.results import CARD, MODEL


def test_a_prediction_is_for_every_system_and_the_same_every_time() -> None:
    found = prediction(MODEL, CARD)
    assert found is not None
    assert found.provenance is Provenance.DERIVED
    assert {row.system.os for row in found.rows if row.system is not None} == {"linux", "wsl2", "windows"}
    again = prediction(MODEL, CARD)
    assert again is not None
    assert found.model_dump_json() == again.model_dump_json()


def test_nothing_in_it_is_of_this_machine_or_day() -> None:
    found = prediction(MODEL, CARD)
    assert found is not None
    assert {record.created_at for record in found.records} == {NO_DATE}
    (software,) = found.environment
    assert (software.python, software.torch, software.os, software.driver) == ("", None, "", None)
    assert not any("installed torch" in caveat for caveat in found.caveats)


@pytest.mark.parametrize("page", [("mine", CARD), (MODEL, "rtx-6090"), (MODEL, "cpu")])
def test_none_for_what_is_not_shipped(page: tuple[str, str]) -> None:
    assert prediction(*page) is None


def test_every_card_of_known_memory_has_a_page_for_every_model() -> None:
    pages = predicted_pages()
    assert len(pages) == len(set(pages)) > 200
    assert (MODEL, CARD) in pages
