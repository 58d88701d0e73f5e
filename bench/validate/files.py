"""Files to be judged: records and bundles, each by itself, and with the other records of its card."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import RecordError
from bench.records.findings import RecordFindings
from bench.store.cycles import without_search_for_cycles
from bench.store.record_files import Unverified, read_unverified
from bench.text import clean
from bench.validate.candidate import Candidate
from bench.validate.document import Rule, findings

if TYPE_CHECKING:
    from bench.validate.against import Other

Others = Callable[[str, str], "Sequence[Other]"]
"""Returns the other records of a model and a card, by name and slug."""


def judged(paths: Iterable[Path], now: datetime, folder: Path | None = None) -> Iterator[RecordFindings]:
    """Yield the findings about each file; for what is no record the reason in place of them.

    `folder` is that of other records with which each is compared. Those of a card are read once for all files
    of the card that follow each other.
    """
    others = None if folder is None else _below(folder)
    for path in paths:
        yield judge(path, now, others)


def _below(folder: Path) -> Others:
    from bench.validate.against import others_below

    return lru_cache(maxsize=1)(partial(others_below, folder))


def judge(path: Path, now: datetime, others: Others | None = None) -> RecordFindings:
    """Return the findings about one file."""
    with without_search_for_cycles():
        return _judge(path, now, others)


def _judge(path: Path, now: datetime, others: Others | None) -> RecordFindings:
    try:
        read = read_unverified(path)
    except RecordError as error:
        return RecordFindings(
            file=clean(str(path)), record_id=None, content_hash=None, refusal=clean(str(error)), findings=()
        )
    candidate = Candidate(read.record, read.document, read.is_intact, now)
    return RecordFindings(
        file=clean(str(path)),
        record_id=read.record.record_id,
        content_hash=read.record.content_hash,
        findings=findings(candidate, *_more_rules(read, others)),
    )


def _more_rules(read: Unverified, others: Others | None) -> Iterator[Rule]:
    """Yield the rule over the bundle that a record was in, and those that compare it with others."""
    key_id = None
    if read.sealed is not None:
        from bench.identity.envelope import bundle_of
        from bench.validate.signature import signature

        bundle = bundle_of(read.sealed, is_intact=read.is_intact)
        key_id = bundle.key_id if bundle.is_signed else None
        yield lambda _: signature(bundle)
    if others is not None:
        from bench.validate.against import against
        from bench.validate.prediction import outside_prediction

        record = read.record
        yield outside_prediction
        yield lambda _: against(record, key_id, others(record.model.name, record.device.slug))
