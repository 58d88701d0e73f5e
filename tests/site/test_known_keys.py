"""Files that say which account confirms a key, and which keys were revoked."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.errors import RecordError
from bench.identity.accounts import account_of
from bench.site.known_keys import Confirmed, Revoked, read_known_keys
from tests.identity.signers import URL, confirmation
from tests.site.results import confirm_key, key_id, revoke_key


def test_no_keys(tmp_path: Path) -> None:
    assert read_known_keys(tmp_path) == {}


def test_decisions_by_key(tmp_path: Path) -> None:
    confirm_key(tmp_path, 1)
    revoke_key(tmp_path, 2, "Stolen,\x1b[2J says its owner")
    assert read_known_keys(tmp_path) == {
        key_id(1): Confirmed(account_of(URL), datetime(2026, 11, 30, 12, tzinfo=UTC)),
        key_id(2): Revoked("Stolen,\ufffd[2J says its owner"),
    }


def test_the_account_is_that_of_the_signed_url_whatever_the_file_says(tmp_path: Path) -> None:
    path = confirm_key(tmp_path, 1)
    changed = json.loads(path.read_bytes()) | {"account": "github.com/somebody"}
    path.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(RecordError, match=f"{path}: account: "):
        read_known_keys(tmp_path)


def test_the_file_of_another_key_stops_the_build(tmp_path: Path) -> None:
    path = confirm_key(tmp_path, 1)
    path.rename(path.with_name(f"{key_id(2)}.json"))
    with pytest.raises(RecordError, match=f"is about another key\\. Name it {key_id(1)}"):
        read_known_keys(tmp_path)


def test_a_confirmation_that_nobody_signed_stops_the_build(tmp_path: Path) -> None:
    path = confirm_key(tmp_path, 1)
    changed = json.loads(path.read_bytes())
    changed["confirmation"]["signatures"] = json.loads(confirmation(seed=2))["signatures"]
    path.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(RecordError, match="the signature does not hold") as caught:
        read_known_keys(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["note", "0" * 16, "A" * 64])
def test_a_revocation_is_named_after_a_key(tmp_path: Path, name: str) -> None:
    path = revoke_key(tmp_path, 1, "stolen")
    path.rename(path.with_name(f"{name}.json"))
    with pytest.raises(RecordError, match="is not named after a key"):
        read_known_keys(tmp_path)


GOOD: dict[str, Any] = {
    "confirmed_at": "2026-11-30T12:00:00Z",
    "reason": "known",
    "confirmation": json.loads(confirmation()),
}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"revoked_at": "2026-11-30T12:00:00Z"}',
        '{"revoked_at": "yesterday", "reason": "stolen"}',
        '{"revoked_at": "2026-11-30T12:00:00Z", "reason": " "}',
        '{"revoked_at": "2026-11-30T12:00:00Z", "reason": "a", "reason": "b"}',
        json.dumps(GOOD | {"revoked_at": "2026-11-30T12:00:00Z"}),
        json.dumps(GOOD | {"confirmation": {}}),
        json.dumps(GOOD | {"confirmation": []}),
        json.dumps(GOOD | {"confirmed_at": None}),
        json.dumps(GOOD | {"reason": "x" * 501}),
        "[" * 5_000,
        " " * 2**17,
    ],
)
def test_what_is_no_decision_stops_the_build(tmp_path: Path, content: str) -> None:
    path = confirm_key(tmp_path, 1)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RecordError) as caught:
        read_known_keys(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).isprintable()
