"""Entries of the site, made from good records."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.check.group import GroupKey
from bench.check.summarise import summarise
from bench.check.summary import CellSummary, Judged, RecordHead, brief_of
from bench.records.record import Record
from bench.site.commit_order import History
from bench.site.decisions import Decisions
from bench.site.interface import (
    Answers,
    Entry,
    Identity,
    Integrity,
    Plausibility,
    Plausible,
    Reproduction,
    Signature,
    State,
)
from bench.site.known_keys import NO_KEYS, KnownKeys
from bench.site.states import Opened, Received, in_order, place
from bench.validate.reading import read_judged

ANSWERS: Final = Answers(
    integrity=Integrity(signature=Signature.UNSIGNED, hash_holds=True),
    identity=Identity(key_id=None, first_seen=None),
    plausibility=Plausibility(answer=Plausible.PLAUSIBLE, errors=0, suspicious=0, notes=0),
    reproduction=Reproduction(confirmed=0, unconfirmed=0, cards=None, disagreeing=0),
)
UNSIGNED: Final = Judged(
    file_sha256="0" * 64,
    key_id=None,
    signature_holds=False,
    hash_holds=True,
    handle=None,
    note=None,
    license=None,
    findings=(),
    series=(),
    figures=(),
)


def entry(record: Record) -> Entry:
    """Return the entry of an unsigned, published record."""
    head = summarise(record).head.model_copy(update={"judged": UNSIGNED})
    return Entry(
        id=head.hash.removeprefix("sha256:")[:16],
        path=f"{record.record_id}.json",
        head=head,
        state=State.PUBLISHED,
        findings=(),
        answers=ANSWERS,
    )


def received_of(head: RecordHead, path: str, committed_at: datetime | None = None) -> Received:
    """Return a judged record as a file of the results."""
    return Received(path, GroupKey.of(head), brief_of(head), committed_at)


def opened(
    paths: Sequence[Path], root: Path, decisions: Decisions, known_keys: KnownKeys = NO_KEYS
) -> list[Opened]:
    """Return files, read and placed in the order of their names; no history is known."""
    heads = {str(path.absolute()): read_judged(path).head for path in paths}
    briefs = [(path, GroupKey.of(head), brief_of(head)) for path, head in heads.items()]
    placed = place(in_order(briefs, root, History(is_known=False)), decisions, known_keys)
    return [Opened.of(one, heads[str(root.absolute() / one.received.path)]) for one in placed]


def cells(record: Record) -> tuple[CellSummary, ...]:
    """Return the cells of a record as the index keeps them."""
    return summarise(record).cells
