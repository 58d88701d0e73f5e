"""The form of bundles: what is recognised, what is refused, and what comes out as it went in."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from bench import shipped
from bench.errors import RecordError
from bench.records.record import Record
from bench.store.bundle import is_envelope
from bench.store.canonical import canonical, content_hash
from bench.store.record_files import find_records, read_record, read_unverified
from tests.identity.signers import as_file, bundled, json_of, signed, signed_payload
from tests.records.strategies import RECORDS
from tests.samples import records as sample

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.bundle.json"
    path.write_bytes(bundled(sample.standard()))
    return path


def envelope(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def statement(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(envelope(path)["payload"]))
    return found


def fault(path: Path) -> str:
    with pytest.raises(RecordError) as caught:
        read_record(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert line.isprintable()
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize("make", [sample.smoke, sample.standard, sample.interrupted, sample.hostile])
def test_the_record_in_a_bundle_is_read_like_a_record(make: Callable[[], Record], tmp_path: Path) -> None:
    path = tmp_path / "x.bundle.json"
    path.write_bytes(bundled(make()))
    assert read_record(path) == make()
    assert find_records(tmp_path) == (path,)
    read = read_unverified(path)
    assert (read.record, read.is_intact) == (make(), True)
    assert read.sealed is not None
    assert read.sealed.statement.predicate.record == make()


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(RECORDS)
def test_any_record_survives(tmp_path: Path, record: Record) -> None:
    path = tmp_path / "any.json"
    path.write_bytes(bundled(record))
    assert read_record(path) == record


def test_the_statement_follows_its_schema(path: Path) -> None:
    schema = json.loads((shipped.schemas() / "submission-1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(statement(path))


def test_a_record_is_no_envelope(path: Path) -> None:
    assert is_envelope(envelope(path))
    assert not is_envelope(json_of(sample.smoke()))


def test_an_edited_record_is_found_by_its_hash_whatever_signed_it(path: Path) -> None:
    changed = statement(path)
    changed["predicate"]["record"]["machine_key"] = "0" * 32
    path.write_bytes(signed(changed))
    assert fault(path) == "content_hash does not match. The file was changed after it was written"
    assert read_unverified(path).is_intact is False


def test_another_schema_version_says_so(path: Path) -> None:
    changed = statement(path)
    changed["predicate"]["record"]["schema_version"] = "9.0"
    path.write_bytes(signed(changed))
    assert fault(path).startswith("schema version '9.0' is not '1.0' or '1.1'. Install the bench")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda each: each.update(payloadType="text/plain"), "is not a bundle (payloadType: "),
        (lambda each: each.update(extra=1), "is not a bundle (extra: "),
        (lambda each: each.pop("payload"), "is not a bundle (payload: "),
        (lambda each: each.update(signatures=[]), "is not a bundle (signatures"),
        (lambda each: each.update(signatures=each["signatures"] * 2), "is not a bundle (signatures"),
        (lambda each: each["signatures"][0].update(keyid="x"), "is not a bundle (signatures.0.keyid"),
        (lambda each: each["signatures"][0].update(sig="AA"), "is not a bundle (sig: "),
        (lambda each: each["signatures"][0].update(sig="AB=="), "is not a bundle (sig: "),
        (lambda each: each.update(payload="%"), "is not a bundle (payload: "),
        (lambda each: each.update(payload="e30="), "is a bundle without a record"),
        (lambda each: each.update(payload=base64.b64encode(b"[1]").decode()), "is a bundle without a record"),
    ],
)
def test_a_malformed_envelope_is_refused(path: Path, edit: Edit, says: str) -> None:
    changed = envelope(path)
    edit(changed)
    path.write_bytes(as_file(changed))
    assert fault(path).startswith(says)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda each: each.update(_type="x"), "_type: "),
        (lambda each: each.update(predicateType="x"), "predicateType: "),
        (lambda each: each.update(subject=each["subject"] * 2), "subject: "),
        (lambda each: each["predicate"].update(verified=True), "predicate.verified: "),
        (lambda each: each["predicate"].update(schema_version="2.0"), "predicate.schema_version: "),
        (lambda each: each["predicate"].update(license="MIT"), "predicate.license: "),
        (lambda each: each["predicate"].update(handle="a\u202eb"), "predicate.handle: "),
        (lambda each: each["predicate"].update(handle="x" * 40), "predicate.handle: "),
        (lambda each: each["predicate"].update(note="x" * 501), "predicate.note: "),
        (lambda each: each["predicate"].update(public_key="0"), "predicate.public_key: "),
        (lambda each: each["predicate"].pop("note"), "predicate.note: "),
        (lambda each: each["predicate"]["record"]["suite"].update(x=1), "predicate.record.suite.x: "),
        (lambda each: each["predicate"].update(record=each), "is a bundle without a record"),
    ],
)
def test_a_statement_with_other_content_is_refused(path: Path, edit: Edit, says: str) -> None:
    changed = statement(path)
    if says.startswith("is a bundle without"):
        changed["predicate"]["record"] = envelope(path)
    else:
        edit(changed)
        changed["predicate"]["record"]["content_hash"] = content_hash(changed["predicate"]["record"])
    path.write_bytes(signed(changed))
    assert fault(path).startswith(says)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":1.0}',
        '{"a":1}'.encode("utf-16"),
        b"[" * 5000 + b"]" * 5000,
        b"PK\x03\x04",
        b"\xff",
    ],
)
def test_a_payload_that_is_not_canonical_is_refused(path: Path, payload: bytes) -> None:
    path.write_bytes(signed_payload(payload))
    assert fault(path)


def test_only_one_spelling_of_a_payload_is_accepted(path: Path) -> None:
    text = json.dumps(statement(path)).encode()
    path.write_bytes(signed_payload(text))
    assert fault(path) == "the payload of the bundle is not canonical JSON (RFC 8785)"
    path.write_bytes(signed_payload(canonical(json.loads(text))))
    assert read_record(path) == sample.standard()
