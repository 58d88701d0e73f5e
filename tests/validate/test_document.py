"""All rules over one record: order, length, and the words of a finding."""

import json
from math import inf, nan

import pytest
from pydantic import JsonValue, ValidationError

from bench.errors import BenchError
from bench.records.findings import Finding, Severity
from bench.validate.candidate import Found
from bench.validate.document import MOST_OF_A_CODE, finding, findings
from tests.validate import edits
from tests.validate.edits import document_of, edited, errors, judged
from tests.validate.good import good
from tests.validate.recipes import Recipe

EXTREMES: tuple[JsonValue, ...] = (None, 0, -1, 1e308, 2**53 - 1, "\u202e\x1b[31mx")


def test_errors_come_first_then_what_is_suspicious_then_notes() -> None:
    own = document_of(good(Recipe(own=True, clips=(10.0,), tokens=(16,))))
    hot = {"cells[0].power.temperature_c.high": 97.0}
    found = judged(edited({**hot, "suite.sha256": "0" * 64}, own))
    assert [each.severity for each in found] == [
        Severity.ERROR, Severity.SUSPICIOUS, Severity.NOTE
    ]  # fmt: skip
    assert [each.code for each in found] == ["suite_hash_mismatch", "reading_unusual", "suite_own"]


def test_of_one_code_the_first_twenty_are_listed() -> None:
    many = document_of(good(Recipe(card="rtx-4090", suite="standard", tokens=(4, 8))))
    for cell in many["cells"]:
        if cell["summary"] is not None:
            cell["summary"]["latency_s"]["median"] = 99_999.0
    assert MOST_OF_A_CODE == 20
    assert [code for code, _ in errors(judged(many))] == ["summary_mismatch"] * 20


def test_a_path_begins_at_the_top() -> None:
    assert finding(Found("hash_mismatch", "content_hash")).path == "$.content_hash"


@pytest.mark.parametrize(("value", "shown"), [(inf, "inf"), (-inf, "-inf"), (nan, "nan")])
def test_json_has_no_infinity(value: float, shown: str) -> None:
    found = finding(Found("spread_absurd", "cells[0].repeats", {"cv": value}))
    assert json.loads(found.model_dump_json())["facts"] == {"cv": shown}
    assert shown in found.sentence


@pytest.mark.parametrize("part", ["suite", "model", "device", "device_state", "environment", "cells[0]"])
def test_any_value_at_any_place_ends_in_findings_that_are_safe_to_show(part: str) -> None:
    """Each leaf in turn has an extreme value, as far as the schema takes it."""
    recipe = Recipe(card="rtx-4090", own=True, clips=(10.0,), tokens=(3,), repeats=5, has_flash=False)
    document = document_of(good(recipe))
    judged_files = 0
    for path in _leaves(edits.value_at(document, part), part):
        for value in EXTREMES:
            try:
                candidate = edits.candidate(edited({path: value}, document))
            except (ValidationError, BenchError):
                continue
            for each in findings(candidate):
                _is_safe(each)
            judged_files += 1
    assert judged_files > 10


def _leaves(value: JsonValue, path: str) -> list[str]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{path}.{key}")]
    if isinstance(value, list) and value:
        return [leaf for nth, inner in enumerate(value[:2]) for leaf in _leaves(inner, f"{path}[{nth}]")]
    return [path]


def _is_safe(found: Finding) -> None:
    assert Finding.model_validate_json(found.model_dump_json()) == found
    assert (found.sentence + found.remedy).isprintable()
