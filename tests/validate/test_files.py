"""Files to be judged: what is no record has its reason, and never stops the others."""

import json
from pathlib import Path

import pytest

from bench.store.record_files import write_record
from bench.validate.files import judge, judged
from tests.validate.edits import fresh
from tests.validate.good import NOW, ordinary


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "record.json"
    write_record(ordinary(), path)
    return path


def test_a_record_is_named_by_its_id_and_hash(record: Path) -> None:
    found = judge(record, NOW)
    assert found.refusal is None
    assert (found.record_id, found.content_hash) == (ordinary().record_id, ordinary().content_hash)
    assert found.findings == ()
    assert found.file == str(record)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", ""),
        ("[]", "top level"),
        ("{}", "is not a record (it has no schema version)"),
        ('{"schema_version": "9.0"}', "schema version"),
        ("[" * 5000, "nested too deeply"),
        ('{"schema_version": NaN}', ""),
        ('{"schema_version": 1e999}', ""),
    ],
)
def test_what_is_no_record_has_its_reason(content: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    path.write_text(content, encoding="utf-8")
    found = judge(path, NOW)
    assert found.refusal is not None
    assert why in found.refusal
    assert (found.record_id, found.content_hash, found.findings) == (None, None, ())


def test_the_others_are_judged_too(record: Path, tmp_path: Path) -> None:
    edited = tmp_path / "edited.json"
    edited.write_text(json.dumps({**fresh(), "machine_key": "x"}), encoding="utf-8")
    paths = [tmp_path / "absent.json", record, edited]
    absent, good, changed = judged(paths, NOW)
    assert absent.refusal is not None
    assert good.findings == ()
    assert [each.code for each in changed.findings] == ["hash_mismatch"]


def test_a_name_with_control_characters_is_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "a\u202e\x1b[31mb.json"
    path.write_text('{"\\u202e": 1}', encoding="utf-8")
    found = judge(path, NOW)
    assert found.file.isprintable()
    assert found.refusal is not None
    assert found.refusal.isprintable()
