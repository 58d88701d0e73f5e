"""Bundles without cryptography: recognised, made and unwrapped. `bench.identity` signs and verifies."""

import json
from dataclasses import dataclass
from typing import Final, NamedTuple

from pydantic import JsonValue, ValidationError

from bench.errors import RecordError
from bench.records.submission import (
    LICENSE,
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    SUBMISSION_VERSION,
    Envelope,
    Statement,
)
from bench.store.canonical import canonical, decode_base64, parse
from bench.store.faults import first_fault

_HASH_PREFIX: Final = "sha256:"


class Unwrapped(NamedTuple):
    """An envelope, its payload, and the JSON in it. Nothing is verified but the form."""

    envelope: Envelope
    payload: bytes
    signature: bytes
    record: dict[str, JsonValue]


@dataclass(frozen=True)
class Sealed:
    """A bundle as it was read, its signature not verified."""

    envelope: Envelope
    payload: bytes
    signature: bytes
    statement: Statement


def is_envelope(document: dict[str, JsonValue]) -> bool:
    """Whether the JSON of a file is that of a bundle, good or bad, and not of a record."""
    return "payloadType" in document or "payload" in document


def unwrap(document: dict[str, JsonValue]) -> Unwrapped:
    """Return the content of an envelope.

    Raises:
        RecordError: the envelope is malformed, or its payload is no statement about a record in canonical
            form; the message goes after the name of the file.
    """
    try:
        envelope = Envelope.model_validate(document)
    except ValidationError as error:
        raise RecordError(f"is not a bundle ({first_fault(error)})") from error
    payload, signature = _decoded("payload", envelope.payload), _decoded("sig", envelope.signatures[0].sig)
    statement = parse(payload)
    if canonical(statement) != payload:
        raise RecordError("the payload of the bundle is not canonical JSON (RFC 8785)")
    predicate = statement.get("predicate") if isinstance(statement, dict) else None
    record = predicate.get("record") if isinstance(predicate, dict) else None
    if not isinstance(record, dict) or is_envelope(record):
        raise RecordError("is a bundle without a record")
    return Unwrapped(envelope, payload, signature, record)


def statement_of(payload: str | bytes) -> Statement:
    """Return the statement of a payload, each field checked.

    Raises:
        ValidationError: it is not a statement of ours.
    """
    return Statement.model_validate_json(payload, strict=True)


def payload_of(
    record: dict[str, JsonValue], *, public_key: str, handle: str | None, note: str | None
) -> bytes:
    """Return the payload that states a record, given as the JSON of its file.

    Raises:
        ValidationError: the handle, the note or the record is not what a bundle can contain.
    """
    subject: dict[str, JsonValue] = {
        "name": record["record_id"],
        "digest": {"sha256": str(record["content_hash"]).removeprefix(_HASH_PREFIX)},
    }
    predicate: dict[str, JsonValue] = {
        "schema_version": SUBMISSION_VERSION,
        "license": LICENSE,
        "public_key": public_key,
        "handle": handle,
        "note": note,
        "record": record,
    }
    payload = canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [subject],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )
    statement_of(payload)
    return payload


def names_its_record(statement: Statement) -> bool:
    """Whether the subject of a statement is the record in it."""
    (subject,), record = statement.subject, statement.predicate.record
    return (subject.name, _HASH_PREFIX + subject.digest.sha256) == (record.record_id, record.content_hash)


def render_envelope(envelope: Envelope) -> bytes:
    """Return the content of a bundle's file."""
    return json.dumps(envelope.model_dump(mode="json", by_alias=True), separators=(",", ":")).encode() + b"\n"


def _decoded(name: str, text: str) -> bytes:
    try:
        return decode_base64(text)
    except RecordError as error:
        raise RecordError(f"is not a bundle ({name}: {error})") from error
