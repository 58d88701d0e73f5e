"""`bench site queue` and the decisions, as people call them while a receiver runs."""

import json
import re
import shlex
from pathlib import Path

import pytest

from bench.identity.keys import SigningKey
from bench.receiver import ledger
from bench.receiver.checkpoint import sign_checkpoint
from bench.receiver.database import Database, url_of
from bench.receiver.states import State
from bench.receiver.submissions import body, find
from bench.store import naming
from tests.cli.conftest import Say
from tests.cli.test_prompts import typed
from tests.identity.signers import signer
from tests.receiver.sent import NOW, every, look, sent
from tests.run.processes import bench
from tests.test_packages import hidden

WHY = ("--reason", "somebody asked")


def state_of(receiver: Database, submission_id: str) -> tuple[State, str | None]:
    found = look(receiver, find, submission_id)
    return found.state, found.reason


def test_the_queue_shows_what_waits_and_why(say: Say, receiver: Database) -> None:
    held, valid = sent(receiver, 1, note="hello \x1b[2J", handle="ada"), sent(receiver, 2)
    said = say("site", "queue")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"{held.id}  held  2026-12-01 12:00 UTC  {held.model}/{held.slug}",
        "  reason    a person reads the handle and the note first",
        f"  key       {held.key_id}",
        "  handle    ada",
        "  note      hello \ufffd[2J",
        "submissions that are held: 1",
    ]
    both = say("site", "queue", "--state", "valid, held")
    assert [line.split()[0] for line in both.out.splitlines() if "UTC" in line] == [held.id, valid.id]


def test_the_queue_as_json(say: Say, receiver: Database) -> None:
    held = sent(receiver, 1, note="hello \u202e")
    said = say("site", "queue", "--json")
    (found,) = json.loads(said.out)["submissions"]
    assert (found["id"], found["state"], found["note"]) == (held.id, "held", "hello \ufffd")
    assert found["received_at"] == "2026-12-01T12:00:00Z"
    assert "address" not in found
    assert json.loads(say("site", "queue", "--state", "valid", "--json").out) == {"submissions": []}


def test_a_state_that_is_none(say: Say, receiver: Database) -> None:
    del receiver
    said = say("site", "queue", "--state", "held,nice")
    assert said.code == 2
    assert said.line().endswith(
        "'nice' is not a valid State. Use received, valid, held, published, rejected, withdrawn, deleted"
    )


@pytest.mark.parametrize(
    ("command", "note", "state"),
    [
        ("publish", "hello", State.PUBLISHED),
        ("reject", "hello", State.REJECTED),
        ("withdraw", None, State.WITHDRAWN),
    ],
)
def test_a_decision_is_kept_with_its_reason(
    say: Say, receiver: Database, command: str, note: str | None, state: State
) -> None:
    one = sent(receiver, 1) if note is None else sent(receiver, 1, note=note)
    said = say("site", command, one.id, "--reason", " asked\nby mail ")
    assert (said.code, said.out, said.err) == (0, f"{one.id}: {state}\n", "")
    assert state_of(receiver, one.id) == (state, "asked by mail")


def test_what_is_not_possible_is_one_line(say: Say, receiver: Database) -> None:
    one = sent(receiver, 1)
    assert say("site", "publish", one.id, *WHY).code == 0
    again = say("site", "reject", one.id, *WHY)
    assert again.code == 2
    assert "a submission that is published cannot be rejected" in again.line()
    nobody = say("site", "withdraw", "f" * 16, *WHY)
    assert nobody.code == 2
    assert "no submission has this id" in nobody.line()


@pytest.mark.parametrize("command", ["publish", "reject", "withdraw", "delete"])
@pytest.mark.parametrize("reason", ["  ", "x" * 501])
def test_a_decision_needs_a_short_reason(say: Say, receiver: Database, command: str, reason: str) -> None:
    one = sent(receiver, 1)
    said = say("site", command, one.id, "--reason", reason)
    assert said.code == 2
    assert "a reason has 1 to 500 characters" in said.line()
    assert say("site", command, one.id).code == 2, "without one"
    assert state_of(receiver, one.id) == (State.VALID, None)


def test_deletion_says_what_it_cannot_recall(say: Say, receiver: Database) -> None:
    one = sent(receiver, 1, note="my words")
    said = say("site", "delete", one.id, *WHY, "--yes")
    assert (said.code, said.out) == (0, f"{one.id}: deleted\n")
    for copy in ("git", "Parquet", "Hub", "backups"):
        assert copy in said.err
    assert look(receiver, body, one.id) is None
    lines = [each.model_dump_json() for each in every(receiver, ledger.entries)]
    assert [head.size for head in ledger.verify(lines)] == [1, 2, 3]


def test_deleted_content_is_in_no_file_while_a_receiver_runs(
    say: Say, receiver: Database, tmp_path: Path
) -> None:
    one = sent(receiver, 1, note="my very own words")
    sent(receiver, 2)

    def files_with_it() -> list[str]:
        files = sorted((tmp_path / "served").iterdir())
        return [file.name for file in files if b"my very own words" in file.read_bytes()]

    assert files_with_it() == ["receiver.sqlite-wal"]
    assert say("site", "delete", one.id, *WHY, "--yes").code == 0
    assert files_with_it() == []


def test_deletion_is_a_question(say: Say, receiver: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    one = sent(receiver, 1)
    nobody = say("site", "delete", one.id, *WHY)
    assert nobody.code == 2
    assert nobody.err.splitlines()[-1].endswith("needs your agreement. Add --yes")
    typed(monkeypatch, "n\n")
    no = say("site", "delete", one.id, *WHY)
    assert no.code == 2
    assert "nothing was deleted" in no.err
    assert state_of(receiver, one.id) == (State.VALID, None)
    typed(monkeypatch, "y\n")
    yes = say("site", "delete", one.id, *WHY)
    assert (yes.code, f"Delete {one.id}?" in yes.err) == (0, True)
    assert say("site", "delete", one.id, *WHY).line().startswith("bench: a submission that is deleted")


def test_the_database_is_named_by_an_option_or_the_environment(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/other.sqlite"
    missing = say("site", "queue", "--database", url)
    assert missing.code == 2
    assert "other.sqlite: no such database" in missing.line()
    assert not (tmp_path / "other.sqlite").exists(), "a wrong name makes no database"
    with Database(url) as database:
        one = sent(database, 1, note="hello")
    assert one.id in say("site", "queue", "--database", url).out
    monkeypatch.setenv("BENCH_DATABASE", url)
    assert one.id in say("site", "queue").out
    assert (
        say("site", "queue", "--database", "mysql://x").line().startswith("bench: --database: no such kind")
    )


def test_a_folder_that_nobody_names_is_none(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever forgets the variable decides about nothing, instead of about another database."""
    with Database(url_of(tmp_path / "served" / naming.RECEIVER)) as database:
        one = sent(database, 1, note="hello")
    forgotten = say("site", "queue")
    assert forgotten.code == 2
    assert forgotten.line().startswith("bench: no receiver is named. Use --folder DIR or --database URL")
    assert one.id in say("site", "queue", "--folder", "served").out
    monkeypatch.setenv("BENCH_FOLDER", "served")
    assert one.id in say("site", "queue").out


def test_the_url_of_a_database_can_be_in_a_file(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password is then neither in the environment nor on a command line."""
    url = url_of(tmp_path / "secret name.sqlite")
    (tmp_path / "database_url").write_text(f"{url}\n", encoding="utf-8")
    with Database(url) as database:
        one = sent(database, 1, note="hello")
    assert one.id in say("site", "queue", "--database", "@database_url").out
    monkeypatch.setenv("BENCH_DATABASE", "@database_url")
    assert one.id in say("site", "queue").out
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", ".", "binary", "", "/proc/self/mem"):
        said = say("site", "queue", "--database", f"@{name}")
        assert said.code == 2
        assert "cannot be read: " in said.line()


def test_without_a_database_package_the_extra_is_named(tmp_path: Path, home: Path) -> None:
    ended = bench("site", "queue", home=home, cwd=tmp_path, env=hidden(tmp_path, "sqlalchemy", "alembic"))
    assert ended.returncode == 3
    assert "alembic is not installed; sqlalchemy is not installed. Install the extra:" in ended.stderr
    assert "[serve]" in ended.stderr.splitlines()[-1]


def documented() -> list[list[str]]:
    """The commands of docs/receiver.md that need neither a network nor a running receiver."""
    page = (Path(__file__).parents[2] / "docs" / "receiver.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    lines = [shlex.split(line, comments=True) for line in blocks.splitlines()]
    return [words[1:] for words in lines if words[:2] == ["bench", "site"] and "https:" not in str(words)]


@pytest.mark.servers  # builds a whole site
def test_the_documented_commands_run_in_their_order(say: Say, receiver: Database, tmp_path: Path) -> None:
    one, two = sent(receiver, 1, note="hello"), sent(receiver, 2, key=2, note="buy")
    key = SigningKey(signer(9), Path("unused"))
    (tmp_path / "kept.json").write_bytes(sign_checkpoint(look(receiver, ledger.head), "site", NOW, key))
    names = {"0123456789abcdef": one.id, "fedcba9876543210": two.id, "KEY": two.key_id}
    for words in documented():
        log = every(receiver, ledger.entries)
        (tmp_path / "log.jsonl").write_text("".join(f"{each.model_dump_json()}\n" for each in log))
        said = say(*(names.get(word, word) for word in words))
        assert said.code == 0, (words, said.err)
    assert [state_of(receiver, each.id)[0] for each in (one, two)] == [State.DELETED, State.REJECTED]
    assert len(documented()) > 10
