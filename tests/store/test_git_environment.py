"""git works on the repository of the folder that it is given, whatever variables a hook has set."""

import os
import subprocess
from pathlib import Path

import pytest

from bench.store.git_environment import git_environment
from tests.submit.conftest import clone_in


def asked(folder: Path, *arguments: str) -> str:
    own = git_environment(os.environ)
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], env=own, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_git_stays_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, other = clone_in(tmp_path / "here"), clone_in(tmp_path / "other")
    for name in ("GIT_DIR", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert asked(here, "rev-parse", "--show-toplevel") == str(here)


def test_a_pattern_stays_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone_in(tmp_path / "here")
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    assert asked(tmp_path / "here", "ls-files", ":(glob)**/k*.txt") == "kept.txt"


def test_what_a_user_configures_stays() -> None:
    own = {"GIT_CONFIG_COUNT": "0", "GIT_AUTHOR_NAME": "Ada", "PATH": "/bin"}
    assert git_environment(own) == own | {"LC_ALL": "C"}
