"""`bench submit`: shown, agreed to, written or committed; a bundle of anybody verified; the key."""

import base64
import json
import os
import shlex
import stat
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bench import shipped
from bench.store.canonical import content_hash
from bench.store.record_files import read_record, write_record
from tests.cli.conftest import Say
from tests.cli.test_prompts import typed
from tests.identity.signers import as_file, bundled, signed
from tests.run.processes import bench
from tests.samples.challenged import challenged
from tests.submit.conftest import clone_in, git
from tests.validate.edits import edited
from tests.validate.good import ordinary

RECORD = ordinary()
STEM = f"20261120T180409Z-quick-{RECORD.record_id}"


@pytest.fixture(autouse=True)
def record(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    write_record(RECORD, path)
    return path


def bundle_in(folder: Path) -> Path:
    (path,) = folder.glob("*.bundle.json")
    return path


def test_offline_shows_signs_and_writes_next_to_the_record(say: Say, tmp_path: Path) -> None:
    said = say("submit", "mine.json", "--offline", "--yes", "--handle", "ada", "--note", "Two fans.")
    assert (said.code, said.err) == (0, "")
    path = bundle_in(tmp_path)
    assert path.name.startswith(f"{STEM}-")
    assert f"bundle    {path.name}\n" in said.out
    for shown in (
        "card      NVIDIA GeForce RTX 4090, 23.99 GiB",
        "model     MOSS-Audio-4B-Instruct, hub weights",
        "counts    as a measurement of the published weights",
        "handle    ada",
        "note      Two fans.",
        "licence   CC0-1.0: ",
        "mine.json: no findings",
    ):
        assert shown in said.out
    assert read_record(path) == RECORD


def test_the_same_again_gives_the_same_bytes(say: Say, tmp_path: Path) -> None:
    first = say("submit", "mine.json", "--offline", "--yes", "--out", "a")
    second = say("submit", "mine.json", "--offline", "--yes", "--out", "b")
    assert first.code == second.code == 0
    assert bundle_in(tmp_path / "a").read_bytes() == bundle_in(tmp_path / "b").read_bytes()


def test_anybody_can_verify_it(say: Say, tmp_path: Path) -> None:
    (tmp_path / "theirs.json").write_bytes(bundled(RECORD, 7, handle="ada"))
    said = say("submit", "--verify", "theirs.json")
    assert (said.code, said.err) == (0, "")
    assert "integrity signature and hash hold\n" in said.out
    assert "handle ada; a site shows whether an account confirms it\n" in said.out
    assert said.out.endswith("theirs.json: no findings\n")
    assert not (tmp_path / "home").exists(), "no key is made for that"


def test_the_challenge_of_a_record_is_shown_before_it_is_signed(say: Say, tmp_path: Path) -> None:
    write_record(challenged(RECORD), tmp_path / "fresh.json")
    line = (
        "challenge nonce 00112233... of https://results.example.org, issued 2026-11-20 18:03:09 UTC, "
        "answered with 32 token ids by published weights\n"
    )
    said = say("submit", "fresh.json", "--offline", "--yes")
    assert line in said.out
    assert line in say("submit", "--verify", bundle_in(tmp_path).name).out
    assert "\nchallenge " not in say("submit", "mine.json", "--offline", "--yes", "--out", "a").out


def test_a_bad_bundle_is_an_error_and_a_record_is_no_bundle(say: Say, tmp_path: Path) -> None:
    statement = json.loads(base64.b64decode(json.loads(bundled(RECORD, 1))["payload"]))
    (tmp_path / "forged.json").write_bytes(signed(statement, seed=2))
    said = say("submit", "--verify", "forged.json")
    assert said.code == 1
    assert "integrity the key did not make the signature\n" in said.out
    assert "[signature_invalid]" in said.out
    said = say("submit", "--verify", "mine.json")
    assert said.code == 2
    assert (
        said.line() == "bench: mine.json: is a record without a signature. bench submit makes a bundle of it"
    )


def test_nobody_to_ask_means_no_bundle(say: Say, tmp_path: Path) -> None:
    said = say("submit", "mine.json", "--offline")
    assert said.code == 2
    assert said.err == "bench: publishing under CC0-1.0 needs your agreement. Add --yes\n"
    assert "card      " in said.out, "what would be signed is shown all the same"
    assert list(tmp_path.glob("*.bundle.json")) == []


def test_a_way_must_be_chosen(say: Say) -> None:
    said = say("submit", "mine.json")
    assert said.code == 2
    assert (
        "--to URL sends the bundle to a site or to the Hub, --to git puts it onto a branch of a clone"
        in said.line()
    )
    for wrong in (
        ["mine.json", "--offline", "--to", "git"],
        ["mine.json", "--offline", "--print"],
        ["mine.json", "--print", "--out", "x"],
        ["mine.json", "--offline", "--repository", "x"],
        ["mine.json", "--key-info"],
        ["--key-info", "--rotate-key"],
        ["mine.json", "--to", "svn"],
        [],
    ):
        said = say("submit", *wrong)
        assert said.code == 2, wrong
        assert said.line()


def test_errors_are_shown_as_by_validate_and_nothing_is_written(say: Say, tmp_path: Path) -> None:
    document = edited({"cells[0].summary.latency_s.median": 99_999.0})
    document["content_hash"] = content_hash(document)
    (tmp_path / "wrong.json").write_text(json.dumps(document), encoding="utf-8")
    said = say("submit", "wrong.json", "--offline", "--yes")
    assert said.code == 1
    assert said.out == say("validate", "wrong.json").out
    assert said.err == "bench: nothing was signed. Only a record without errors is submitted\n"
    assert list(tmp_path.glob("*.bundle.json")) == []
    assert not (tmp_path / "home").exists(), "not even a key"


def test_a_planted_secret_is_found_and_not_printed(say: Say, tmp_path: Path) -> None:
    token = "hf_AbCdEfGhIjKlMnOpQrStUvWx"
    said = say("submit", "mine.json", "--offline", "--yes", "--note", f"my token is {token}")
    assert said.code == 1
    assert "A text contains an access token, which nobody should publish." in said.out
    assert token not in said.out + said.err
    assert list(tmp_path.glob("*.bundle.json")) == []


def test_print_shows_the_whole_statement_and_writes_no_bundle(say: Say, tmp_path: Path) -> None:
    first = say("submit", "mine.json", "--print", "--note", "Hello")
    assert first.code == 0
    assert "no key yet" in first.err
    assert not (tmp_path / "home").exists(), "no key is made for that"
    assert json.loads(first.out)["predicate"]["public_key"] == "0" * 64
    say("submit", "--rotate-key")
    said = say("submit", "mine.json", "--print", "--note", "Hello")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    assert document["predicate"]["public_key"] in say("submit", "--key-info").out
    schema = json.loads((shipped.schemas() / "submission-1.0.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert document["predicate"]["note"] == "Hello"
    assert list(tmp_path.glob("*.bundle.json")) == []


def test_a_branch_of_a_clone_and_the_command_that_sends_it(say: Say, tmp_path: Path) -> None:
    clone = clone_in(tmp_path / "clone")
    said = say("submit", "mine.json", "--to", "git", "--repository", "clone", "--yes")
    assert (said.code, said.err) == (0, "")
    assert "shows your name and address to everybody: Ada Lovelace <ada@example.org>\n" in said.out
    branch = f"submit/{RECORD.record_id}"
    name = git(clone, "diff", "--name-only", "main", branch)
    assert name.startswith(f"results/MOSS-Audio-4B-Instruct/rtx-4090/{STEM}-")
    assert shlex.split(said.out.splitlines()[-1]) == ["git", "-C", "clone", "push", "REMOTE", branch]
    (tmp_path / "sent.json").write_text(git(clone, "show", f"{branch}:{name}"), encoding="utf-8")
    assert say("submit", "--verify", "sent.json").code == 0
    again = say("submit", "mine.json", "--to", "git", "--repository", "clone", "--yes")
    assert again.code == 2
    assert again.line().startswith(f"bench: the branch {branch} exists. ")


def test_outside_a_repository_git_is_one_line(say: Say, tmp_path: Path) -> None:
    said = say("submit", "mine.json", "--to", "git", "--yes")
    assert said.code == 2
    assert "is not in a git repository" in said.line()
    assert not (tmp_path / "home").exists()


def test_the_key_is_shown_without_its_secret(say: Say, tmp_path: Path) -> None:
    assert say("submit", "--key-info").out.startswith("no key yet: the first submission makes ")
    say("submit", "mine.json", "--offline", "--yes")
    said = say("submit", "--key-info")
    lines = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    path = Path(lines["file"].split(",")[0])
    assert lines["key"] in lines["whole"]
    assert len(lines["key"]) == 16
    assert lines["public"].endswith("(Ed25519)")
    secret = path.read_text().splitlines()[1]
    assert secret not in said.out
    if os.name != "nt":
        assert lines["file"].endswith("mode 0600")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_rotated_key_signs_from_then_on(say: Say, tmp_path: Path) -> None:
    say("submit", "mine.json", "--offline", "--yes", "--out", "a")
    said = say("submit", "--rotate-key")
    assert said.code == 0
    assert said.out.startswith("old key   ")
    say("submit", "mine.json", "--offline", "--yes", "--out", "b")
    old, new = bundle_in(tmp_path / "a"), bundle_in(tmp_path / "b")
    assert old.name != new.name, "the names have the ids of the keys"
    for path in (old, new):
        assert say("submit", "--verify", str(path)).code == 0


def test_a_key_that_others_can_read_is_refused(say: Say, tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no such modes")
    say("submit", "mine.json", "--offline", "--yes")
    (path,) = (tmp_path / "home").rglob("key.pem")
    path.chmod(0o644)
    said = say("submit", "mine.json", "--offline", "--yes")
    assert said.code == 3
    assert "mode 0644 lets others use the key. chmod 600 " in said.line()


def test_text_of_a_bundle_cannot_reach_the_terminal(say: Say, tmp_path: Path) -> None:
    statement = json.loads(base64.b64decode(json.loads(bundled(RECORD))["payload"]))
    statement["predicate"]["note"] = "\u202e\x1b[2J\r\n::error::x"
    (tmp_path / "x.json").write_bytes(signed(statement))
    said = say("submit", "--verify", "x.json")
    assert said.code == 0
    assert all(line.isprintable() for line in said.out.split("\n"))
    (tmp_path / "y.json").write_bytes(as_file({"payload": "\x1b", "payloadType": "\u202e", "signatures": []}))
    assert say("submit", "--verify", "y.json").line()


def test_a_run_ends_with_the_command_that_submits_its_record(
    finished_run: tuple[Path, str, str], home: Path, tmp_path: Path
) -> None:
    folder, out, _ = finished_run
    said, command = out.splitlines()[-2:]
    assert said == "submit it with"
    program, *arguments = shlex.split(command)
    clone = str(clone_in(tmp_path / "clone"))
    ended = bench(*arguments, "--repository", clone, "--yes", home=home, cwd=folder)
    assert (program, ended.returncode) == ("bench", 0), ended.stderr
    assert "counts    for the pipeline alone: it ran the tiny model\n" in ended.stdout


@pytest.mark.parametrize(("answer", "code", "bundles"), [("y\n", 0, 1), ("n\n", 2, 0), ("\n", 2, 0)])
def test_a_person_is_asked_and_silence_is_no_agreement(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, bundles: int
) -> None:
    typed(monkeypatch, answer)
    said = say("submit", "mine.json", "--offline")
    assert said.code == code
    assert said.err.startswith("Publish this under CC0-1.0?")
    assert len(list(tmp_path.glob("*.bundle.json"))) == bundles


def test_reports_and_comparisons_read_bundles_and_count_a_record_once(say: Say, tmp_path: Path) -> None:
    say("submit", "mine.json", "--offline", "--yes")
    bundle = bundle_in(tmp_path)
    assert say("compare", "mine.json", bundle.name, "--format", "json").code == 0
    said = say("report", "mine.json", bundle.name, "--format", "json", "--no-index", "--out", "pages")
    assert said.code == 0, said.err
    (page,) = (tmp_path / "pages").rglob("*check.json")
    assert len(json.loads(page.read_text(encoding="utf-8"))["records"]) == 1


def test_a_bundle_is_not_resumed(say: Say, tmp_path: Path) -> None:
    say("submit", "mine.json", "--offline", "--yes")
    before = bundle_in(tmp_path).read_bytes()
    said = say("run", "--resume", bundle_in(tmp_path).name, "--device", "cpu")
    assert said.code == 2
    assert "a bundle cannot be resumed. Resume the record from which it was made" in said.line()
    assert bundle_in(tmp_path).read_bytes() == before
