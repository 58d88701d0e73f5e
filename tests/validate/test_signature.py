"""What is wrong with a bundle is found, and a bundle of a good record has no findings."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bench.records.findings import RecordFindings
from bench.validate.files import judge
from tests.identity.signers import as_file, bundled, signed, signer
from tests.validate.good import NOW, ordinary


def judged(content: bytes, tmp_path: Path) -> RecordFindings:
    path = tmp_path / "x.bundle.json"
    path.write_bytes(content)
    return judge(path, NOW)


def statement() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(bundled(ordinary()))["payload"]))
    return found


def places(found: RecordFindings) -> list[tuple[str, str]]:
    assert found.refusal is None
    return [(each.code, each.path) for each in found.findings]


def test_a_good_bundle(tmp_path: Path) -> None:
    found = judged(bundled(ordinary(), handle="ada", note="Beside a desktop."), tmp_path)
    assert places(found) == []
    assert (found.record_id, found.content_hash) == (ordinary().record_id, ordinary().content_hash)


def test_a_signature_by_another_key(tmp_path: Path) -> None:
    assert places(judged(signed(statement(), seed=2), tmp_path)) == [("signature_invalid", "$.signatures[0]")]


def test_a_swapped_key_id(tmp_path: Path) -> None:
    changed = json.loads(bundled(ordinary()))
    changed["signatures"][0]["keyid"] = signer(2).public_key.keyid
    assert places(judged(as_file(changed), tmp_path)) == [("signature_invalid", "$.signatures[0]")]


def test_the_subject_of_another_record(tmp_path: Path) -> None:
    changed = statement()
    changed["subject"][0]["name"] = "0" * 12
    assert places(judged(signed(changed), tmp_path)) == [("subject_mismatch", "$.subject[0]")]


def test_the_rules_over_records_hold_in_bundles(tmp_path: Path) -> None:
    changed = statement()
    changed["predicate"]["record"]["cells"][0]["summary"]["latency_s"]["median"] = 99_999
    found = places(judged(signed(changed), tmp_path))
    assert {code for code, _ in found} == {"hash_mismatch", "summary_mismatch"}
    assert ("summary_mismatch", "$.cells[0].summary.latency_s.median") in found


@pytest.mark.parametrize(
    ("field", "text"),
    [("note", "Ask ada@example.org"), ("note", "in /home/ada/x"), ("handle", "1652922012345")],
)
def test_private_text_of_the_sender(field: str, text: str, tmp_path: Path) -> None:
    texts = {"note": None, "handle": None, field: text}
    found = judged(bundled(ordinary(), note=texts["note"], handle=texts["handle"]), tmp_path)
    assert places(found) == [("private_text", f"$.predicate.{field}")]
    assert text not in found.model_dump_json()
