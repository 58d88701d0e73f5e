"""A key is confirmed by what is at a URL of its account, once it was fetched and verified."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench.errors import BenchError, FetchError, GateError, RecordError, UsageError
from bench.identity.confirmation import MAX_BYTES
from bench.receiver import confirming as module
from bench.receiver import ledger
from bench.receiver.confirming import confirm, decided_keys, fetch_confirmation
from bench.receiver.database import Database
from bench.receiver.ledger import Event
from bench.receiver.moderation import moderate, revoke
from bench.receiver.states import Action, State
from bench.receiver.tables import KEYS
from tests.identity.signers import SITE, URL, confirmation, signer
from tests.receiver.published import answer, published
from tests.receiver.raw_server import dripping, silent, whole
from tests.receiver.sent import NOW, do, every, sent

KEY = signer(1).public_key.keyid
Confirm = Callable[..., None]


@pytest.fixture
def confirmed(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Confirm:
    """Confirm the key of a seed by the account of a URL."""

    def work(url: str = URL, seed: int = 1, reason: str = "known") -> None:
        with published(monkeypatch, tmp_path, confirmation(url, seed=seed)):
            do(database, confirm, fetch_confirmation(url, SITE), reason, NOW)

    return work


def row(database: Database) -> dict[str, Any]:
    return database.read(lambda connection: dict(connection.execute(sa.select(KEYS)).mappings().one()))


def events(database: Database) -> list[Event]:
    return [each.event for each in every(database, ledger.entries)]


def test_the_account_is_kept_with_the_file_and_the_reason(database: Database, confirmed: Confirm) -> None:
    confirmed()
    found = row(database)
    assert (found["key_id"], found["account"], found["account_url"]) == (KEY, "github.com/ada", URL)
    assert (found["confirmed_at"], found["confirmed_reason"]) == (NOW, "known")
    assert found["confirmation"].encode() == confirmation()
    (entry,) = every(database, ledger.entries)
    assert entry.event is Event.CONFIRMED
    assert KEY not in entry.model_dump_json()
    assert "github" not in entry.model_dump_json()


def test_a_later_account_takes_the_place_of_the_earlier_one(database: Database, confirmed: Confirm) -> None:
    confirmed()
    later = URL.replace("/ada/", "/Countess/")
    confirmed(later, reason="she has another name there")
    found = row(database)
    assert (found["account"], found["account_url"]) == ("github.com/countess", later)
    assert events(database) == [Event.CONFIRMED, Event.CONFIRMED]


def test_a_revoked_key_is_confirmed_by_nobody(database: Database, confirmed: Confirm) -> None:
    do(database, revoke, KEY, "stolen", NOW)
    with pytest.raises(UsageError, match="was revoked"):
        confirmed()
    assert row(database)["account"] is None
    assert events(database) == [Event.REVOKED]


def test_what_is_confirmed_holds_nothing_and_publishes_nothing(
    database: Database, confirmed: Confirm
) -> None:
    held = sent(database, 1, note="hello")
    confirmed()
    assert held.state is State.HELD
    assert sent(database, 2, note="hello").state is State.HELD


@pytest.mark.parametrize(
    ("content", "error", "line"),
    [
        (confirmation(URL.replace("ada", "mallory")), GateError, "is for the URL"),
        (confirmation(site="https://other.example"), GateError, "is for the site"),
        (confirmation()[:-20], RecordError, "is no confirmation of a key"),
        (b"<!doctype html>", RecordError, "is no confirmation of a key"),
        (confirmation() + b" " * MAX_BYTES, FetchError, "more than 4000 bytes"),
        (whole(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n"), FetchError, "redirects"),
        (whole(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), FetchError, "status 404"),
    ],
)
def test_another_file_confirms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, error: type[BenchError], line: str
) -> None:
    with published(monkeypatch, tmp_path, content), pytest.raises(error, match=line) as caught:
        fetch_confirmation(URL, SITE)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", [silent, dripping(answer(b"x" * 500)[:-499], b"x")])
def test_a_slow_server_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any) -> None:
    monkeypatch.setattr(module, "MOST_S", 0.5)
    with published(monkeypatch, tmp_path, content), pytest.raises(FetchError, match=r"within 0\.5 s"):
        fetch_confirmation(URL, SITE)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"])
def test_no_address_that_is_not_public_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with (
        published(monkeypatch, tmp_path, confirmation(), address=address) as server,
        pytest.raises(FetchError, match="has an address that is not public"),
    ):
        fetch_confirmation(URL, SITE)
    assert server.connections == 0


def test_with_the_last_submission_of_a_key_its_account_is_deleted(
    database: Database, confirmed: Confirm
) -> None:
    one, two = sent(database, 1, key=1), sent(database, 2, key=1)
    confirmed()
    do(database, moderate, one.id, Action.DELETE, "asked for", NOW)
    assert row(database)["account"] == "github.com/ada"
    do(database, moderate, two.id, Action.DELETE, "asked for", NOW)
    left = {name for name, value in row(database).items() if value is not None}
    assert left == {"key_id"}
    assert every(database, decided_keys, [KEY]) == []


def test_a_site_gets_what_was_decided_about_some_keys(database: Database, confirmed: Confirm) -> None:
    confirmed()
    other = signer(2).public_key.keyid
    do(database, revoke, other, "stolen", NOW)
    ((_, file),) = every(database, decided_keys, [KEY])
    assert json.loads(file) == {
        "schema_version": "1.0",
        "confirmed_at": "2026-12-01T12:00:00Z",
        "reason": "known",
        "confirmation": json.loads(confirmation()),
    }
    ((_, file),) = every(database, decided_keys, [other])
    assert json.loads(file) == {
        "schema_version": "1.0",
        "revoked_at": "2026-12-01T12:00:00Z",
        "reason": "stolen",
    }
    assert every(database, decided_keys, []) == []


def test_of_a_key_that_was_confirmed_and_then_revoked_the_revocation_counts(
    database: Database, confirmed: Confirm
) -> None:
    confirmed()
    do(database, revoke, KEY, "stolen", NOW)
    ((_, file),) = every(database, decided_keys, [KEY])
    assert b"github" not in file
    assert json.loads(file)["reason"] == "stolen"
