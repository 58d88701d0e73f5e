"""Take the bundles out of a pull request, as data: nothing of it is imported, run or checked out.

python -m tools.submissions CLONE BASE HEAD OUT

CLONE is a repository with both commits. Below `results/` a pull request may only add bundles of runs, each
under the name that `bench submit --to git` gives it. They are written to OUT, which must not exist. A branch
with a merge is refused: fast-forwarded, its own commits would come before those that it merged.
Exit codes: 0 all are such bundles, 1 there is something else, 2 the repository cannot be read.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import RecordError
from bench.identity.envelope import read_bundle
from bench.records.enums import Provenance
from bench.store.git_environment import git_environment
from bench.store.naming import RESULTS
from bench.submit.place import place_of
from bench.text import clean

MOST_FILES: Final = 100
MOST_BYTES: Final = 16 * 2**20
_FILE: Final = b"100644"
_ADDED: Final = b"A"


@dataclass(frozen=True)
class Change:
    """A path below `results/` that differs between two commits."""

    path: str
    mode: bytes
    blob: str
    status: bytes


class GitError(Exception):
    """Git cannot read the repository or the commits."""


def changes(clone: Path, base: str, head: str) -> tuple[Change, ...]:
    """Return what a branch changes below `results/` since it left its base."""
    fork = _git(clone, "merge-base", base, head).decode().strip()
    listed = _git(clone, "diff-tree", "-r", "-z", "--no-renames", fork, head, "--", RESULTS.as_posix())
    fields = listed.split(b"\0")[:-1]
    found = []
    for about, path in zip(fields[::2], fields[1::2], strict=True):
        _, mode, _, blob, status = about.split(b" ")
        found.append(Change(path.decode(errors="surrogateescape"), mode, blob.decode(), status))
    return tuple(found)


def merges(clone: Path, base: str, head: str) -> int:
    """Return how many merge commits a branch has since it left its base."""
    return int(_git(clone, "rev-list", "--count", "--merges", f"{base}..{head}"))


def take(clone: Path, found: tuple[Change, ...], out: Path) -> Iterator[str]:
    """Write the added bundles below `out`; yield a line about each change that is refused."""
    out.mkdir(parents=True)
    if len(found) > MOST_FILES:
        yield f"{len(found)} files are changed: at most {MOST_FILES} in one pull request"
        return
    for number, change in enumerate(found):
        problem = _problem(clone, change, out / f"{number:04d}.bundle.json")
        if problem is not None:
            yield f"{clean(change.path)}: {problem}"


def _problem(clone: Path, change: Change, target: Path) -> str | None:
    if change.status != _ADDED:
        return "is there already, and must stay as it is"
    if change.mode != _FILE:
        return "is not an ordinary file"
    size = int(_git(clone, "cat-file", "-s", change.blob))
    if size > MOST_BYTES:
        return f"has {size} bytes: at most {MOST_BYTES}"
    target.write_bytes(_git(clone, "cat-file", "blob", change.blob))
    try:
        bundle = read_bundle(target)
    except RecordError as error:
        target.unlink()
        return f"is not a bundle ({clean(error.message.removeprefix(f'{target}: '))})"
    if bundle.record.provenance is Provenance.DERIVED:
        return "is a prediction, which is not submitted"
    place = place_of(bundle.record, bundle.key_id)
    return None if change.path == str(place) else f"belongs at {place}"


def _git(clone: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(clone), *arguments]
    ended = subprocess.run(command, env=git_environment(os.environ), capture_output=True, check=False)
    if ended.returncode != 0:
        raise GitError(clean(ended.stderr.decode(errors="replace")))
    return ended.stdout


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main(clone: str, base: str, head: str, out: str) -> int:
    """Take the bundles out, and print what is refused."""
    try:
        found = changes(Path(clone), base, head)
        refused = list(take(Path(clone), found, Path(out)))
        merged = merges(Path(clone), base, head)
    except GitError as error:
        _say(f"git: {error}")
        return 2
    for line in refused:
        _say(f"refused: {line}")
    if merged:
        _say(f"refused: the branch contains merges ({merged}): rebase it onto its base instead")
    _say(f"{len(found)} files, {len(refused)} refused")
    return 1 if refused or merged else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
