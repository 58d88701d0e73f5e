"""Keys of tests, made from a seed: their bundles have the same bytes everywhere. No secret is in them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import JsonValue
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from bench.identity.confirmation import sign_confirmation
from bench.identity.dsse import key_id_of
from bench.identity.envelope import sign
from bench.identity.keys import SigningKey
from bench.records.record import Record
from bench.records.submission import PAYLOAD_TYPE
from bench.store.bundle import render_envelope
from bench.store.canonical import canonical

SITE: Final = "https://bench.example"
URL: Final = "https://raw.githubusercontent.com/ada/notes/HEAD/key.txt"


@cache
def signer(seed: int = 1) -> CryptoSigner:
    """Return the key of a seed."""
    secret = hashlib.sha256(f"a key of the tests: {seed}".encode()).digest()
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(secret))


def confirmation(url: str = URL, site: str = SITE, seed: int = 1) -> bytes:
    """Return the file with which the account of a URL confirms the key of a seed."""
    return sign_confirmation(url, site, SigningKey(signer(seed), Path("never read")))


def json_of(record: Record) -> dict[str, Any]:
    """Return the JSON of a record."""
    document: dict[str, Any] = json.loads(record.model_dump_json())
    return document


def bundled(record: Record, seed: int = 1, *, handle: str | None = None, note: str | None = None) -> bytes:
    """Return the file of a record that the key of a seed has signed."""
    return render_envelope(sign(json_of(record), signer(seed), handle=handle, note=note))


def signed(statement: JsonValue, seed: int = 1) -> bytes:
    """Return the file of any statement with a valid signature."""
    return signed_payload(canonical(statement), seed)


def signed_payload(payload: bytes, seed: int = 1, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return the file of any payload with a valid signature."""
    envelope = Envelope(payload, payload_type, {})
    envelope.sign(signer(seed))
    return as_file(envelope.to_dict())


def signed_by_nobody(statement: Mapping[str, Any], public_key: str) -> bytes:
    """Return the file of a statement under a public key of order 1: its signature fits anything."""
    changed = {**statement, "predicate": {**statement["predicate"], "public_key": public_key}}
    payload, sig = base64.b64encode(canonical(changed)), base64.b64encode(bytes([1]) + bytes(63))
    return as_file(
        {
            "payload": payload.decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id_of(public_key), "sig": sig.decode()}],
        }
    )


def as_file(envelope: Mapping[str, JsonValue]) -> bytes:
    """Return the file of an envelope."""
    return json.dumps(envelope, separators=(",", ":")).encode() + b"\n"
