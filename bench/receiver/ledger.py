"""The log: entries that anybody can verify, and that say nothing about a deleted submission.

An entry names its subject by a salted hash. Who has the salt can find the entries of a submission; once the
salt is deleted, nobody can. Each entry contains the hash of the one before it: none can be changed, removed
or put between two others without changing all that follow.
To verify a log needs neither a database nor the extra `serve`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic import Field, ValidationError

from bench.errors import GateError
from bench.records.base import Frozen, Sha256, Utc
from bench.store.canonical import canonical
from bench.store.faults import first_fault

if TYPE_CHECKING:
    import sqlalchemy as sa

FIRST: Final = "0" * 64
"""Where the hash of an earlier entry would be, in the first one."""
SALT_BYTES: Final = 16


class Event(StrEnum):
    """What happened."""

    RECEIVED = "received"
    HELD = "held"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    DELETED = "deleted"
    REVOKED = "revoked"
    CONFIRMED = "confirmed"


class Entry(Frozen):
    """A line of the log."""

    seq: int = Field(ge=1)
    at: Utc
    event: Event
    subject: Sha256 = Field(description="salted hash of what it is about")
    previous: Sha256 = Field(description="hash of the entry before it; zeros in the first one")
    hash: Sha256 = Field(description="SHA-256 over the RFC 8785 form of the fields above")

    @property
    def expected_hash(self) -> str:
        """The hash of the fields."""
        fields = json.loads(self.model_dump_json(exclude={"hash"}))
        return hashlib.sha256(canonical(fields)).hexdigest()


class Head(Frozen):
    """The end of a log: its number of entries and the hash of the last one."""

    size: int = Field(ge=0)
    hash: Sha256 = Field(description="zeros for an empty log")


EMPTY: Final = Head(size=0, hash=FIRST)


def subject_of(salt: bytes, name: str) -> str:
    """Return the salted hash of a content hash or of the id of a key."""
    return hashlib.sha256(salt + name.encode()).hexdigest()


def head(connection: "sa.Connection") -> Head:
    """Return the end of the log."""
    import sqlalchemy as sa

    from bench.receiver.tables import LOG

    last = connection.execute(sa.select(LOG.c.seq, LOG.c.hash).order_by(LOG.c.seq.desc()).limit(1)).first()
    return EMPTY if last is None else Head(size=last.seq, hash=last.hash)


def append(connection: "sa.Connection", event: Event, subject: str, at: datetime) -> Entry:
    """Add an entry. Only inside `Database.write`: there is one writer at a time."""
    import sqlalchemy as sa

    from bench.receiver.tables import LOG

    last = head(connection)
    found = Entry(
        seq=last.size + 1,
        at=at.replace(microsecond=0),
        event=event,
        subject=subject,
        previous=last.hash,
        hash=FIRST,
    )
    found = found.model_copy(update={"hash": found.expected_hash})
    connection.execute(sa.insert(LOG).values(dict(found)))
    return found


def entries(connection: "sa.Connection", *, after: int = 0, most: int | None = None) -> list[Entry]:
    """Return the entries that follow one, in their order; `most`: so many at most."""
    import sqlalchemy as sa

    from bench.receiver.tables import LOG

    wanted = sa.select(LOG).where(LOG.c.seq > after).order_by(LOG.c.seq).limit(most)
    return [Entry.model_validate(dict(row)) for row in connection.execute(wanted).mappings()]


def verify(lines: Iterable[str | bytes]) -> Iterator[Head]:
    """Yield the head after each entry of a log, given as lines of JSON.

    Raises:
        GateError: an entry is none, or does not follow the one before it.
    """
    last = EMPTY
    for number, line in enumerate(lines, start=1):
        try:
            entry = Entry.model_validate_json(line, strict=True)
        except ValidationError as error:
            raise GateError(f"entry {number} of the log: {first_fault(error)}") from error
        if entry.seq != number or entry.previous != last.hash:
            raise GateError(f"entry {number} of the log does not follow the one before it")
        if entry.hash != entry.expected_hash:
            raise GateError(f"entry {number} of the log was changed")
        last = Head(size=number, hash=entry.hash)
        yield last
