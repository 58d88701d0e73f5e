"""Good records get no error, whatever ran, and an ordinary one gets nothing at all."""

from collections import Counter
from pathlib import Path

import pytest

from bench.records.findings import Severity
from bench.store.record_files import find_records, write_record
from bench.validate.files import judge
from tests.validate.good import NOW, good
from tests.validate.recipes import UNLISTED, Recipe, recipes

ROOT = Path(__file__).parents[2]
NOTES = {"suite_own", "card_not_catalogued"}


def test_there_are_two_hundred() -> None:
    hashes = {good(recipe).content_hash for recipe in recipes()[::20]}
    assert len(hashes) == len(recipes()[::20])
    assert len(set(recipes())) == len(recipes()) >= 200
    assert len({(each.card, each.system, each.weights, each.suite) for each in recipes()}) > 40


@pytest.mark.parametrize("part", range(8))
def test_good_records_get_no_error_and_nothing_suspicious(part: int, tmp_path: Path) -> None:
    for recipe in recipes()[part::8]:
        path = tmp_path / "record.json"
        write_record(good(recipe), path)
        found = judge(path, NOW)
        assert found.refusal is None
        about = [(each.code, each.path, each.facts) for each in found.findings if each.code not in NOTES]
        assert about == [], recipe
        assert {each.code for each in found.findings} == _notes(recipe), recipe


def _notes(recipe: Recipe) -> set[str]:
    own = {"suite_own"} if recipe.own or recipe.dtype else set()
    return own | ({"card_not_catalogued"} if recipe.card == UNLISTED else set())


def test_the_records_of_this_repository_get_no_error() -> None:
    found = [judge(path, NOW) for path in find_records(ROOT / "results")]
    assert len(found) > 40
    assert Counter(each.severity for one in found for each in one.findings)[Severity.ERROR] == 0
    assert [one.refusal for one in found if one.refusal] == []
    assert [one.findings for one in found if one.count(Severity.SUSPICIOUS)] == []
