"""Checkpoints: whoever kept one finds that a later log is shorter, or another."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import GateError, RecordError
from bench.identity.keys import SigningKey
from bench.receiver import ledger
from bench.receiver.checkpoint import PAYLOAD_TYPE, Checkpoint, read_checkpoint, sign_checkpoint, verify_log
from bench.receiver.database import Database
from bench.receiver.moderation import moderate, revoke
from bench.receiver.states import Action
from tests.identity.signers import as_file, signed_payload, signer
from tests.receiver.sent import NOW, do, every, look, sent

KEY = signer(9).public_key.keyid


def key(seed: int = 9) -> SigningKey:
    return SigningKey(signer(seed), Path("never read"))


def lines(database: Database) -> list[str]:
    return [each.model_dump_json() for each in every(database, ledger.entries)]


def content(database: Database, seed: int = 9) -> bytes:
    return sign_checkpoint(look(database, ledger.head), "https://bench.example", NOW, key(seed))


def checkpoint(database: Database) -> Checkpoint:
    return read_checkpoint(content(database), "x", KEY)


def test_a_checkpoint_is_the_end_of_the_log_signed(database: Database) -> None:
    sent(database, note="hello")
    found = checkpoint(database)
    assert found.key_id == KEY
    assert (found.statement.origin, found.statement.at) == ("https://bench.example", NOW)
    assert found.statement.head == verify_log(lines(database), [found])
    assert found.statement.size == 2, "received, held"


def test_a_log_that_goes_on_extends_its_checkpoints(database: Database) -> None:
    """Withdrawal, deletion and revocation included."""
    kept = [checkpoint(database)]
    one, two = sent(database, 1), sent(database, 2)
    kept.append(checkpoint(database))
    do(database, moderate, one.id, Action.WITHDRAW, "wrong", NOW)
    do(database, moderate, one.id, Action.DELETE, "asked for", NOW)
    kept.append(checkpoint(database))
    do(database, revoke, two.key_id, "stolen", NOW)
    assert [each.statement.size for each in kept] == [0, 2, 4]
    assert verify_log(lines(database), kept).size == 6


def test_a_log_that_lost_its_end_is_shorter_than_its_checkpoint(database: Database) -> None:
    sent(database, 1)
    sent(database, 2)
    kept, whole = checkpoint(database), lines(database)
    assert verify_log(whole[:1]).size == 1, "by itself it is a good log"
    with pytest.raises(GateError, match=r"shorter than its checkpoint: 1 of 2 entries"):
        verify_log(whole[:1], [kept])
    with pytest.raises(GateError, match=r"shorter than its checkpoint: 0 of 2 entries"):
        verify_log([], [kept])


def other_log(size: int) -> list[str]:
    """A good log of other entries."""
    found, previous = [], ledger.FIRST
    for seq in range(1, size + 1):
        entry = ledger.Entry(
            seq=seq, at=NOW, event=ledger.Event.RECEIVED, subject="a" * 64, previous=previous, hash=previous
        )
        previous = entry.expected_hash
        found.append(entry.model_copy(update={"hash": previous}).model_dump_json())
    return found


def test_another_log_is_a_fork(database: Database) -> None:
    sent(database, 1)
    kept = checkpoint(database)
    assert verify_log(other_log(3)).size == 3, "by itself it is a good log"
    with pytest.raises(GateError, match="does not extend that of its checkpoint: entry 1 has another hash"):
        verify_log(other_log(3), [kept])


def test_two_checkpoints_of_one_size_that_differ_are_a_fork(database: Database) -> None:
    sent(database, 1)
    forked = ledger.Head(size=1, hash="a" * 64)
    other = read_checkpoint(sign_checkpoint(forked, "https://bench.example", NOW, key()), "x")
    with pytest.raises(GateError, match="does not extend"):
        verify_log(lines(database), [checkpoint(database), other])


def test_an_empty_log_has_one_hash() -> None:
    forged = ledger.Head(size=0, hash="a" * 64)
    kept = read_checkpoint(sign_checkpoint(forged, "https://bench.example", NOW, key()), "x")
    with pytest.raises(GateError, match="does not extend"):
        verify_log([], [kept])


def test_the_key_of_another_is_not_that_of_the_site(database: Database) -> None:
    assert read_checkpoint(content(database, seed=8), "x").key_id != KEY, "keys are free"
    with pytest.raises(GateError, match=r"x: is signed by the key [0-9a-f]{64}"):
        read_checkpoint(content(database, seed=8), "x", KEY)


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", 7), ("hash", "a" * 64), ("origin", "https://evil.example"), ("at", "2020-01-01T00:00:00Z")],
)
def test_a_changed_checkpoint_does_not_hold(database: Database, field: str, value: object) -> None:
    envelope = json.loads(content(database))
    statement = json.loads(base64.b64decode(envelope["payload"])) | {field: value}
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    with pytest.raises(GateError, match="x: the signature does not hold"):
        read_checkpoint(as_file(envelope), "x", KEY)


def under_the_type_of_a_bundle(envelope: dict[str, Any]) -> bytes:
    return signed_payload(base64.b64decode(envelope["payload"]), 9)


def with_a_text_as_payload(_: dict[str, Any]) -> bytes:
    return signed_payload(b"hello", 9, PAYLOAD_TYPE)


@pytest.mark.parametrize(
    "change",
    [
        under_the_type_of_a_bundle,
        with_a_text_as_payload,
        lambda _: b"",
        lambda _: b"[" * 100_000,
        lambda _: b"\xff\xfe",
        lambda envelope: as_file(envelope | {"payload": "é"}),
        lambda envelope: as_file(envelope | {"signatures": []}),
        lambda envelope: as_file(envelope | {"payload": envelope["payload"] + "="}),
    ],
)
def test_anything_else_is_no_checkpoint(
    database: Database, change: Callable[[dict[str, Any]], bytes]
) -> None:
    with pytest.raises(RecordError, match="x: is no checkpoint of a log") as caught:
        read_checkpoint(change(json.loads(content(database))), "x", KEY)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("origin", ["", "x" * 201])
def test_an_origin_is_a_short_text(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        sign_checkpoint(ledger.EMPTY, origin, NOW, key())
