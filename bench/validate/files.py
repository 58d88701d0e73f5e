"""Files to be judged: records and bundles, each by itself."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from bench.errors import RecordError
from bench.records.findings import RecordFindings
from bench.store.bundle import Sealed
from bench.store.record_files import measured_records, read_unverified, without_search_for_cycles
from bench.text import clean
from bench.validate.candidate import Candidate, Found
from bench.validate.document import Rule, findings


def judged(paths: Iterable[Path], now: datetime, others: Path | None = None) -> Iterator[RecordFindings]:
    """Yield the findings about each file; for what is no record the reason in place of them.

    `others` is the folder of other records with which each is compared.
    """
    for path in paths:
        yield judge(path, now, others)


def judge(path: Path, now: datetime, others: Path | None = None) -> RecordFindings:
    """Return the findings about one file."""
    with without_search_for_cycles():
        return _judge(path, now, others)


def _judge(path: Path, now: datetime, others: Path | None) -> RecordFindings:
    try:
        read = read_unverified(path)
    except RecordError as error:
        return RecordFindings(
            file=clean(str(path)), record_id=None, content_hash=None, refusal=clean(str(error)), findings=()
        )
    candidate = Candidate(read.record, read.document, read.is_intact, now)
    sealed = () if read.sealed is None else (_signature(read.sealed, is_intact=read.is_intact),)
    return RecordFindings(
        file=clean(str(path)),
        record_id=read.record.record_id,
        content_hash=read.record.content_hash,
        findings=findings(candidate, *sealed, *(() if others is None else (_against(others),))),
    )


def _signature(sealed: Sealed, *, is_intact: bool) -> Rule:
    """The rule over the bundle that a record was in."""
    from bench.identity.envelope import bundle_of
    from bench.validate.signature import signature

    bundle = bundle_of(sealed, is_intact=is_intact)
    return lambda _: signature(bundle)


def _against(folder: Path) -> Rule:
    """The rule that compares with the records of the same model and card below a folder."""
    from bench.validate.against import against

    def rule(candidate: Candidate) -> Iterator[Found]:
        record = candidate.record
        others, _ = measured_records(folder, record.model.name, record.device.slug)
        yield from against(candidate, others)

    return rule
