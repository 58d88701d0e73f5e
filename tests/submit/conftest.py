"""A record to be submitted, and a clone of a repository to put it into."""

import subprocess
from pathlib import Path

import pytest

from bench.store.record_files import write_record
from tests.validate.good import ordinary


def git(folder: Path, *arguments: str) -> str:
    """Run git, and return what it prints."""
    ended = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def clone_in(folder: Path) -> Path:
    """Make a repository with one commit, a file that is changed and a file that is staged."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Ada Lovelace")
    git(folder, "config", "user.email", "ada@example.org")
    (folder / "kept.txt").write_text("as committed\n")
    git(folder, "add", "kept.txt")
    git(folder, "commit", "-q", "-m", "First")
    (folder / "kept.txt").write_text("changed\n")
    (folder / "staged.txt").write_text("staged\n")
    git(folder, "add", "staged.txt")
    return folder


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    write_record(ordinary(), path)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return clone_in(tmp_path / "clone")
