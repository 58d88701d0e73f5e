"""A file as the index keeps it."""

import hashlib
import json
from pathlib import Path

import pytest

from bench.errors import RecordError
from bench.store.bundle import payload_of
from bench.validate.reading import read_judged
from tests.identity.signers import signed, signer
from tests.site.results import put, put_edited, run
from tests.validate.edits import document_of

OWNER = signer(1).public_key.keyval["public"]


def test_an_unsigned_record(tmp_path: Path) -> None:
    path = put(tmp_path, run(1))
    head = read_judged(path).head
    assert head.judged is not None
    assert head.hash == run(1).content_hash
    assert head.judged.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (head.judged.key_id, head.judged.signature_holds, head.judged.hash_holds) == (None, False, True)
    assert head.judged.signer is None
    assert [each.code for each in head.judged.findings if each.severity.value == "error"] == []


def test_a_bundle(tmp_path: Path) -> None:
    path = put(tmp_path, run(1), key=1, handle="somebody", note="My card\u202e")
    judged = read_judged(path).head.judged
    assert judged is not None
    assert judged.signature_holds
    assert judged.key_id is not None
    assert judged.signer == judged.key_id
    assert (judged.handle, judged.license) == ("somebody", "CC0-1.0")
    assert judged.note == "My card\ufffd", "no bidirectional control reaches a page"


def test_who_signed_something_else_signed_nothing(tmp_path: Path) -> None:
    path = tmp_path / "thief.bundle.json"
    path.write_bytes(
        signed(json.loads(payload_of(document_of(run(1)), public_key=OWNER, handle=None, note=None)), seed=2)
    )
    judged = read_judged(path).head.judged
    assert judged is not None
    assert (judged.key_id is None, judged.signer) == (False, None)


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
