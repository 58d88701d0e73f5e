"""Checkpoints of the log: its size and the hash of its last entry, signed with the key of the site.

Whoever kept a checkpoint can show that a later log does not extend the log of that time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, ValidationError

from bench.errors import GateError, RecordError
from bench.identity.dsse import Signed, envelope_file, key_id_of, read_envelope
from bench.receiver.ledger import EMPTY, Head, verify
from bench.records.base import Frozen, Sha256, Utc
from bench.store.canonical import canonical
from bench.store.faults import first_fault

if TYPE_CHECKING:
    from bench.identity.keys import SigningKey

MAX_ORIGIN: Final = 200
"""Characters."""
MAX_BYTES: Final = 10_000
"""Of the file of a checkpoint."""
PAYLOAD_TYPE: Final = "application/vnd.moss-audio-bench.checkpoint+json"


class Statement(Frozen):
    """The payload of a checkpoint."""

    schema_version: Literal["1.0"] = "1.0"
    origin: Annotated[str, Field(min_length=1, max_length=MAX_ORIGIN)]
    size: int = Field(ge=0, description="number of entries")
    hash: Sha256 = Field(description="of the last entry; zeros for an empty log")
    at: Utc
    public_key: Sha256 = Field(description="Ed25519: the 32 bytes of the key that signs, in hex")

    @property
    def head(self) -> Head:
        """The end of the log at that time."""
        return Head(size=self.size, hash=self.hash)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint with a signature that holds. `key_id` is that of the public key in it."""

    statement: Statement
    key_id: str


def sign_checkpoint(head: Head, origin: str, at: datetime, key: "SigningKey") -> bytes:
    """Return the file of a checkpoint of the log of a site. `origin`: text that names the site.

    Raises:
        ValidationError: the origin is empty or longer than 200 characters.
    """
    statement = Statement(origin=origin, size=head.size, hash=head.hash, at=at, public_key=key.public_key)
    return envelope_file(canonical(statement.model_dump(mode="json")), PAYLOAD_TYPE, key.signer)


def read_checkpoint(content: bytes, name: str = "the checkpoint", key_id: str | None = None) -> Checkpoint:
    """Return the checkpoint in a file, its signature verified. `name`: of the file or its URL, for errors.

    Keys are free: only with the `key_id` of the site does a signature show who made it.

    Raises:
        RecordError: it is no checkpoint.
        GateError: the signature does not hold, or is not by the key of `key_id`.
    """
    signed, statement = _parsed(content, name)
    if not signed.holds_under(statement.public_key):
        raise GateError(f"{name}: the signature does not hold", hint="This checkpoint was changed")
    found = Checkpoint(statement, key_id_of(statement.public_key))
    if key_id is not None and found.key_id != key_id:
        raise GateError(f"{name}: is signed by the key {found.key_id}", hint="That is not the key you named")
    return found


def verify_log(lines: Iterable[str | bytes], checkpoints: Sequence[Checkpoint] = ()) -> Head:
    """Verify a log, given as lines of JSON, and that it extends the logs of checkpoints; return its end.

    Raises:
        GateError: an entry was changed or removed, or the log does not extend that of a checkpoint.
    """
    expected: dict[int, set[str]] = {}
    for each in checkpoints:
        expected.setdefault(each.statement.size, set()).add(each.statement.hash)
    last = EMPTY
    _require_same(last, expected)
    for last in verify(lines):
        _require_same(last, expected)
    missing = max(expected, default=0)
    if last.size < missing:
        raise GateError(
            f"the log is shorter than its checkpoint: {last.size:,} of {missing:,} entries",
            hint="Entries were removed, or this is an older copy of the log",
        )
    return last


def _require_same(head: Head, expected: dict[int, set[str]]) -> None:
    if expected.get(head.size, {head.hash}) != {head.hash}:
        raise GateError(
            f"the log does not extend that of its checkpoint: entry {head.size} has another hash",
            hint="The site has shown two different logs: keep both, and the checkpoint",
        )


def _parsed(content: bytes, name: str) -> tuple[Signed, Statement]:
    try:
        signed = read_envelope(content, PAYLOAD_TYPE)
        return signed, Statement.model_validate_json(signed.payload, strict=True)
    except ValidationError as error:
        raise RecordError(f"{name}: is no checkpoint of a log ({first_fault(error)})") from error
    except RecordError as error:
        raise RecordError(f"{name}: is no checkpoint of a log ({error.message})") from error
