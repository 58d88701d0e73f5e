"""Challenges: issued, read back, and refused once anything in them is another."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RecordError
from bench.identity.challenge import PAYLOAD_TYPE, issue_challenge, key_id, read_challenge, signature_holds
from bench.identity.keys import SigningKey
from bench.records.challenge import IssuedChallenge
from tests.identity.signers import as_file, signed_payload, signer

AT = datetime(2026, 12, 1, 12, 0, 5, 999_999, tzinfo=UTC)
SITE = "https://results.example.org"


def issued(seed: int = 1) -> bytes:
    return issue_challenge(SITE, AT, SigningKey(signer(seed), Path("never read")))


def challenge(seed: int = 1) -> IssuedChallenge:
    return read_challenge(issued(seed), SITE)


def test_a_challenge_names_its_site_its_time_and_a_nonce_that_is_new() -> None:
    one, two = challenge(), challenge()
    assert (one.site, one.issued_at) == (SITE, AT.replace(microsecond=0))
    assert key_id(one) == signer(1).public_key.keyid
    assert len(one.nonce) == 32
    assert one.nonce != two.nonce


def test_a_record_keeps_all_that_the_signature_needs() -> None:
    kept = IssuedChallenge.model_validate_json(challenge().model_dump_json(), strict=True)
    assert signature_holds(kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("site", "https://other.example.org"),
        ("nonce", "0" * 32),
        ("issued_at", AT.replace(year=2025)),
        ("public_key", signer(2).public_key.keyval["public"]),
        ("public_key", bytes([1, *bytes(31)]).hex()),
        ("signature", base64.b64encode(bytes(64)).decode()),
        ("signature", base64.b64encode(bytes(63)).decode()),
        ("signature", "no base64"),
        ("signature", ""),
    ],
)
def test_a_challenge_with_any_other_value_does_not_hold(name: str, value: object) -> None:
    assert not signature_holds(challenge().model_copy(update={name: value}))


def payload_of(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(content)["payload"]))
    return found


def test_a_signature_of_another_key_is_refused() -> None:
    stolen = json.loads(issued())
    stolen["payload"] = json.loads(issued(2))["payload"]
    with pytest.raises(RecordError, match="the signature of its challenge does not hold"):
        read_challenge(as_file(stolen), SITE)


def test_a_payload_in_another_spelling_is_refused() -> None:
    """The record could not keep it."""
    spelled = json.dumps(payload_of(issued())).encode()
    with pytest.raises(RecordError, match="does not hold"):
        read_challenge(signed_payload(spelled, 1, PAYLOAD_TYPE), SITE)


def test_no_other_document_that_a_key_signed_is_a_challenge() -> None:
    """The type is signed, too: a site never signs a challenge by signing something else."""
    payload = base64.b64decode(json.loads(issued())["payload"])
    with pytest.raises(RecordError, match="answers with no challenge"):
        read_challenge(signed_payload(payload, 1), SITE)
    renamed = json.loads(signed_payload(payload, 1)) | {"payloadType": PAYLOAD_TYPE}
    with pytest.raises(RecordError, match="does not hold"):
        read_challenge(as_file(renamed), SITE)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_no_challenge_is_refused_with_the_name_of_the_site(content: bytes) -> None:
    with pytest.raises(RecordError, match=f"^{SITE}: "):
        read_challenge(content, SITE)


@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_challenge_with_any_byte_changed_is_refused(place: int, change: int) -> None:
    content = bytearray(issued().rstrip())
    content[place % len(content)] ^= change
    with pytest.raises(RecordError):
        read_challenge(bytes(content), SITE)
