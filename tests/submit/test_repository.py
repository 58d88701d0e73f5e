"""A commit by git itself: on a branch of its own, with everything else as it was."""

import os
from pathlib import Path, PurePosixPath

import pytest

from bench.errors import MachineError, UsageError
from bench.submit.repository import Repository
from tests.submit.conftest import clone_in, git

PATH = PurePosixPath("results/model/card/x.bundle.json")
ID = "0123456789ab"


def test_the_branch_has_one_commit_with_one_file(clone: Path) -> None:
    made = Repository(clone).commit(PATH, b"{}\n", ID)
    assert made.branch == f"submit/{ID}"
    assert git(clone, "diff", "--name-status", "main", made.branch) == f"A\t{PATH}"
    assert git(clone, "show", f"{made.branch}:{PATH}") == "{}"
    assert git(clone, "log", "-1", "--format=%an %ae %s", made.branch) == (
        f"Ada Lovelace ada@example.org Submit record {ID}"
    )
    assert git(clone, "fsck", "--strict") == ""


def test_the_working_tree_the_index_and_the_branch_stay(clone: Path) -> None:
    before = git(clone, "status", "--porcelain", "--branch"), git(clone, "rev-parse", "HEAD")
    Repository(clone).commit(PATH, b"{}\n", ID)
    assert (git(clone, "status", "--porcelain", "--branch"), git(clone, "rev-parse", "HEAD")) == before
    assert not (clone / "results").exists()


def test_bytes_arrive_as_they_are_whatever_git_converts(clone: Path) -> None:
    (clone / ".gitattributes").write_text("* text eol=crlf\n")
    git(clone, "config", "core.autocrlf", "true")
    made = Repository(clone).commit(PATH, b"a\r\nb\n", ID)
    assert git(clone, "cat-file", "-s", f"{made.branch}:{PATH}") == "5"


def test_the_base_is_that_of_the_remote_not_other_work(clone: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(clone), str(copy))
    git(copy, "-c", "user.name=A", "-c", "user.email=a@b.cc", "commit", "-q", "--allow-empty", "-m", "Mine")
    git(copy, "config", "user.name", "A")
    git(copy, "config", "user.email", "a@b.cc")
    made = Repository(copy).commit(PATH, b"{}\n", ID)
    assert git(copy, "rev-list", "--count", f"origin/main..{made.branch}") == "1"
    assert made.remote == "origin"


def test_a_folder_inside_the_clone_will_do(clone: Path) -> None:
    (clone / "below").mkdir()
    made = Repository(clone / "below").commit(PATH, b"{}\n", ID)
    assert git(clone, "ls-tree", "-r", "--name-only", made.branch).splitlines() == ["kept.txt", str(PATH)]
    assert made.remote is None


def test_a_branch_or_a_file_that_exists_is_refused(clone: Path) -> None:
    repository = Repository(clone)
    repository.require_new(ID)
    made = repository.commit(PATH, b"{}\n", ID)
    for again in (lambda: repository.require_new(ID), lambda: repository.commit(PATH, b"{}\n", ID)):
        with pytest.raises(UsageError, match=f"the branch submit/{ID} exists"):
            again()
    git(clone, "merge", "-q", made.branch)
    git(clone, "branch", "-D", made.branch)
    with pytest.raises(UsageError, match="is in the repository already"):
        Repository(clone).commit(PATH, b"{}\n", ID)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.touch()])
def test_what_is_no_repository_is_one_line(make: object, tmp_path: Path) -> None:
    path = tmp_path / "x"
    make(path)  # type: ignore[operator]
    with pytest.raises(UsageError, match="is not in a git repository"):
        Repository(path)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="has no commit"):
        Repository(tmp_path)


def test_without_git(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MachineError, match="git is not installed"):
        Repository(clone)


def test_the_committer_is_known_before(clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Repository(clone).committer() == "Ada Lovelace <ada@example.org>"
    monkeypatch.setenv("HOME", str(tmp_path))
    git(clone, "config", "user.name", "")
    with pytest.raises(UsageError, match="git has no name and e-mail address"):
        Repository(clone).committer()


def test_the_commit_shows_nobody_but_the_committer(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(clone, "config", "author.email", "ada@private.example")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "A. A. L.")
    repository = Repository(clone)
    shown = repository.committer()
    made = repository.commit(PATH, b"{}\n", ID)
    assert git(clone, "log", "-1", "--format=%an <%ae>%n%cn <%ce>", made.branch).splitlines() == [shown] * 2
    assert "private" not in git(clone, "cat-file", "commit", made.branch)


def test_variables_of_a_hook_do_not_lead_elsewhere(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = clone_in(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    made = Repository(clone).commit(PATH, b"{}\n", ID)
    for name in ("GIT_DIR", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert git(clone, "branch", "--list", made.branch) == f"{made.branch}"
    assert git(other, "branch", "--list", made.branch) == ""


def test_a_read_only_repository_is_one_line(clone: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes anywhere")
    (clone / ".git" / "objects").chmod(0o500)
    with pytest.raises(MachineError, match="git hash-object failed"):
        Repository(clone).commit(PATH, b"{}\n", ID)
