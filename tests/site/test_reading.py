"""A file as the index keeps it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import RecordError
from bench.site.reading import read_judged, series_digest
from tests.site.results import RUN, put, put_edited, run
from tests.validate.edits import document_of


def test_an_unsigned_record(tmp_path: Path) -> None:
    head = read_judged(put(tmp_path, run(1))).head
    assert head.judged is not None
    assert head.hash == run(1).content_hash
    assert (head.judged.key_id, head.judged.signature_holds, head.judged.hash_holds) == (None, False, True)
    assert [each.code for each in head.judged.findings if each.severity.value == "error"] == []


def test_a_bundle(tmp_path: Path) -> None:
    path = put(tmp_path, run(1), key=1, handle="somebody", note="My card\u202e")
    judged = read_judged(path).head.judged
    assert judged is not None
    assert judged.signature_holds
    assert judged.key_id is not None
    assert (judged.handle, judged.license) == ("somebody", "CC0-1.0")
    assert judged.note == "My card\ufffd", "no bidirectional control reaches a page"


def test_an_edited_record_has_the_hash_of_its_content(tmp_path: Path) -> None:
    path = put_edited(tmp_path, run(1), {"cells[0].summary.latency_s.median": 1.0}, "edited")
    head = read_judged(path).head
    assert head.judged is not None
    assert not head.judged.hash_holds
    assert head.hash != run(1).content_hash
    assert "hash_mismatch" in {each.code for each in head.judged.findings}


def test_a_date_is_not_compared_with_the_clock(tmp_path: Path) -> None:
    path = put_edited(tmp_path, run(1), {"created_at": "9998-01-01T00:00:00Z"}, "future")
    judged = read_judged(path).head.judged
    assert judged is not None
    assert "date_in_future" not in {each.code for each in judged.findings}


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    path.write_text(json.dumps({"a": 1}))
    with pytest.raises(RecordError):
        read_judged(path)


def test_copied_repeats_have_one_digest_whatever_the_cell_is_called() -> None:
    (cell, *_), (other, *_) = run(1).cells, run(2).cells
    copied = other.model_copy(update={"repeats": cell.repeats})
    assert series_digest(cell) == series_digest(copied)
    assert series_digest(cell) != series_digest(other)


def test_too_few_times_have_no_digest() -> None:
    (cell, *_) = run(1, replace(RUN, tokens=(1,), repeats=1)).cells
    assert series_digest(cell) is None
    assert series_digest(cell.model_copy(update={"repeats": ()})) is None
    assert document_of(run(1))["cells"]
