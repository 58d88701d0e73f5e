"""A file confirms one key, one account and one site, and only those who have both can make it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError, GateError, RecordError, UsageError
from bench.identity.confirmation import (
    MAX_BYTES,
    PAYLOAD_TYPE,
    Confirmation,
    read_confirmation,
    require_same,
    site_address,
)
from bench.identity.dsse import key_id_of
from bench.store.canonical import canonical
from tests.identity.signers import SITE, URL, as_file, signed_payload, signer
from tests.identity.signers import confirmation as made


def statement(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(content)["payload"]))
    return found


def resigned(changes: dict[str, Any], seed: int = 1) -> bytes:
    """A confirmation with other values, signed by the key of a seed."""
    return signed_payload(canonical(statement(made()) | changes), seed, PAYLOAD_TYPE)


def test_a_confirmation_names_key_account_and_site() -> None:
    found = read_confirmation(made(), "x")
    assert found.key_id == signer(1).public_key.keyid
    assert (found.account.name, found.account.url, found.site) == ("github.com/ada", URL, SITE)
    require_same(found, URL, SITE)
    assert made() == made(), "it contains no time"
    assert statement(made()).keys() == {"schema_version", "site", "file", "public_key"}


def test_other_spellings_of_the_same_addresses_are_the_same() -> None:
    other = made("https://RAW.githubusercontent.com:443/ada/notes/HEAD/key.txt", "HTTPS://Bench.Example:443/")
    assert other == made()
    require_same(read_confirmation(made(), "x"), URL, "https://BENCH.example/")


@pytest.mark.parametrize(
    ("url", "site", "message"),
    [
        (URL.replace("ada", "mallory"), SITE, "is for the URL"),
        (URL.replace("key.txt", "key2.txt"), SITE, "is for the URL"),
        (URL, "https://other.example", "is for the site"),
        (URL, "https://bench.example:8443", "is for the site"),
        (URL, "http://bench.example", "is for the site"),
        (URL, "https://bench.example/other", "is for the site"),
    ],
)
def test_it_confirms_nothing_at_another_url_and_for_another_site(url: str, site: str, message: str) -> None:
    with pytest.raises(GateError, match=message) as caught:
        require_same(read_confirmation(made(), "x"), url, site)
    assert str(caught.value).isprintable()


def swapped_signature(content: bytes) -> bytes:
    changed = json.loads(content)
    changed["signatures"] = json.loads(made(seed=2))["signatures"]
    return as_file(changed)


def of_small_order(content: bytes) -> bytes:
    """Under a public key of order 1, which anybody can sign for."""
    key = "01" + "00" * 31
    payload = canonical(statement(content) | {"public_key": key})
    sig = base64.b64encode(bytes([1]) + bytes(63)).decode()
    return as_file(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id_of(key), "sig": sig}],
        }
    )


@pytest.mark.parametrize(
    "forge",
    [
        lambda content: resigned({}, seed=2),
        lambda content: resigned({"public_key": signer(2).public_key.keyval["public"]}),
        swapped_signature,
        of_small_order,
    ],
    ids=["by another key", "of another key", "signature of another file", "key of small order"],
)
def test_nobody_can_claim_the_key_of_another(forge: Callable[[bytes], bytes]) -> None:
    with pytest.raises(GateError, match="x: the signature does not hold"):
        read_confirmation(forge(made()), "x")


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "https://RAW.githubusercontent.com/ada/notes/HEAD/key.txt"},
        {"file": "https://raw.githubusercontent.com:443/ada/notes/HEAD/key.txt"},
        {"file": "https://github.com/ada/notes/blob/main/key.txt"},
        {"file": "http://ada.example/key.txt"},
        {"file": "https://ada.example/key\u202e.txt"},
        {"file": "https://ada.example/" + "x" * 500},
        {"file": None},
        {"site": "https://bench.example/"},
        {"site": "https://bench.example\n"},
        {"site": "bench"},
        {"site": ""},
        {"public_key": "A" * 64},
        {"public_key": "aa"},
        {"schema_version": "2.0"},
        {"account": "github.com/mallory"},
    ],
)
def test_a_statement_has_one_spelling_and_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match="x: is no confirmation of a key") as caught:
        read_confirmation(resigned(changes), "x")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 5_000,
        made().replace(b'"payload":', b'"payload":"a","payload":'),
        made().replace(b"confirmation+json", b"checkpoint+json"),
        as_file(json.loads(made()) | {"signatures": []}),
        as_file(json.loads(made()) | {"signatures": json.loads(made())["signatures"] * 2}),
        as_file(json.loads(made()) | {"more": 1}),
        signed_payload(b"\x00", payload_type=PAYLOAD_TYPE),
    ],
)
def test_what_is_no_confirmation_is_one_line(content: bytes) -> None:
    with pytest.raises(RecordError, match="x: is no confirmation of a key") as caught:
        read_confirmation(content, "x")
    assert str(caught.value).isprintable()


@settings(max_examples=100)
@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_can_change(place: int, bit: int) -> None:
    changed = bytearray(made())
    changed[place % len(changed)] ^= 1 << bit
    try:
        found = read_confirmation(bytes(changed), "x")
    except BenchError as error:
        assert str(error).isprintable()
    else:  # white space at the end
        assert found == read_confirmation(made(), "x")


def test_the_longest_confirmation_is_within_the_limit() -> None:
    url = ("https://ada.example/" + "k" * 500)[:500]
    site = ("https://bench.example/" + "s" * 500)[:500]
    found = made(url, site)
    assert len(found) <= MAX_BYTES
    assert isinstance(read_confirmation(found, "x"), Confirmation)


@pytest.mark.parametrize(
    "site", ["bench.example", "https://a@bench.example", "https://bench.example/?a=b", ""]
)
def test_a_site_has_an_address(site: str) -> None:
    with pytest.raises(UsageError):
        site_address(site)
    with pytest.raises(UsageError):
        made(site=site)
