"""Who came first, as git has it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.errors import RecordError
from bench.site.commit_order import History, history_of
from bench.store import naming
from tests.site.results import commit, git


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name)
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def test_files_in_the_order_of_their_commits(tmp_path: Path, results: Path) -> None:
    commit(tmp_path, write(results / "z" / "first.json"), date="2026-11-01T00:00:00Z")
    commit(tmp_path, write(results / "a" / "second ü.json"), date="2026-11-02T00:00:00Z")
    found = history_of(results)
    assert found.is_known
    assert {path: one.place for path, one in found.commits.items()} == {
        "z/first.json": 0,
        "a/second ü.json": 1,
    }
    assert found.commits["z/first.json"].committed_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_a_merge_counts_as_the_commit_and_dates_of_its_branch_decide_nothing(
    tmp_path: Path, results: Path
) -> None:
    commit(tmp_path, write(results / "base.json"))
    git(tmp_path, "checkout", "-q", "-b", "branch")
    commit(tmp_path, write(results / "late.json"), date="2020-01-01T00:00:00Z")
    git(tmp_path, "checkout", "-q", "-")
    commit(tmp_path, write(results / "early.json"), date="2026-11-02T00:00:00Z")
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge", "branch", date="2026-11-03T00:00:00Z")
    found = history_of(results).commits
    assert found["early.json"].place < found["late.json"].place
    assert found["late.json"].committed_at == datetime(2026, 11, 3, tzinfo=UTC)


def test_a_file_that_was_removed_and_came_back_is_as_new_as_its_return(tmp_path: Path, results: Path) -> None:
    first = write(results / "one.json")
    commit(tmp_path, first)
    git(tmp_path, "rm", "-q", str(first))
    git(tmp_path, "commit", "-q", "-m", "removed")
    commit(tmp_path, write(results / "two.json"))
    commit(tmp_path, write(results / "one.json"), date="2026-11-05T00:00:00Z")
    found = history_of(results).commits
    assert found["two.json"].place < found["one.json"].place
    assert found["one.json"].committed_at == datetime(2026, 11, 5, tzinfo=UTC)


def test_a_changed_file_keeps_its_place(tmp_path: Path, results: Path) -> None:
    commit(tmp_path, write(results / "one.json"))
    commit(tmp_path, write(results / "two.json"))
    (results / "one.json").write_text("another text")
    commit(tmp_path, results / "one.json")
    found = history_of(results).commits
    assert found["one.json"].place < found["two.json"].place


@pytest.mark.parametrize("name", ["\nvictim.json", "\x011000000000\n.json", "A\nvictim.json"])
def test_a_name_cannot_take_the_place_of_another(tmp_path: Path, results: Path, name: str) -> None:
    commit(tmp_path, write(results / "a.json"), write(results / name), date="2026-11-01T00:00:00Z")
    commit(tmp_path, write(results / "victim.json"), date="2026-11-02T00:00:00Z")
    found = history_of(results).commits
    assert found["victim.json"].committed_at == datetime(2026, 11, 2, tzinfo=UTC)
    assert found["a.json"].committed_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_without_a_repository_nothing_is_known(results: Path) -> None:
    write(results / "one.json")
    assert not history_of(results).is_known


def test_of_a_shallow_clone_nothing_is_known(tmp_path: Path, results: Path) -> None:
    commit(tmp_path, write(results / "one.json"))
    commit(tmp_path, write(results / "two.json"))
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{tmp_path}", str(tmp_path / "clone"))
    assert not history_of(tmp_path / "clone" / "results").is_known


def test_a_repository_cannot_make_git_run_a_program(tmp_path: Path, results: Path) -> None:
    commit(tmp_path, write(results / "one.json"))
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager", "gpg.program"):
        git(tmp_path, "config", name, str(trap))
    git(tmp_path, "config", "log.showSignature", "true")
    assert history_of(results).is_known
    assert not (tmp_path / "sprung").exists()


def test_variables_of_a_hook_do_not_lead_elsewhere(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(tmp_path, write(results / "one.json"))
    other = tmp_path / "other"
    commit(other, write(other / "results" / "two.json"))
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_LITERAL_PATHSPECS": 1,
    }.items():
        monkeypatch.setenv(name, str(value))
    assert set(history_of(results).commits) == {"one.json"}


def test_the_first_commit_counts_whatever_git_log_is_to_show(tmp_path: Path, results: Path) -> None:
    commit(tmp_path, write(results / "one.json"))
    commit(tmp_path, write(results / "two.json"))
    git(tmp_path, "config", "log.showRoot", "false")
    found = history_of(results).commits
    assert {path: one.place for path, one in found.items()} == {"one.json": 0, "two.json": 1}


def test_an_export_of_a_receiver_has_its_own_order(tmp_path: Path) -> None:
    lines = [
        f'{{"path": "m/c/{name}.json", "received_at": "2026-12-01T00:00:0{nth}Z"}}'
        for nth, name in enumerate("ba")
    ]
    (tmp_path / naming.ORDER).write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = history_of(tmp_path)
    assert found.is_known
    assert [found.commits[f"m/c/{name}.json"].place for name in "ba"] == [0, 1]


def test_a_list_that_somebody_sends_to_a_repository_decides_nothing(tmp_path: Path, results: Path) -> None:
    commit(tmp_path, write(results / "first.json"))
    before = history_of(results)
    line = '{"path": "first.json", "received_at": "2020-01-01T00:00:00Z"}'
    (results / naming.ORDER).write_text(line, encoding="utf-8")
    assert history_of(results) == before


@pytest.mark.parametrize("content", [b"{", b'{"path": 1}', b"\xff", b"[]"])
def test_a_list_that_is_none_stops_the_build(tmp_path: Path, content: bytes) -> None:
    (tmp_path / naming.ORDER).write_bytes(content)
    with pytest.raises(RecordError, match=naming.ORDER):
        history_of(tmp_path)


def test_a_model_called_like_the_list_of_a_receiver_is_no_list(results: Path) -> None:
    write(results / naming.ORDER / "rtx-4090" / "one.json")
    assert history_of(results) == History(is_known=False)
