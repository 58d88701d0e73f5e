"""Challenges of freshness: signed with the key of a site, read from its answer, and verified in a record.

The site keeps nothing: its signature shows later that the nonce is one of its own.
"""

import secrets
from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from bench.errors import RecordError
from bench.identity.dsse import Signed, envelope_file, key_id_of, read_envelope
from bench.records.challenge import IssuedChallenge, Statement
from bench.store.canonical import canonical, decode_base64
from bench.store.faults import first_fault

if TYPE_CHECKING:
    from bench.identity.keys import SigningKey

MAX_BYTES: Final = 10_000
"""Of the answer of a site."""
PAYLOAD_TYPE: Final = "application/vnd.moss-audio-bench.challenge+json"
_NONCE_BYTES: Final = 16
_NOT_SIGNED: Final = "Ask the site again; if it stays so, tell those who run it"


def issue_challenge(site: str, at: datetime, key: "SigningKey") -> bytes:
    """Return a new challenge as a site answers with it. `site`: its address.

    Raises:
        ValidationError: the address has blanks, letters outside ASCII, or more than 200 characters.
    """
    nonce = secrets.token_hex(_NONCE_BYTES)
    statement = Statement(
        site=site, nonce=nonce, issued_at=at.replace(microsecond=0), public_key=key.public_key
    )
    return envelope_file(_payload(statement), PAYLOAD_TYPE, key.signer)


def read_challenge(content: bytes, name: str) -> IssuedChallenge:
    """Return the challenge in the answer of a site, its signature verified. `name`: of the site, for errors.

    Raises:
        RecordError: it is no challenge, or its signature does not hold.
    """
    try:
        signed = read_envelope(content, PAYLOAD_TYPE)
        statement = Statement.model_validate_json(signed.payload, strict=True)
    except ValidationError as error:
        raise RecordError(f"{name}: answers with no challenge ({first_fault(error)})") from error
    except RecordError as error:
        raise RecordError(f"{name}: answers with no challenge ({error.message})") from error
    found = IssuedChallenge(**dict(statement), signature=b64encode(signed.signature).decode())
    # A record keeps the statement, not its bytes: they have to be the same.
    if signed.payload != _payload(statement) or not signed.holds_under(statement.public_key):
        raise RecordError(f"{name}: the signature of its challenge does not hold", hint=_NOT_SIGNED)
    return found


def signature_holds(challenge: IssuedChallenge) -> bool:
    """Whether the key in a challenge made its signature. Keys are free: it does not say whose key."""
    try:
        signature = decode_base64(challenge.signature)
    except RecordError:
        return False
    signed = Signed(_payload(challenge.statement), PAYLOAD_TYPE, key_id(challenge), signature)
    return signed.holds_under(challenge.public_key)


def key_id(challenge: IssuedChallenge) -> str:
    """Return the id of the key in a challenge: a SHA-256 in hex."""
    return key_id_of(challenge.public_key)


def _payload(statement: Statement) -> bytes:
    return canonical(statement.model_dump(mode="json"))
