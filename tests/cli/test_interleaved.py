"""`bench compare --interleave`: the order, what is kept, and what ends it."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from bench.interleave.pairs import kept_pairs
from tests.cli.conftest import Say
from tests.run.processes import bench, only, started, wait_for_line
from tests.run.stand_in import calls
from tests.run.stand_in import environment as stand_in
from tests.samples.comparisons import cell, record, written

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")


@pytest.fixture
def builds(tmp_path: Path) -> tuple[str, str]:
    """Two builds, the second a quarter slower."""
    old = written(record(cell()), tmp_path / "old.json")
    new = written(record(cell(slow=1.25), number=1), tmp_path / "new.json")
    return str(stand_in(tmp_path / "a", old)), str(stand_in(tmp_path / "b", new))


def test_both_run_in_turn_with_what_was_asked_for(say: Say, builds: tuple[str, str], tmp_path: Path) -> None:
    options = ("--suite", "quick", "--clip-seconds", "10", "--rounds", "6", "--out", "kept")
    said = say("compare", "--interleave", *builds, *options, "--fail-on", "decode_tokens_per_s:-5%")
    assert said.code == 1
    assert "gate failed: " in said.err
    assert "-20.0 % slower" in said.out
    done = calls(tmp_path)
    assert [name for name, _ in done] == ["a", "b", "b", "a", "a", "b", "b", "a", "a", "b", "b", "a"]
    assert all(words[:6] == ["-m", "bench", "run", "--suite", "quick", "--clip-seconds"] for _, words in done)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["base", "new"]
    assert len(kept_pairs(tmp_path / "kept")) == 6


def test_it_goes_on_from_the_pairs_that_are_there(say: Say, builds: tuple[str, str], tmp_path: Path) -> None:
    for rounds, runs in ((1, 2), (3, 6), (3, 6)):
        said = say("compare", "--interleave", *builds, "--rounds", str(rounds), "--out", "kept")
        assert said.code == 0
        assert len(calls(tmp_path)) == runs
    assert "3 of 3 pairs are in kept already" in said.err


def test_it_ends_when_the_pairs_tell_enough_of_the_gate(
    say: Say, builds: tuple[str, str], tmp_path: Path
) -> None:
    options = ("--rounds", "20", "--out", "kept", "--fail-on", "decode_tokens_per_s:-5%")
    for _ in range(2):  # the second time nothing is left to run
        said = say("compare", "--interleave", *builds, *options)
        assert said.code == 1
        assert len(calls(tmp_path)) == 2 * 8


def test_pairs_of_another_build_are_not_gone_on_with(
    say: Say, builds: tuple[str, str], tmp_path: Path
) -> None:
    other = record(cell()).environment.model_copy(update={"torch": "2.9.1"})
    old = written(record(cell(), number=7, environment=other), tmp_path / "other.json")
    say("compare", "--interleave", *builds, "--rounds", "1", "--out", "kept")
    third = str(stand_in(tmp_path / "c", old))
    said = say("compare", "--interleave", third, builds[1], "--rounds", "2", "--out", "kept")
    assert said.code == 2
    assert "contains runs of another build" in said.err


@pytest.mark.parametrize(("code", "ends"), [(2, 2), (3, 3), (70, 3)])
def test_a_build_that_cannot_run_is_one_line_with_its_last(
    say: Say, builds: tuple[str, str], tmp_path: Path, code: int, ends: int
) -> None:
    broken = str(stand_in(tmp_path / "broken", None, code=code, says="working\nbench: no such suite\n\n"))
    said = say("compare", "--interleave", builds[0], broken, "--out", "kept")
    assert said.code == ends
    last = said.err.splitlines()[-1]
    assert last == f"bench: {broken}: bench run ended with {code}: no such suite. 0 pairs are kept in kept"
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_build_that_takes_no_turns_is_told_from_one_that_does(say: Say, builds: tuple[str, str]) -> None:
    said = say("compare", "--interleave", *builds, "--device", "cpu", "--out", "kept")
    assert said.code == 2
    assert "this build cannot alternate by generation. Use --turns run" in said.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--interleave", "a", "nowhere"), "nowhere: no Python there"),
        (("--interleave", "a"), "--interleave takes two environments"),
        (("--interleave", "a", "b", "--turns", "generation"), "--turns generation needs --device cpu"),
        (("old.json", "old.json", "--turns", "run"), "--turns needs --interleave"),
        (("old.json", "old.json", "--rounds", "3"), "--rounds needs --interleave. Add --interleave"),
        (("old.json", "old.json", "--clip-seconds", "3"), "--clip-seconds needs --interleave"),
    ],
)
def test_what_is_wrong_is_one_line(
    say: Say, builds: tuple[str, str], arguments: tuple[str, ...], says: str
) -> None:
    said = say("compare", *arguments)
    assert said.code == 2
    assert says in said.line()


def test_an_interruption_keeps_the_pairs_that_are_complete(
    builds: tuple[str, str], home: Path, tmp_path: Path
) -> None:
    options = ("--rounds", "50", "--out", "kept")
    with started("compare", "--interleave", *builds, *options, home=home, cwd=tmp_path) as process:
        wait_for_line(process, r"\[3/50\]")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == 130
    assert "compared pair by pair" in out
    kept = len(kept_pairs(tmp_path / "kept"))
    assert kept >= 2
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["base", "new"]


def test_an_interruption_before_the_first_pair_leaves_nothing_to_compare(home: Path, tmp_path: Path) -> None:
    slow = str(stand_in(tmp_path / "slow", None, takes_s=60))
    arguments = ("compare", "--interleave", slow, slow, "--out", "kept")
    with started(*arguments, home=home, cwd=tmp_path) as process:
        wait_for_line(process, r"\[1/40\]")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
    assert (process.returncode, out) == (143, "")
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.emulated
def test_two_real_environments_run_their_own_bench_in_turns(
    home: Path, tmp_path: Path, finished_run: object
) -> None:
    """Neither the module path of the caller nor the folder it stands in reaches the builds."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").write_text("raise SystemExit('the wrong bench')")
    options = ("--suite", "smoke", "--clip-seconds", "1", "--max-tokens", "4", "--attention", "sdpa")
    own = str(Path(sys.executable).absolute())
    ended = bench(
        *("compare", "--interleave", own, own, *options, "--repeats", "4", "--rounds", "1"),
        *("--device", "cpu"),
        *("--out", "kept", "--format", "json", "--fail-on", "allocated_peak_bytes:+0%"),
        home=home,
        cwd=tmp_path,
        env={"PYTHONSAFEPATH": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    (compared,) = document["against"][0]["cells"]
    assert compared["result"] == "compared"
    assert document["method"] == "interleaved"
    assert only(tmp_path / "kept" / "new", "*.json").name == "0001.json"
