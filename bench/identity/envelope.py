"""Bundles with their signatures: made from a record and a key, read and verified."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from bench.errors import RecordError
from bench.records.record import Record
from bench.records.submission import PAYLOAD_TYPE, Envelope, Statement, Submission
from bench.store.bundle import Sealed, names_its_record, payload_of
from bench.store.record_files import read_unverified

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

_SCHEME: Final = "ed25519"
_P: Final = 2**255 - 19
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})
"""The y of the eight points whose order divides 8 (RFC 8032, section 5.1). libsodium refuses them, too."""


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
    key_id = key_id_of(sealed.statement.predicate.public_key)
    holds = _signature_holds(sealed, key_id)
    return Bundle(sealed.envelope, sealed.statement, key_id, is_intact, signature_holds=holds)


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
    from securesystemslib.dsse import Envelope as Signed

    public_key = signer.public_key.keyval["public"]
    signed = Signed(
        payload_of(record, public_key=public_key, handle=handle, note=note), PAYLOAD_TYPE, signatures={}
    )
    signed.sign(signer)
    return Envelope.model_validate(signed.to_dict())


def key_id_of(public_key: str) -> str:
    """Return the id of an Ed25519 public key, given in hex: a SHA-256 in hex."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))).keyid


def _has_small_order(public_key: str) -> bool:
    """Whether signatures under a public key can be made without a secret, for any message."""
    y = int.from_bytes(bytes.fromhex(public_key), "little") & (2**255 - 1)  # without the sign of x
    return y % _P in _SMALL_ORDER


def _signature_holds(sealed: Sealed, key_id: str) -> bool:
    """Whether the key made the signature. A signature under another id is not considered."""
    from securesystemslib.dsse import Envelope as Signed
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import Signature, SSlibKey

    public_key = sealed.statement.predicate.public_key
    if _has_small_order(public_key):
        return False
    stated = sealed.envelope.signatures[0].keyid
    signature = Signature(stated, sealed.signature.hex())
    signed = Signed(sealed.payload, sealed.envelope.payload_type, {stated: signature})
    key = SSlibKey(key_id, _SCHEME, _SCHEME, {"public": public_key})
    try:
        signed.verify([key], threshold=1)
    except VerificationError:
        return False
    return True
