"""A repository of results with a branch that somebody wants to be merged."""

import subprocess
import sys
from pathlib import Path

from tests.submit.conftest import git
from tools.derived import ROOT

OLD = "results/tiny/cpu/old.json"


class PullRequest:
    """A repository with a file in `results/` on `main`, and a branch that changes something."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder / "clone", folder / "out"
        self.folder.mkdir()
        git(self.folder, "init", "-q", "-b", "main")
        for key, value in {"user.name": "A", "user.email": "a@b.cc", "core.quotePath": "true"}.items():
            git(self.folder, "config", key, value)
        self.write(OLD, b"{}\n")
        self.commit()
        git(self.folder, "checkout", "-q", "-b", "change")

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def commit(self) -> None:
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "A change")

    def check(self, base: str = "main") -> tuple[int, list[str]]:
        """Commit, and run the script; return its code and its lines."""
        self.commit()
        ended = subprocess.run(
            [sys.executable, "-m", "tools.submissions", str(self.folder), base, "change", str(self.out)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.stderr == ""
        return ended.returncode, ended.stdout.splitlines()
