"""`bench site verify-log`, as anybody calls it: for a file, standard input, or a site."""

import io
from pathlib import Path

import pytest

from bench.identity.keys import SigningKey
from bench.receiver import ledger
from bench.receiver.checkpoint import sign_checkpoint
from bench.receiver.database import Database
from bench.receiver.moderation import moderate
from bench.receiver.states import Action
from bench.receiver.submissions import salt_of
from bench.submit.receipt import Receipt, write_receipt
from tests.cli.conftest import Say
from tests.identity.signers import signer
from tests.receiver.sent import NOW, do, every, look, sent
from tests.run.processes import bench
from tests.submit.site_server import Answer, document, serve
from tests.test_packages import hidden

KEY = signer(9).public_key.keyid
ORIGIN = "https://results.example.org"


def log_of(receiver: Database) -> bytes:
    return b"".join(each.model_dump_json().encode() + b"\n" for each in every(receiver, ledger.entries))


def checkpoint_of(receiver: Database) -> bytes:
    return sign_checkpoint(look(receiver, ledger.head), ORIGIN, NOW, SigningKey(signer(9), Path("unused")))


@pytest.fixture
def kept(receiver: Database, tmp_path: Path) -> Path:
    """A checkpoint of a log of two entries, which has five now."""
    one, _ = sent(receiver, 1), sent(receiver, 2)
    path = tmp_path / "kept.json"
    path.write_bytes(checkpoint_of(receiver))
    sent(receiver, 3)
    do(receiver, moderate, one.id, Action.WITHDRAW, "wrong", NOW)
    do(receiver, moderate, one.id, Action.DELETE, "asked for", NOW)
    (tmp_path / "log.jsonl").write_bytes(log_of(receiver))
    return path


def test_a_file_verifies_also_after_a_deletion(say: Say, receiver: Database, kept: Path) -> None:
    said = say("site", "verify-log", "log.jsonl", "--checkpoint", kept.name, "--key", KEY)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"log         5 entries, the last one has the hash {look(receiver, ledger.head).hash}",
        f"checkpoint  2 entries at 2026-12-01 12:00 UTC, {ORIGIN}",
        f"            signed by the key {KEY}",
    ]


def test_what_is_not_verified_is_said(say: Say, kept: Path) -> None:
    without = say("site", "verify-log", "log.jsonl")
    assert (without.code, "entries at the end are missing" in without.err) == (0, True)
    nobody = say("site", "verify-log", "log.jsonl", "--checkpoint", kept.name)
    assert (nobody.code, "keys are free" in nobody.err) == (0, True)
    assert "--key needs a checkpoint" in say("site", "verify-log", "log.jsonl", "--key", KEY).line()


def test_the_log_of_a_site_is_verified_against_both_checkpoints(
    say: Say, receiver: Database, kept: Path
) -> None:
    with serve(Answer(200, checkpoint_of(receiver)), Answer(200, log_of(receiver))) as site:
        said = say("site", "verify-log", site.url, "--checkpoint", kept.name, "--key", KEY)
    assert (said.code, said.err) == (0, "")
    assert [line.split()[1] for line in said.out.splitlines()[1::2]] == ["2", "5"]
    assert [each.path for each in site.received] == ["/api/log/checkpoint", "/api/log"]


def test_a_site_that_shows_a_shorter_log(say: Say, receiver: Database, kept: Path) -> None:
    del kept
    lost = b"".join(log_of(receiver).splitlines(keepends=True)[:-1])
    with serve(Answer(200, checkpoint_of(receiver)), Answer(200, lost)) as site:
        said = say("site", "verify-log", site.url)
    assert said.code == 1
    assert "the log is shorter than its checkpoint: 4 of 5 entries" in said.line()


def test_the_key_of_another(say: Say, kept: Path) -> None:
    said = say("site", "verify-log", "log.jsonl", "--checkpoint", kept.name, "--key", "a" * 64)
    assert said.code == 1
    assert f"kept.json: is signed by the key {KEY}" in said.line()


def test_a_changed_entry(say: Say, tmp_path: Path, kept: Path) -> None:
    del kept
    log = tmp_path / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"withdrawn", b"published"))
    said = say("site", "verify-log", "log.jsonl")
    assert said.code == 1
    assert "entry 4 of the log was changed" in said.line()


@pytest.mark.parametrize("content", [b"\x00" * 100_000, b"{}" * 100_000, b"\xff\xfe\n", b"<!doctype html>\n"])
def test_what_is_no_log(say: Say, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    said = say("site", "verify-log", "x")
    assert said.code == 1
    assert "entry 1 of the log" in said.line()


def test_standard_input(say: Say, receiver: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(receiver, 1)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(log_of(receiver))))
    said = say("site", "verify-log", "-")
    assert (said.code, said.out.startswith("log         1 entries")) == (0, True)


def test_files_and_addresses_that_lead_nowhere(say: Say, tmp_path: Path) -> None:
    assert "nothing: cannot be read" in say("site", "verify-log", "nothing").line()
    (tmp_path / "log.jsonl").write_bytes(b"")
    (tmp_path / "x").write_bytes(b"{}")
    said = say("site", "verify-log", "log.jsonl", "--checkpoint", "x")
    assert (said.code, "x: is no checkpoint of a log" in said.line()) == (2, True)
    assert "nothing: cannot be read" in say("site", "verify-log", "x", "--checkpoint", "nothing").line()
    assert "is no address of a site" in say("site", "verify-log", "ftp://x").line()
    with serve(document(404, title="Not here")) as site:
        said = say("site", "verify-log", site.url)
    assert (said.code, "answers as no site of bench does (HTTP 404)" in said.line()) == (3, True)


def test_anybody_can_verify_without_the_packages_of_a_receiver(
    home: Path, tmp_path: Path, kept: Path
) -> None:
    without = hidden(tmp_path, "sqlalchemy", "alembic", "psycopg", "pyarrow")
    words = ("site", "verify-log", "log.jsonl", "--checkpoint", kept.name, "--key", KEY)
    ended = bench(*words, home=home, cwd=tmp_path, env=without)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_sender_finds_the_entries_of_a_record_by_its_receipt(
    say: Say, receiver: Database, tmp_path: Path
) -> None:
    one = sent(receiver, 1)
    salt = look(receiver, salt_of, one.id)
    assert salt is not None
    receipt = Receipt(
        site=ORIGIN,
        id=one.id,
        state="valid",
        url=f"{ORIGIN}/records/{one.id}/",
        sent_at=NOW,
        bundle_sha256="0" * 64,
        content_hash=one.content_hash,
        log_salt=salt.hex(),
    )
    path = write_receipt(tmp_path / "mine.bundle.json", receipt)
    sent(receiver, 2)
    for action in (Action.WITHDRAW, Action.DELETE):
        do(receiver, moderate, one.id, action, "asked for", NOW)
    (tmp_path / "log.jsonl").write_bytes(log_of(receiver))
    words = ("site", "verify-log", "log.jsonl", "--receipt", path.name)
    assert say(*words).out.splitlines()[1:] == [
        "receipt     entry 1: received at 2026-12-01 12:00 UTC",
        "receipt     entry 3: withdrawn at 2026-12-01 12:00 UTC",
        "receipt     entry 4: deleted at 2026-12-01 12:00 UTC",
    ], "a deletion does not reach the receipt"
    write_receipt(tmp_path / "mine.bundle.json", receipt.model_copy(update={"log_salt": "0" * 32}))
    other = say(*words)
    assert (other.code, "no entry about the record of the receipt" in other.err) == (1, True)
    with serve(Answer(200, log_of(receiver))) as site:
        elsewhere = say("site", "verify-log", site.url, "--receipt", path.name)
    assert (elsewhere.code, elsewhere.line().endswith(f"That is {ORIGIN}")) == (2, True)
    path.unlink()
    write_receipt(tmp_path / "mine.bundle.json", receipt.model_copy(update={"log_salt": None}))
    assert "has no salt" in say(*words).line()
