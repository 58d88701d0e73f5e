"""A bundle as a commit on a new branch of a git repository, without touching its working tree.

git writes the objects itself, with an index of their own: nothing is checked out, and what is staged stays.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from bench.errors import MachineError, UsageError
from bench.store.git_environment import git_environment
from bench.text import clean

_PREFIX: Final = "submit/"
_HEADS: Final = "refs/heads/"
_BASES: Final = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "HEAD")
"""The branch contains nothing but the bundle beyond the first of these: HEAD may have other work."""
_MUST_NOT_EXIST: Final = ""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_CLONE: Final = "Name a clone of the repository of the results: --repository DIR, or use --offline"


@dataclass(frozen=True)
class Committed:
    """A bundle in a repository."""

    branch: str
    commit: str
    path: PurePosixPath
    remote: str | None
    """Where to push to: `origin`, else the first remote; None without any."""


class Repository:
    """A clone of the repository of the results."""

    def __init__(self, folder: Path) -> None:
        """Open a repository.

        Raises:
            MachineError: git is not installed.
            UsageError: the folder is not in a repository, or the repository has no commit.
        """
        self.folder = folder
        if shutil.which("git") is None:
            raise MachineError("git is not installed", hint="Install it, or use --offline")
        if not folder.is_dir() or self._asked("rev-parse", "--git-dir") is None:
            raise UsageError(f"{folder}: is not in a git repository", hint=_CLONE)
        found = (self._asked("rev-parse", "-q", "--verify", f"{name}^{{commit}}") for name in _BASES)
        base = next(filter(None, found), None)
        if base is None:
            raise UsageError(f"{folder}: the repository has no commit", hint=_CLONE)
        self._base = base

    def committer(self) -> str:
        """Return the name and the e-mail address that a commit will show to everybody.

        Raises:
            UsageError: git knows no name or address.
        """
        return clean("{} <{}>".format(*self._person()))

    def _person(self) -> tuple[str, str]:
        """Return name and address of the committer, who is the author too: git may know another for that."""
        found = self._asked("var", "GIT_COMMITTER_IDENT")
        person = None if found is None else re.match(r"(.*) <(.*)> \d+ [+-]\d+\Z", found)
        if person is None:
            raise UsageError(
                "git has no name and e-mail address for commits",
                hint="Set them: git config user.name NAME, and git config user.email ADDRESS",
            )
        return person[1], person[2]

    def require_new(self, record_id: str) -> None:
        """Refuse a record for which there is a branch already.

        Raises:
            UsageError: the branch exists.
        """
        branch = _branch(record_id)
        if self._asked("rev-parse", "-q", "--verify", f"{_HEADS}{branch}") is not None:
            raise UsageError(
                f"the branch {branch} exists", hint=f"Push it, or remove it: git branch -D {branch}"
            )

    def commit(self, path: PurePosixPath, content: bytes, record_id: str) -> Committed:
        """Put a file onto a new branch that is named after the record.

        Raises:
            UsageError: the branch or the file exists, or git knows no name or address.
            MachineError: git refused it.
        """
        self.require_new(record_id)
        if self._asked("cat-file", "-e", f"{self._base}:{path}") is not None:
            raise UsageError(f"{path} is in the repository already", hint="There is nothing to submit")
        branch = _branch(record_id)
        blob = self._run("hash-object", "-w", "--stdin", content=content)
        with tempfile.TemporaryDirectory() as folder:
            own = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", self._base, own=own)
            self._run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", own=own)
            tree = self._run("write-tree", own=own)
        name, address = self._person()
        author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": address}
        message = f"Submit record {record_id}"
        commit = self._run("commit-tree", tree, "-p", self._base, "-m", message, own=author)
        self._run("update-ref", f"{_HEADS}{branch}", commit, _MUST_NOT_EXIST)
        return Committed(branch, commit, path, self._remote())

    def _remote(self) -> str | None:
        names = (self._asked("remote") or "").split("\n")
        return "origin" if "origin" in names else names[0] or None

    def _asked(self, *arguments: str) -> str | None:
        """Return what git answers; None where it refuses."""
        ended = self._git(*arguments)
        return ended.stdout.decode(errors="replace").strip() if ended.returncode == 0 else None

    def _run(self, *arguments: str, content: bytes = b"", own: Mapping[str, str] = _NOTHING) -> str:
        ended = self._git(*arguments, content=content, own=own)
        if ended.returncode != 0:
            said = clean(ended.stderr.decode(errors="replace"))
            raise MachineError(f"git {arguments[0]} failed: {said}", hint="Or use --offline")
        return ended.stdout.decode(errors="replace").strip()

    def _git(
        self, *arguments: str, content: bytes = b"", own: Mapping[str, str] = _NOTHING
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run git, with variables of its own."""
        return subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            input=content,
            capture_output=True,
            check=False,
            env={**git_environment(os.environ), **own},
        )


def _branch(record_id: str) -> str:
    return f"{_PREFIX}{record_id}"
