"""Entries of the site, made from good records."""

from typing import Final

from bench.check.summarise import summarise
from bench.check.summary import CellSummary, Judged
from bench.records.record import Record
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


def cells(record: Record) -> tuple[CellSummary, ...]:
    """Return the cells of a record as the index keeps them."""
    return summarise(record).cells
