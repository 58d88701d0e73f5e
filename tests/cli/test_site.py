"""`bench site build`, as people call it."""

import json
from pathlib import Path

import pytest

from bench.site import places
from tests.cli.conftest import Say
from tests.run.processes import bench
from tests.site.results import PAGE, entry_id, put, put_edited, run
from tests.test_packages import hidden

WRONG = {"cells[0].summary.latency_s.median": 12_345.0}


@pytest.mark.emulated
def test_a_site_of_a_folder(say: Say, tmp_path: Path) -> None:
    put(tmp_path / "results", run(1), key=1)
    put_edited(tmp_path / "results", run(2), WRONG, "edited")
    said = say("site", "build", "results", "--out", "public")
    assert said.code == 0, "a refused record is a result"
    summary, changed = said.out.rstrip().rsplit("; ", 1)
    assert summary.startswith("public: ")
    assert summary.endswith("records: 1 published, 1 refused")
    files = json.loads((tmp_path / "public" / "files.json").read_bytes())["files"]
    assert changed == f"{len(files)} of {len(files)} files changed"
    assert said.err == "bench: results: no whole git history says which record came first; names decide\n"
    assert places.record_page(entry_id(run(1))) in files
    assert places.card_page(*PAGE) in files

    (tmp_path / "results" / "broken.json").write_text("{")
    again = say("site", "build", "results", "--out", "public")
    assert again.code == 2, "a file that is no record is named at the end"
    assert "; 0 of " in again.out
    assert "broken.json" in again.err.splitlines()[-1]


def test_no_such_folder(say: Say) -> None:
    said = say("site", "build", "nothing", "--out", "public")
    assert said.code == 2
    assert said.line() == "bench: nothing: no such folder. Name the folder of the records"


@pytest.mark.parametrize("key", ["x", "0" * 63, "F" * 64, "/etc/passwd"])
def test_a_key_that_is_none(say: Say, key: str) -> None:
    said = say("site", "build", "results", "--out", "public", "--site-key", key)
    assert said.code == 2
    assert said.line() == (
        "bench: --site-key: a key has 64 hex digits as its id. bench submit --key-info shows it"
    )


def test_a_site_inside_the_results(say: Say, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    said = say("site", "build", "results", "--out", "results/public")
    assert said.code == 2
    assert "is inside the results" in said.line()


def test_a_receiver_that_nobody_could_send_to(say: Say, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    said = say("site", "build", "results", "--out", "public", "--receiver", "http://results.example.org")
    assert said.code == 2
    assert "is not encrypted" in said.line()


def test_two_answers_about_the_index(say: Say) -> None:
    said = say("site", "build", "results", "--out", "public", "--index", "x", "--no-index")
    assert said.code == 2
    assert "exclude each other" in said.line()


def test_a_decision_that_is_none(say: Say, tmp_path: Path) -> None:
    (tmp_path / "results" / "withdrawn").mkdir(parents=True)
    (tmp_path / "results" / "withdrawn" / "mistake.json").write_text("{}")
    said = say("site", "build", "results", "--out", "public")
    assert said.code == 2
    assert "is not named after an entry" in said.line()


def test_what_there_is(say: Say) -> None:
    assert say("site").code in {0, 2}
    assert "build" in say("site", "--help").out


def test_without_what_writes_the_tables_the_extra_is_named(tmp_path: Path, home: Path) -> None:
    (tmp_path / "results").mkdir()
    words = ("site", "build", "results", "--out", "public")
    ended = bench(*words, home=home, cwd=tmp_path, env=hidden(tmp_path, "pyarrow"))
    assert ended.returncode == 3
    assert "pyarrow is not installed" in ended.stderr
    assert "[site]" in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "public").exists()
