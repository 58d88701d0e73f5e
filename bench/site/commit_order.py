"""Which record came first: the order in which the files were committed, asked of git once, or received.

A merge counts as the commit that brought its files: whoever writes the dates of a branch decides nothing.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bench.errors import RecordError, UsageError
from bench.records.base import Frozen, Utc
from bench.store import naming
from bench.store.git_environment import git_environment
from bench.store.untrusted import kind_of, read_file
from bench.text import decode

_MOST_BYTES: Final = 2**28
_LIMIT_S: Final = 120.0
_GIT: Final = (
    "git",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "log.showSignature=false",
    "-c",
    "log.showRoot=true",
)
_IS_SHALLOW: Final = (*_GIT, "rev-parse", "--is-shallow-repository")
_LOG: Final = (
    *(*_GIT, "log", "--first-parent", "-m", "--reverse", "--diff-filter=AD", "--no-renames", "--no-ext-diff"),
    *("--name-status", "--relative", "-z", "--format=%x01%ct", "--", ":(glob)**/*.json"),
)
_HEADER: Final = re.compile("\x01([0-9]{1,20})")  # a name follows a status, so that none is read as this
_ADDED: Final = "A"
_LATEST_S: Final = 253_402_300_799
"""The end of the year 9999: what a date can hold."""


@dataclass(frozen=True, slots=True)
class Commit:
    """When a file was added. `place`: number of its commit, the oldest 0."""

    place: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Commits by the path of a file below the folder, with slashes. Without git nothing is known."""

    is_known: bool
    commits: Mapping[str, Commit] = field(default_factory=dict)


def history_of(folder: Path) -> History:
    """Return the history of the files below a folder, from git or from the receiver that exported them.

    It is unknown without either, and in a clone without all commits.

    Raises:
        RecordError: the receiver's list cannot be read.
    """
    is_shallow = _asked(folder, _IS_SHALLOW)
    if is_shallow == "true\n":
        return History(is_known=False)
    committed = _asked(folder, _LOG) if is_shallow == "false\n" else None
    if committed:  # who sends a file to a repository could send such a list, too
        return _committed(committed)
    order = folder / naming.ORDER
    is_there = kind_of(order) not in {None, "folder"}  # a model can have this name
    return _received(order) if is_there else History(is_known=False)


class _Line(Frozen):
    """A bundle in the order of a receiver."""

    path: str
    received_at: Utc


def _received(path: Path) -> History:
    try:
        lines = decode(read_file(path, _MOST_BYTES)).splitlines()
        found = [_Line.model_validate_json(line) for line in lines]
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint="Export it again") from error
    except (ValidationError, UsageError) as error:
        raise RecordError(f"{path}: is not the list of an export", hint="Export it again") from error
    commits = {line.path: Commit(place, line.received_at) for place, line in enumerate(found)}
    return History(is_known=True, commits=commits)


def _committed(output: str) -> History:
    commits: dict[str, Commit] = {}
    for status, path, commit in _parsed(output):
        if status == _ADDED:
            commits[path] = commit
        else:  # what comes back later can be another record
            commits.pop(path, None)
    return History(is_known=True, commits=commits)


def _asked(folder: Path, command: tuple[str, ...]) -> str | None:
    environment = {**git_environment(os.environ), "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        found = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return os.fsdecode(found.stdout) if found.returncode == 0 else None


def _parsed(output: str) -> Iterator[tuple[str, str, Commit]]:
    """Each file that a commit added or deleted, with which of the two; the oldest commit first."""
    place, committed_at = -1, datetime.fromtimestamp(0, UTC)
    parts = iter(output.split("\0"))
    for part in parts:
        header = _HEADER.fullmatch(part)
        if header is not None:
            seconds = min(int(header[1]), _LATEST_S)
            place, committed_at = place + 1, datetime.fromtimestamp(seconds, UTC)
        elif part:
            yield part.removeprefix("\n"), next(parts), Commit(place, committed_at)
