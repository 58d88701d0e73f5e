"""Bundles with their signatures: made from a record and a key, read and verified."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from bench.errors import RecordError
from bench.identity.dsse import Signed, key_id_of, public_key_of, sign_payload
from bench.records.record import Record
from bench.records.submission import PAYLOAD_TYPE, Envelope, Statement, Submission
from bench.store.bundle import Sealed, names_its_record, payload_of
from bench.store.record_files import read_unverified

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner


@dataclass(frozen=True)
class Bundle:
    """A bundle with its content. `key_id` is that of the public key in it, whatever the envelope states."""

    envelope: Envelope
    statement: Statement
    key_id: str
    is_intact: bool
    """Whether the hash of the record is that of its content."""
    signature_holds: bool
    """Whether the key in the statement made the signature, under its own id."""

    @property
    def submission(self) -> Submission:
        """What the sender states."""
        return self.statement.predicate

    @property
    def record(self) -> Record:
        """The record."""
        return self.statement.predicate.record

    @cached_property
    def subject_holds(self) -> bool:
        """Whether the subject of the statement is the record in it."""
        return names_its_record(self.statement)

    @property
    def is_signed(self) -> bool:
        """Whether the bundle is what the key signed: signature, subject and hash of the record hold."""
        return self.signature_holds and self.subject_holds and self.is_intact


def read_bundle(path: Path) -> Bundle:
    """Read a bundle; signature, subject and hash may be wrong.

    Raises:
        RecordError: the file is not a bundle; the message names the file and the first fault.
    """
    read = read_unverified(path)
    if read.sealed is None:
        raise RecordError(
            f"{path}: is a record without a signature", hint="bench submit makes a bundle of it"
        )
    return bundle_of(read.sealed, is_intact=read.is_intact)


def bundle_of(sealed: Sealed, *, is_intact: bool) -> Bundle:
    """Verify the signature of a bundle that was read."""
    public_key = sealed.statement.predicate.public_key
    stated = sealed.envelope.signatures[0].keyid
    signed = Signed(sealed.payload, sealed.envelope.payload_type, stated, sealed.signature)
    return Bundle(
        sealed.envelope,
        sealed.statement,
        key_id_of(public_key),
        is_intact,
        signature_holds=signed.holds_under(public_key),
    )


def sign(
    record: dict[str, JsonValue],
    signer: "CryptoSigner",
    *,
    handle: str | None = None,
    note: str | None = None,
) -> Envelope:
    """Return the envelope of a record, given as the JSON of its file. The same input gives the same bytes.

    Raises:
        ValidationError: the handle, the note or the record is not what a bundle can contain.
    """
    payload = payload_of(record, public_key=public_key_of(signer), handle=handle, note=note)
    return Envelope.model_validate(sign_payload(payload, PAYLOAD_TYPE, signer))
