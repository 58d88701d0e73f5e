"""`bench run --challenge` with what is no site and no record: refused in one line, before anything runs."""

from pathlib import Path

import pytest

from bench.records.enums import WeightMode
from bench.store.record_files import write_record
from tests.cli.conftest import Say
from tests.identity.signers import bundled
from tests.samples.challenged import challenged
from tests.submit.site_server import Answer, document, serve
from tests.validate.good import good, ordinary
from tests.validate.recipes import Recipe

RUN = ("run", "--suite", "smoke", "--device", "cpu")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("http://results.example.org", "http://results.example.org is not encrypted"),
        ("https://", "'https://' is no address of a site"),
        ("https://ada:secret@x.example", "is no address of a site"),
        ("https://x.example/?a=1", "is no address of a site"),
        ("missing.json", "--challenge: missing.json: cannot be read"),
        ("hf://datasets/a/b", "--challenge: hf:/datasets/a/b: cannot be read"),
        (".", "--challenge: .: cannot be read"),
        ("notes.txt", "--challenge: notes.txt"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_no_site_and_no_record(say: Say, tmp_path: Path, value: str, said: str, dry: tuple[str, ...]) -> None:
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    refused = say(*RUN, *dry, "--challenge", value)
    assert refused.code == 2
    assert said in refused.line()


def test_a_record_without_a_challenge_or_of_another_model(say: Say, tmp_path: Path) -> None:
    write_record(ordinary(), tmp_path / "without.json")
    write_record(challenged(ordinary()), tmp_path / "with.json")
    said = say(*RUN, "--challenge", "without.json")
    assert said.line() == (
        "bench: without.json: the record has no challenge. Name one of a run with --challenge"
    )
    said = say(*RUN, "--challenge", "with.json")
    assert said.code == 2
    assert "this run has tiny (tiny weights)" in said.line()


def test_the_record_may_be_in_a_bundle(say: Say, tmp_path: Path) -> None:
    tiny = good(Recipe(card=None, weights=WeightMode.TINY, suite="smoke"))
    (tmp_path / "theirs.bundle.json").write_bytes(bundled(challenged(tiny)))
    said = say(*RUN, "--dry-run", "--challenge", "theirs.bundle.json")
    assert said.code == 0
    assert "after them the challenge" in said.out


def test_a_resumed_run_has_its_own_challenge(say: Say) -> None:
    said = say("run", "--resume", "x.json", "--challenge", "https://x.example")
    assert said.code == 2
    assert "--challenge and --resume exclude each other" in said.line()


def test_a_dry_run_asks_no_site(say: Say) -> None:
    with serve(Answer(200)) as site:
        said = say(*RUN, "--dry-run", "--challenge", site.url)
    assert said.code == 0
    assert said.out.splitlines()[-1] == "after them the challenge: 10 s, 32 tokens, greedy"
    assert site.received == []


def test_a_site_without_challenges_ends_the_run_before_it_begins(say: Say, tmp_path: Path) -> None:
    with serve(document(404, title="No")) as site:
        said = say(*RUN, "--challenge", site.url)
    assert said.code == 3
    assert said.err.splitlines()[-1].endswith(
        "issues no challenges. Leave --challenge out, or name another site"
    )
    assert not list(tmp_path.rglob("*.json*"))
