"""Moderation over HTTP: the decisions of the commands, for those with the token and nobody else."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest

from bench.errors import UsageError
from bench.receiver import ledger
from bench.receiver.database import Database
from bench.receiver.http.limits import Limits, Rate
from bench.receiver.http.moderation import Moderators, token_of
from bench.receiver.states import State
from bench.receiver.submissions import body, find
from tests.identity.signers import SITE, URL, confirmation, signer
from tests.receiver.http.serving import FREE, served
from tests.receiver.published import answer, published
from tests.receiver.sent import every, look, sent

TOKEN = "a-token-of-the-tests-0123456789abcdef"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
WHY = {"reason": "somebody asked"}
KEY = signer(1).public_key.keyid


def moderators(of_address: Rate = FREE) -> Moderators:
    return Moderators(SITE, TOKEN, Limits(of_address, FREE, lambda: 0.0))


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def client(database: Database, tmp_path: Path, lines: list[str]) -> Iterator[httpx2.Client]:
    """A client with the token."""
    with served(database, tmp_path, lines, moderators=moderators()) as found:
        found.headers.update(HEADERS)
        yield found


def act(client: httpx2.Client, path: str, document: Any = WHY) -> httpx2.Response:
    return client.post(f"/api/moderation/{path}", json=document)


def test_the_queue_shows_what_waits_with_the_words_of_its_sender(
    client: httpx2.Client, database: Database
) -> None:
    held, valid = sent(database, 1, note="hello", handle="ada"), sent(database, 2)
    answered = client.get("/api/moderation/submissions")
    assert answered.headers["cache-control"] == "no-store"
    (found,) = answered.json()["submissions"]
    assert (found["id"], found["state"], found["note"], found["handle"]) == (held.id, "held", "hello", "ada")
    assert (found["key_id"], found["findings"]) == (KEY, [])
    assert "192.0.2.1" not in answered.text, "no address"
    both = client.get("/api/moderation/submissions", params={"state": ["held", "valid"]}).json()
    assert [each["id"] for each in both["submissions"]] == [held.id, valid.id]
    assert both["more"] is False
    assert client.get("/api/moderation/submissions?state=nice").status_code == 422


@pytest.mark.parametrize(
    ("action", "note", "state"),
    [
        ("publish", "hello", State.PUBLISHED),
        ("reject", "hello", State.REJECTED),
        ("withdraw", None, State.WITHDRAWN),
        ("delete", "hello", State.DELETED),
    ],
)
def test_a_decision_is_kept_with_its_reason_and_the_site_follows(
    client: httpx2.Client, database: Database, lines: list[str], action: str, note: str | None, state: State
) -> None:
    one = sent(database, 1) if note is None else sent(database, 1, note=note)
    answered = act(client, f"submissions/{one.id}/{action}", {"reason": " asked\nby mail "})
    assert answered.status_code == 200
    assert (answered.json()["state"], answered.json()["reason"]) == (state.value, "asked by mail")
    assert look(database, find, one.id).state is state
    assert (look(database, body, one.id) is None) == (action == "delete")
    assert lines.count("changed") == 1
    again = act(client, f"submissions/{one.id}/{action}")
    if state is not State.PUBLISHED:  # one that the site holds is published once more
        assert again.status_code == 409
        assert f"a submission that is {state} cannot be" in again.json()["title"]
    entries = [each.model_dump_json() for each in every(database, ledger.entries)]
    assert list(ledger.verify(entries))[-1].size == len(entries)


def test_what_is_not_there_is_404(client: httpx2.Client) -> None:
    assert act(client, f"submissions/{'0' * 16}/publish").status_code == 404
    assert act(client, f"submissions/{'0' * 16}/praise").status_code == 422
    assert act(client, "submissions/..%2f..%2fx/publish").status_code in {404, 405, 422}


def test_a_revoked_key_holds_what_it_signed(client: httpx2.Client, database: Database) -> None:
    one = sent(database, 1, key=1)
    assert act(client, f"keys/{KEY}/revoke").json() == {"key_id": KEY, "held": 1}
    assert look(database, find, one.id).reason == "the key was revoked: somebody asked"
    assert act(client, f"keys/{KEY}/revoke").status_code == 409
    assert act(client, "keys/0123/revoke").status_code == 422


def test_an_account_confirms_a_key(
    client: httpx2.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"url": URL, **WHY}
    with published(monkeypatch, tmp_path, confirmation()):
        found = act(client, "confirmations", asked)
        assert found.status_code == 200, found.text
        again = act(client, "confirmations", asked)
        act(client, f"keys/{KEY}/revoke")
        revoked = act(client, "confirmations", asked)
    told = found.json()
    assert (told["key_id"], told["account"], told["url"], told["replaced"]) == (
        KEY,
        "github.com/ada",
        URL,
        None,
    )
    assert again.json()["replaced"] == "github.com/ada"
    assert (revoked.status_code, "was revoked" in revoked.json()["title"]) == (409, True)


@pytest.mark.parametrize(
    ("url", "status", "title"),
    [
        ("http://ada.example/key.txt", 422, "only https on port 443"),
        ("https://127.0.0.1/key.txt", 422, "no host name"),
        ("https://raw.githubusercontent.com/bob/notes/HEAD/key.txt", 422, "is for the URL"),
        ("https://no-such-host.invalid/key.txt", 502, "has no address"),
    ],
)
def test_what_confirms_nothing_says_why(
    client: httpx2.Client,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    status: int,
    title: str,
) -> None:
    with published(monkeypatch, tmp_path, confirmation()):
        found = act(client, "confirmations", {"url": url, **WHY})
    assert (found.status_code, title in found.json()["title"]) == (status, True), found.text
    assert every(database, ledger.entries) == []


def test_no_server_here_is_asked_for_a_file(
    client: httpx2.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with published(monkeypatch, tmp_path, confirmation(), address="127.0.0.1") as here:
        found = act(client, "confirmations", {"url": URL, **WHY})
    assert (found.status_code, here.connections) == (502, 0)


def test_while_a_file_is_fetched_others_are_answered(
    client: httpx2.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, others_were = Event(), Event()

    def late(_: Event) -> Iterable[bytes]:
        asked.set()
        others_were.wait()
        yield answer(confirmation())

    with published(monkeypatch, tmp_path, late), ThreadPoolExecutor(4) as pool:
        found = [pool.submit(act, client, "confirmations", {"url": URL, **WHY}) for _ in range(4)]
        try:
            assert asked.wait(60)
            assert client.get("/healthz").status_code == 200
            assert client.get("/api/moderation/submissions").status_code == 200
            assert not any(each.done() for each in found)
        finally:
            others_were.set()
        assert [each.result().status_code for each in found] == [200] * 4


def requests() -> list[tuple[str, str]]:
    return [
        ("GET", "submissions"),
        ("POST", f"submissions/{'0' * 16}/publish"),
        ("POST", f"submissions/{'0' * 16}/delete"),
        ("POST", f"keys/{KEY}/revoke"),
        ("POST", "confirmations"),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN.upper()}"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": "Bearer \xff\xfe".encode("latin-1")},
        {"cookie": f"authorization=Bearer {TOKEN}"},
    ],
)
def test_without_the_token_nothing_is_shown_and_nothing_done(
    database: Database, tmp_path: Path, headers: Any
) -> None:
    sent(database, 1, note="private words")
    before = every(database, ledger.entries)
    with served(database, tmp_path, [], moderators=moderators()) as client:
        for method, path in requests():
            found = client.request(method, f"/api/moderation/{path}", headers=headers, json=WHY)
            assert found.status_code == 401, path
            assert found.headers["www-authenticate"] == "Bearer"
            assert "private words" not in found.text
            asked = client.request(method, f"/api/moderation/{path}?token={TOKEN}", json=WHY)
            assert asked.status_code == 401, "not in an address, which is logged"
    assert every(database, ledger.entries) == before


def test_where_the_server_has_no_token_there_is_no_moderation(database: Database, tmp_path: Path) -> None:
    with served(database, tmp_path, []) as client:
        for method, path in requests():
            found = client.request(method, f"/api/moderation/{path}", headers=HEADERS, json=WHY)
            assert found.status_code == 404
            assert "moderation over HTTP is off" in found.json()["title"]


def test_wrong_tokens_are_limited_and_right_ones_are_not(database: Database, tmp_path: Path) -> None:
    few = moderators(Rate(per_s=0.5, burst=2))
    with served(database, tmp_path, [], moderators=few) as client:

        def asked(**headers: str) -> int:
            return client.get("/api/moderation/submissions", headers=headers).status_code

        assert [asked(**HEADERS) for _ in range(5)] == [200] * 5
        assert [asked(authorization="Bearer guess") for _ in range(3)] == [401, 401, 429]
        assert asked(**HEADERS) == 429, "a right guess after many wrong ones is not found out either"
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {}, 422),
        (b"[]", {}, 422),
        (b"", {}, 422),
        (b"[" * 5_000, {}, 422),
        (b'{"reason": ""}', {}, 422),
        (b'{"reason": 7}', {}, 422),
        (json.dumps({"reason": "x" * 501}).encode(), {}, 422),
        (b'{"reason": "a", "state": "published"}', {}, 422),
        (b"x" * 20_000, {}, 413),
        (b'{"reason": "a"}', {"content-type": "text/plain"}, 415),
        (b'{"reason": "a"}', {"content-encoding": "gzip"}, 415),
    ],
)
def test_a_decision_needs_a_reason(
    client: httpx2.Client, database: Database, content: bytes, headers: dict[str, str], status: int
) -> None:
    one = sent(database, 1, note="hello")
    given = {"content-type": "application/json", **headers}
    for path in (f"submissions/{one.id}/publish", f"keys/{KEY}/revoke", "confirmations"):
        found = client.post(f"/api/moderation/{path}", content=content, headers=given)
        assert found.status_code in {status, 422}, path
        assert found.json()["title"].isprintable()
    assert look(database, find, one.id).state is State.HELD


def test_the_log_of_the_server_has_no_token_and_no_id(
    client: httpx2.Client, database: Database, lines: list[str]
) -> None:
    one = sent(database, 1, note="hello")
    act(client, f"submissions/{one.id}/publish")
    act(client, f"keys/{KEY}/revoke")
    text = "\n".join(lines)
    assert "/api/moderation/submissions/{submission_id}/{action}" in text
    for secret in (TOKEN, one.id, KEY, "somebody asked"):
        assert secret not in text


@pytest.mark.parametrize("text", ["x" * 31, "x" * 201, "x" * 40 + " ", "x" * 40 + "\n", "é" * 40])
def test_a_short_token_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="32 to 200") as caught:
        token_of(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(("text", "token"), [(None, None), ("", None), ("x" * 32, "x" * 32)])
def test_no_token_is_no_moderation(text: str | None, token: str | None) -> None:
    assert token_of(text) == token
