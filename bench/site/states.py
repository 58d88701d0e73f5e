"""What becomes of each file by itself and by who came first: refused, replayed, withdrawn, held or not.

Nothing here looks at figures: `card_entries` compares the records of a card.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

from bench.check.group import GroupKey
from bench.check.summary import Brief, Judged, RecordHead
from bench.records.findings import Finding
from bench.site.commit_order import History
from bench.site.decisions import Decisions
from bench.site.interface import Freshness, State
from bench.site.known_keys import NO_KEYS, Confirmed, KnownKeys, Revoked
from bench.validate.contents import in_future
from bench.validate.document import finding

SHORT: Final = 16
"""Digits of the content hash in the id of an entry."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file of the results: `path` is below them, with slashes."""

    path: str
    group: GroupKey
    brief: Brief
    committed_at: datetime | None

    @property
    def key_id(self) -> str | None:
        """The key whose signature holds; None: nobody's."""
        return self.brief.signer


@dataclass(frozen=True, slots=True)
class Placed:
    """A file with what is known of it without figures. `state` is PUBLISHED where nothing speaks against it.

    `first_seen`: when the first record of its key was committed. `known`: what was decided about the key.
    """

    received: Received
    id: str
    state: State
    first_seen: datetime | None
    reason: str | None = None
    keeper: str | None = None
    known: Confirmed | Revoked | None = None
    freshness: Freshness | None = None


def in_order(
    briefs: Iterable[tuple[str, GroupKey, Brief]], results: Path, history: History
) -> list[Received]:
    """Return the files, the first committed first; files of one commit, and unknown ones, by name."""
    root = f"{results.absolute()}{os.sep}"
    found = []
    for path, group, brief in briefs:
        below = path.removeprefix(root).replace(os.sep, "/")
        commit = history.commits.get(below)
        place = len(history.commits) if commit is None else commit.place
        found.append((place, Received(below, group, brief, None if commit is None else commit.committed_at)))
    return [one for _, one in sorted(found, key=lambda found: (found[0], found[1].path))]


def place(
    received: Sequence[Received], decisions: Decisions, known_keys: KnownKeys = NO_KEYS
) -> list[Placed]:
    """Return each record once, in the same order. Copies of a file are left out.

    Of equal contents under several keys, and of equal repeats in several records, the first one counts.
    `known_keys`: what people decided about keys.

    Raises:
        RecordError: a decision names none of them.
    """
    first_seen = _first_seen(received)
    distinct = list(_distinct(received))
    keepers = _keepers(distinct)
    ids = _ids(distinct, keepers)
    hashes = {ids[nth]: _digits(one.received) for nth, one in enumerate(distinct)}
    decided = decisions.by_entry(hashes)
    placed = []
    for nth, one in enumerate(distinct):
        keeper = None if nth not in keepers else ids[keepers[nth]]
        key_id = one.received.key_id
        known = None if key_id is None else known_keys.get(key_id)
        state, reason = _state(ids[nth], one, keeper, decided, known)
        since = None if key_id is None else first_seen.get(key_id)
        placed.append(Placed(one.received, ids[nth], state, since, reason, keeper, known))
    return placed


@dataclass(frozen=True, slots=True)
class Opened:
    """A placed file with its head. `state` and `findings` are of it alone until others are known."""

    placed: Placed
    head: RecordHead
    judged: Judged
    state: State
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, placed: Placed, head: RecordHead) -> Self:
        """A file without what other records say of it.

        Raises:
            ValueError: it was read for another purpose.
        """
        if head.judged is None:
            raise ValueError(f"{placed.received.path} was not judged")
        findings = (*_dated(placed.received), *head.judged.findings)
        return cls(placed, head, head.judged, placed.state, findings)


class _Checked(NamedTuple):
    """A file, and whether a finding about it alone is an error."""

    received: Received
    is_wrong: bool


def _distinct(received: Sequence[Received]) -> Iterator[_Checked]:
    """Each content under each key once: a doubled file is one entry."""
    seen: set[tuple[str, str | None, bool]] = set()
    for one in received:
        is_wrong = one.brief.is_wrong or bool(_dated(one))
        copy = (one.brief.hash, one.brief.key_id, is_wrong)
        if copy not in seen:
            seen.add(copy)
            yield _Checked(one, is_wrong)


def _keepers(files: Sequence[_Checked]) -> Mapping[int, int]:
    """Return for each file that repeats an earlier one that one. A file with errors keeps nothing."""
    claimed: dict[str, int] = {}
    found: dict[int, int] = {}
    for nth, one in enumerate(files):
        claims = () if one.is_wrong else (one.received.brief.hash, *one.received.brief.series)
        if claimed.keys().isdisjoint(claims):
            claimed.update(dict.fromkeys(claims, nth))
        else:
            found[nth] = next(claimed[claim] for claim in claims if claim in claimed)
    return found


def _ids(files: Sequence[_Checked], keepers: Mapping[int, int]) -> Mapping[int, str]:
    """Return the id of each file. Those that count choose first.

    Two contents can share their first digits only on purpose: the later one gets all. The second file of one
    content gets the digits of its content and key: each entry has a page.
    """
    taken: set[str] = set()
    found: dict[int, str] = {}
    for nth in sorted(range(len(files)), key=lambda nth: (files[nth].is_wrong or nth in keepers, nth)):
        one = files[nth]
        whole = _digits(one.received)
        keyed = hashlib.sha256(f"{whole} {one.received.brief.key_id} {one.is_wrong}".encode()).hexdigest()
        found[nth] = next(each for each in (whole[:SHORT], whole, keyed) if each not in taken)
        taken.add(found[nth])
    return found


def _digits(received: Received) -> str:
    return received.brief.hash.removeprefix("sha256:")


def _dated(received: Received) -> tuple[Finding, ...]:
    """Return the error of a date after that of the commit; empty without one."""
    if received.committed_at is None:
        return ()
    return tuple(map(finding, in_future(received.brief.created_at, received.committed_at)))


def _state(
    entry_id: str,
    one: _Checked,
    keeper: str | None,
    decisions: Decisions,
    known: Confirmed | Revoked | None,
) -> tuple[State, str | None]:
    if entry_id in decisions.withdrawn:
        return State.WITHDRAWN, decisions.withdrawn[entry_id]
    if one.is_wrong:
        return State.REFUSED, None
    if keeper is not None:
        return State.REPLAYED, None
    is_doubtful = one.received.brief.is_suspicious or isinstance(known, Revoked)
    if is_doubtful and entry_id not in decisions.published:
        return State.HELD, None
    return State.PUBLISHED, decisions.published.get(entry_id)


def _first_seen(received: Sequence[Received]) -> Mapping[str, datetime]:
    found: dict[str, datetime] = {}
    for one in received:
        if one.key_id is not None and one.committed_at is not None:
            found.setdefault(one.key_id, one.committed_at)
    return found
