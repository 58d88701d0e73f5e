"""Submissions in the database: stored once, with an entry of the log, and found by id."""

import hashlib
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from bench.errors import RecordError
from bench.receiver import ledger
from bench.receiver.intake import Judged, RefusedError
from bench.receiver.ledger import Event
from bench.receiver.states import State
from bench.receiver.tables import KEYS, REQUESTS, SUBMISSIONS
from bench.records.findings import Finding

SHORT: Final = 16
"""Digits of the content hash in an id, as on the site."""
_FINDINGS: Final = TypeAdapter(tuple[Finding, ...])


@dataclass(frozen=True, slots=True)
class Submission:
    """A stored submission without its body."""

    id: str
    content_hash: str
    key_id: str
    model: str
    slug: str
    state: State
    received_at: datetime
    reason: str | None
    handle: str | None
    note: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a request that brings a bundle. `idempotency_key`: any text of its sender."""

    at: datetime
    address: str | None = None
    idempotency_key: str | None = None


class ReusedKeyError(Exception):
    """An idempotency key came with other bytes before. Never leaves `bench.receiver`."""


def receive(connection: sa.Connection, judged: Judged, request: Request) -> tuple[Submission, bool]:
    """Store a bundle, and say whether it is new. Of a record that is there the one stored first comes back.

    Raises:
        ReusedKeyError: the idempotency key came with other bytes before.
        RefusedError: the record was received under another key, or was deleted.
    """
    _require_same_bytes(connection, judged, request)
    known = _by_hash(connection, judged.content_hash)
    if known is not None:
        if known.state is State.DELETED:
            raise RefusedError("the record was deleted on request, and is not received again")
        if known.key_id != judged.key_id:
            raise RefusedError("the record was received before, signed by another key")
        return known, False
    state, reason = judged.state, judged.reason
    if is_revoked(connection, judged.key_id):
        state, reason = State.HELD, "the key was revoked"
    salt, submission_id = secrets.token_bytes(ledger.SALT_BYTES), _free_id(connection, judged.content_hash)
    connection.execute(
        sa.insert(SUBMISSIONS).values(
            id=submission_id,
            content_hash=judged.content_hash,
            key_id=judged.key_id,
            model=judged.model,
            slug=judged.slug,
            state=state,
            received_at=request.at,
            reason=reason,
            findings=_FINDINGS.dump_json(judged.findings).decode(),
            body=judged.content,
            handle=judged.handle,
            note=judged.note,
            address=request.address,
            salt=salt,
        )
    )
    subject = ledger.subject_of(salt, judged.content_hash)
    ledger.append(connection, Event.RECEIVED, subject, request.at)
    if state is State.HELD:
        ledger.append(connection, Event.HELD, subject, request.at)
    return find(connection, submission_id), True


def _require_same_bytes(connection: sa.Connection, judged: Judged, request: Request) -> None:
    if request.idempotency_key is None:
        return
    key = hashlib.sha256(request.idempotency_key.encode(errors="surrogatepass")).hexdigest()
    body = hashlib.sha256(judged.content).hexdigest()
    known = connection.scalar(sa.select(REQUESTS.c.body_sha256).where(REQUESTS.c.idempotency_key == key))
    if known is None:
        values = {"idempotency_key": key, "body_sha256": body, "received_at": request.at}
        connection.execute(sa.insert(REQUESTS).values(values))
    elif known != body:
        raise ReusedKeyError


def _free_id(connection: sa.Connection, content_hash: str) -> str:
    """Return the first digits; two contents share them only on purpose, and the later one gets all."""
    whole = content_hash.removeprefix("sha256:")
    taken = connection.scalar(sa.select(SUBMISSIONS.c.id).where(SUBMISSIONS.c.id == whole[:SHORT]))
    return whole[:SHORT] if taken is None else whole


def is_revoked(connection: sa.Connection, key_id: str) -> bool:
    """Whether a key was revoked: what it signs is held."""
    found = connection.scalar(sa.select(KEYS.c.revoked_at).where(KEYS.c.key_id == key_id))
    return found is not None


# --- reading ----------------------------------------------------------------------------------------------

_COLUMNS: Final = tuple(SUBMISSIONS.c[each.name] for each in fields(Submission))


def find(connection: sa.Connection, submission_id: str) -> Submission:
    """Return a submission.

    Raises:
        RecordError: there is none of this id.
    """
    row = connection.execute(sa.select(*_COLUMNS).where(SUBMISSIONS.c.id == submission_id)).first()
    if row is None:
        raise RecordError(f"{submission_id}: no submission has this id", hint="bench site queue lists them")
    return _submission(row)


def listed(connection: sa.Connection, states: Collection[State]) -> Iterator[Submission]:
    """Yield the submissions in some states, the first received first."""
    wanted = sa.select(*_COLUMNS).where(SUBMISSIONS.c.state.in_(states)).order_by(SUBMISSIONS.c.seq)
    return map(_submission, connection.execute(wanted))


def body(connection: sa.Connection, submission_id: str) -> bytes | None:
    """Return the bytes of a bundle as they were sent; None after deletion."""
    found = connection.scalar(sa.select(SUBMISSIONS.c.body).where(SUBMISSIONS.c.id == submission_id))
    return None if found is None else bytes(found)


def bodies_bytes(connection: sa.Connection, states: Collection[State]) -> dict[str, int]:
    """Return the sizes of the bundles in some states, by id, without reading them."""
    size = sa.func.length(SUBMISSIONS.c.body)
    wanted = sa.select(SUBMISSIONS.c.id, size).where(SUBMISSIONS.c.state.in_(states), size.is_not(None))
    return {submission_id: int(found) for submission_id, found in connection.execute(wanted)}


def salt_of(connection: sa.Connection, submission_id: str) -> bytes | None:
    """Return the salt of a submission's entries in the log; None after deletion."""
    found = connection.scalar(sa.select(SUBMISSIONS.c.salt).where(SUBMISSIONS.c.id == submission_id))
    return None if found is None else bytes(found)


def _by_hash(connection: sa.Connection, content_hash: str) -> Submission | None:
    row = connection.execute(sa.select(*_COLUMNS).where(SUBMISSIONS.c.content_hash == content_hash)).first()
    return None if row is None else _submission(row)


def _submission(row: sa.Row[tuple[object, ...]]) -> Submission:
    values = dict(row._mapping)
    values["state"] = State(values["state"])
    values["findings"] = _FINDINGS.validate_json(values["findings"])
    return Submission(**values)
