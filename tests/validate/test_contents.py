"""Hash, dates, suite and cells: each edit of an ordinary record gets its finding, and no other error."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import JsonValue

from bench.store.canonical import canonical
from bench.suite.cells import cell_id
from bench.validate.contents import in_future
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, errors, fresh, judged
from tests.validate.good import good
from tests.validate.recipes import Recipe


def reidentified(document: Document) -> Document:
    """Return the record with the ids that its requests have now."""
    record = edits.candidate(document).record
    for cell, read in zip(document["cells"], record.cells, strict=True):
        cell["cell_id"] = cell_id(read.requested)
    return document


def with_definition(document: Document, **settings: Any) -> Document:
    """Return the record with another definition of its suite, and the hash of that."""
    definition = {**document["suite"]["definition"], **settings}
    sha = hashlib.sha256(canonical(definition)).hexdigest()
    document["suite"] |= {"definition": definition, "sha256": sha}
    return document


def test_an_ordinary_record_has_no_findings() -> None:
    assert judged(fresh()) == ()


def test_a_changed_record_that_is_not_hashed_again() -> None:
    changed = edited({"environment.cpu": "a better one"})
    assert errors(judged(changed, rehash=False)) == [("hash_mismatch", "$.content_hash")]
    assert errors(judged(changed)) == []


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("2026-12-02T00:00:01Z", "date_in_future"),
        ("2031-01-01T00:00:00Z", "date_in_future"),
        ("2025-12-31T23:59:59Z", "date_before_bench"),
    ],
)
def test_clocks_that_travel(date: str, code: str) -> None:
    assert edits.found({"created_at": date}) == [(code, "$.created_at")]


@pytest.mark.parametrize(
    "date", ["2026-12-01T23:59:59Z", "2026-01-01T00:00:00Z", "2026-12-01T09:00:00+09:00"]
)
def test_clocks_may_differ_by_a_day(date: str) -> None:
    assert edits.found({"created_at": date}) == []


def test_on_the_last_day_of_all_dates_no_clock_is_ahead() -> None:
    ends = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert list(in_future(ends, ends)) == []


# --- the suite --------------------------------------------------------------------------------------------


def test_the_hash_of_another_suite() -> None:
    assert edits.found({"suite.sha256": "0" * 64}) == [("suite_hash_mismatch", "$.suite.sha256")]


def test_a_suite_that_cannot_be_read() -> None:
    broken = with_definition(fresh(), axes={"clip_seconds": []})
    assert ("suite_unreadable", "$.suite.definition") in errors(judged(broken))


@pytest.mark.parametrize(("name", "value"), [("name", "standard"), ("version", "2")])
def test_a_suite_under_another_name(name: str, value: str) -> None:
    assert edits.found({f"suite.{name}": value}) == [("suite_name_mismatch", f"$.suite.{name}")]


@pytest.mark.parametrize(("key", "value"), [("title", "Mine"), ("description", ""), ("seed", 1)])
def test_a_shipped_suite_that_was_changed(key: str, value: object) -> None:
    changed = with_definition(fresh(), **{key: value})
    for cell in changed["cells"] if key == "seed" else ():
        cell["requested"]["seed"] = value
    found = errors(judged(reidentified(changed)))
    assert found == [("suite_not_shipped", f"$.suite.definition.{key}")]


def test_a_shipped_suite_with_expectations_of_its_own() -> None:
    changed = with_definition(fresh(), expect=[{"fits": True}])
    assert errors(judged(changed)) == [("suite_not_shipped", "$.suite.definition.expect")]


def test_an_override_that_is_not_named() -> None:
    found = edits.found({"suite.overrides": ["max_tokens", "attention"]})
    assert found == []  # the clips of `quick` are those that ran
    assert edits.found({"suite.overrides": ["attention"]}) == [
        ("suite_not_shipped", "$.suite.definition.max_tokens")
    ]


def test_a_version_that_this_bench_does_not_have() -> None:
    newer = with_definition(fresh(), version="7")
    newer["suite"]["version"] = "7"
    assert [(each.code, each.severity.value) for each in judged(newer)] == [("suite_unknown", "note")]


def test_a_suite_of_ones_own_is_a_note() -> None:
    own = judged(document_of(good(Recipe(own=True, clips=(10.0,), tokens=(8,)))))
    assert [(each.code, each.severity.value) for each in own] == [("suite_own", "note")]


# --- cells ------------------------------------------------------------------------------------------------


def test_a_request_that_was_changed_has_another_id() -> None:
    changed = edited({"cells[0].requested.prompt": "Write the words."})
    assert errors(judged(changed)) == [
        ("cell_id_mismatch", "$.cells[0].cell_id"),
        ("cell_foreign", "$.cells[0].requested"),
    ]


@pytest.mark.parametrize("place", [1, 3])
def test_a_cell_with_another_prompt(place: int) -> None:
    changed = edited({f"cells[{place}].requested.prompt": "Write the words."})
    assert errors(judged(reidentified(changed))) == [("cell_foreign", f"$.cells[{place}].requested")]


def test_a_cell_beside_the_axes() -> None:
    document = fresh()
    extra = document_of(good(Recipe(card="rtx-4090", clips=(10.0,), tokens=(64,))))["cells"][0]
    document["cells"].append(extra)
    assert errors(judged(document)) == [("cell_foreign", "$.cells[4].requested")]


def test_a_cell_that_was_deleted() -> None:
    document = fresh()
    del document["cells"][2]
    (only,) = judged(document)
    assert (only.code, only.path, only.facts) == ("cell_missing", "$.cells", {"count": 1})


def test_no_cells_at_all() -> None:
    (only,) = judged(edited({"cells": []}))
    assert (only.code, only.path, only.facts) == ("cell_missing", "$.cells", {"count": 4})


def test_a_cell_that_is_there_twice_is_named_once() -> None:
    document = fresh()
    document["cells"].append(document["cells"][0])
    found = errors(judged(document))
    assert [path for code, path in found if code == "cell_doubled"] == ["$.cells[0]"]
    assert {code for code, _ in found} == {"cell_doubled", "cells_copied"}


def test_a_search_chooses_its_own_lengths() -> None:
    search = document_of(good(Recipe(is_search=True, clips=(10.0, 60.0), tokens=(32,))))
    search["cells"] = search["cells"][1:2]
    assert errors(judged(search)) == []


def test_an_ordinary_run_with_cells_left_out_is_no_search() -> None:
    """A search measures each cell once, and its suite says so."""
    cut = edited({"frontier_step_s": 5.0})
    cut["cells"] = cut["cells"][:2]
    (only,) = judged(cut)
    assert (only.code, only.path) == ("cell_missing", "$.cells")
    assert only.facts == {"count": 2}


def test_lengths_that_an_ordinary_run_chose_are_overrides() -> None:
    changes: dict[str, JsonValue] = {"frontier_step_s": 5.0, "suite.overrides": []}
    found = errors(judged(edited(changes)))
    assert {code for code, _ in found} == {"suite_not_shipped"}


@pytest.mark.parametrize("origin", ["shipped", None])
def test_a_suite_of_no_stated_origin_is_the_shipped_one_of_its_name(origin: str | None) -> None:
    stated: dict[str, JsonValue] = {"suite.origin": origin}
    assert edits.found(stated) == []
    assert edits.found({**stated, "suite.overrides": []}) == [
        ("suite_not_shipped", f"$.suite.definition.{key}") for key in ("attention", "max_tokens")
    ]


def test_a_suite_of_no_stated_origin_that_is_not_shipped() -> None:
    own = document_of(good(Recipe(own=True, clips=(10.0,), tokens=(16,))))
    assert edits.found({"suite.origin": None}, own) == [("suite_own", "$.suite.origin")]
