"""`bench site revoke` and `bench site confirm`, as people call them while a receiver runs."""

from pathlib import Path

import pytest

from bench.receiver.database import Database
from bench.receiver.states import State
from bench.receiver.submissions import find
from tests.cli.conftest import Say
from tests.identity.signers import SITE, URL, confirmation
from tests.receiver.published import published
from tests.receiver.sent import look, sent
from tests.site.results import built, entry_id, key_id, put, run

WHY = ("--reason", "somebody asked")
HERE = ("--origin", SITE)


def state_of(receiver: Database, submission_id: str) -> tuple[State, str | None]:
    found = look(receiver, find, submission_id)
    return found.state, found.reason


def test_a_revoked_key_holds_what_it_signed(say: Say, receiver: Database) -> None:
    one, two = sent(receiver, 1, key=1), sent(receiver, 2, key=2)
    said = say("site", "revoke", one.key_id, "--reason", "stolen")
    assert (said.code, said.out) == (0, f"{one.key_id}: revoked; 1 held\n")
    assert state_of(receiver, one.id) == (State.HELD, "the key was revoked: stolen")
    assert state_of(receiver, two.id) == (State.VALID, None)
    assert sent(receiver, 3, key=1).state is State.HELD, "also what it sends later"
    assert "is no id of a key" in say("site", "revoke", one.key_id[:16], *WHY).line()


def test_an_account_confirms_a_key(
    say: Say, receiver: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sent(receiver, 1, key=1)
    with published(monkeypatch, tmp_path, confirmation()) as server:
        said = say("site", "confirm", URL, *HERE, *WHY)
        assert (said.code, said.err) == (0, "")
        assert said.out == f"{one.key_id}: confirmed by github.com/ada\n"
        monkeypatch.setenv("BENCH_ORIGIN", f"{SITE}/")
        assert say("site", "confirm", URL, *WHY).out == said.out, "again"
        assert say("site", "revoke", one.key_id, *WHY).code == 0
        again = say("site", "confirm", URL, *WHY)
        assert again.code == 2
        assert again.line().startswith(f"bench: {one.key_id}: was revoked. Its owner makes a new one:")
    assert server.connections == 3


def test_another_account_of_the_key_is_named(
    say: Say, receiver: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = sent(receiver, 1, key=1), URL.replace("ada", "countess")
    for url in (URL, other):
        with published(monkeypatch, tmp_path, confirmation(url)):
            said = say("site", "confirm", url, *HERE, *WHY)
    assert said.out == f"{one.key_id}: confirmed by github.com/countess; before: github.com/ada\n"


def test_a_site_without_a_receiver_keeps_decisions_among_its_results(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "results", run(1), key=1)
    there = ("--results", "results")
    with published(monkeypatch, tmp_path, confirmation()):
        said = say("site", "confirm", URL, *HERE, *WHY, *there)
    assert (said.code, said.out) == (0, f"{key_id(1)}: confirmed by github.com/ada\n")
    built(tmp_path / "results", tmp_path / "public")
    page = tmp_path / "public" / "records" / entry_id(run(1)) / "index.html"
    assert "github.com/ada" in page.read_text(encoding="utf-8")
    revoked = say("site", "revoke", key_id(1), "--reason", "Stolen", *there)
    assert (revoked.code, revoked.out) == (
        0,
        f"{key_id(1)}: revoked; the next build holds what it signed\n",
    )
    built(tmp_path / "results", tmp_path / "public")
    assert "The key was revoked: Stolen" in page.read_text(encoding="utf-8")


def test_a_file_for_another_site_confirms_nothing(
    say: Say, receiver: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del receiver
    with published(monkeypatch, tmp_path, confirmation(site="https://other.example")):
        said = say("site", "confirm", URL, *HERE, *WHY)
    assert said.code == 1
    assert "is for the site https://other.example, not https://bench.example" in said.line()


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["https://127.0.0.1/key.txt", *HERE, *WHY], 2, "this URL has no host name"),
        (["http://ada.example/key.txt", *HERE, *WHY], 2, "only https on port 443"),
        (["file:///etc/passwd", *HERE, *WHY], 2, "this is no URL"),
        ([URL, *HERE, "--reason", " "], 2, "a reason has 1 to 500 characters"),
        ([URL, *WHY], 2, "--origin"),
        ([URL, *HERE], 2, "--reason"),
    ],
)
def test_what_cannot_be_confirmed_is_one_line(
    say: Say, receiver: Database, words: list[str], code: int, line: str
) -> None:
    del receiver
    said = say("site", "confirm", *words)
    assert said.code == code
    assert line in said.err.splitlines()[-1]
    assert said.out == ""


def test_no_address_of_this_machine_is_fetched_from(
    say: Say, receiver: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del receiver
    with published(monkeypatch, tmp_path, confirmation(), address="127.0.0.1") as server:
        said = say("site", "confirm", URL, *HERE, *WHY)
    assert (said.code, server.connections) == (3, 0)
    assert "has an address that is not public" in said.line()
