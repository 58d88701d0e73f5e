"""Signatures over any payload (DSSE 1.0) with Ed25519: made with the key of this user, and verified."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import Field, JsonValue, ValidationError

from bench.errors import RecordError
from bench.records.base import Frozen
from bench.records.submission import Signature as StatedSignature
from bench.store.canonical import decode_base64, parse
from bench.store.faults import first_fault

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

_SCHEME: Final = "ed25519"
_P: Final = 2**255 - 19
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})
"""The y of the eight points whose order divides 8 (RFC 8032, section 5.1). libsodium refuses them, too."""


@dataclass(frozen=True)
class Signed:
    """A payload with its signature, not verified."""

    payload: bytes
    payload_type: str
    key_id: str
    """Of the key that signed, as the envelope states it."""
    signature: bytes

    def holds_under(self, public_key: str) -> bool:
        """Whether a key, given in hex, made the signature, under its own id."""
        from securesystemslib.dsse import Envelope
        from securesystemslib.exceptions import VerificationError
        from securesystemslib.signer import Signature, SSlibKey

        if _has_small_order(public_key):
            return False
        signature = Signature(self.key_id, self.signature.hex())
        envelope = Envelope(self.payload, self.payload_type, {self.key_id: signature})
        key = SSlibKey(key_id_of(public_key), _SCHEME, _SCHEME, {"public": public_key})
        try:
            envelope.verify([key], threshold=1)
        except VerificationError:
            return False
        return True


class _Envelope(Frozen):
    """The JSON of an envelope (DSSE 1.0), with exactly one signature."""

    payload: str
    payload_type: str = Field(alias="payloadType")
    signatures: tuple[StatedSignature]


def read_envelope(content: bytes, payload_type: str) -> Signed:
    """Return the payload of a file that is an envelope of strict JSON, its signature not verified.

    Raises:
        RecordError: it is none, or has a payload of another type.
    """
    parse(content)  # refuses keys that occur twice
    try:
        envelope = _Envelope.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise RecordError(first_fault(error)) from error
    if envelope.payload_type != payload_type:
        raise RecordError("payloadType is another one")
    stated, payload = envelope.signatures[0], decode_base64(envelope.payload)
    parse(payload)
    return Signed(payload, payload_type, stated.keyid, decode_base64(stated.sig))


def envelope_file(payload: bytes, payload_type: str, signer: "CryptoSigner") -> bytes:
    """Return the file of an envelope with one signature. The same input gives the same bytes."""
    return json.dumps(sign_payload(payload, payload_type, signer), separators=(",", ":")).encode() + b"\n"


def sign_payload(payload: bytes, payload_type: str, signer: "CryptoSigner") -> dict[str, JsonValue]:
    """Return the JSON of an envelope with one signature. The same input gives the same bytes."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, payload_type, signatures={})
    envelope.sign(signer)
    document: dict[str, JsonValue] = envelope.to_dict()
    return document


def public_key_of(signer: "CryptoSigner") -> str:
    """Return the 32 bytes of the public key, in hex."""
    return str(signer.public_key.keyval["public"])


def key_id_of(public_key: str) -> str:
    """Return the id of an Ed25519 public key, given in hex: a SHA-256 in hex."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))).keyid


def _has_small_order(public_key: str) -> bool:
    """Whether signatures under a public key can be made without a secret, for any message."""
    y = int.from_bytes(bytes.fromhex(public_key), "little") & (2**255 - 1)  # without the sign of x
    return y % _P in _SMALL_ORDER
