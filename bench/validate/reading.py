"""A file of the results as the index keeps it: read once, summarised, judged by the validator."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.check.summarise import summarise
from bench.check.summary import CellSummary, Judged, RecordSummary
from bench.identity.envelope import bundle_of
from bench.store.canonical import content_hash
from bench.store.record_files import Unverified, content_of, unverified
from bench.text import clean, name
from bench.validate.candidate import Candidate
from bench.validate.document import findings
from bench.validate.outliers import compared
from bench.validate.prediction import outside_prediction
from bench.validate.repeat_digests import record_digests
from bench.validate.signature import signature

NO_CLOCK: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Reading asks for no time: the date of a record is compared with that of its commit, later."""


def read_judged(path: Path) -> RecordSummary:
    """Return the summary of a file with the findings about it. Its hash may be wrong: that is a finding.

    Raises:
        RecordError: the file is no record.
    """
    return judged_content(content_of(path), str(path))


def judged_content(content: bytes, path: str) -> RecordSummary:
    """The same of the bytes of a file; `path` is what messages call it.

    Raises:
        RecordError: they are no record.
    """
    read = unverified(content, path)
    summary = summarise(read.record)
    judged = _judged(content, read, summary.cells)
    head = summary.head.model_copy(update={"hash": _hash(read), "judged": judged})
    return summary.model_copy(update={"head": head})


def _hash(read: Unverified) -> str:
    """Return the hash of the content, whatever the file states: an edited copy is another record."""
    return read.record.content_hash if read.is_intact else content_hash(read.document)


def _judged(content: bytes, read: Unverified, cells: Sequence[CellSummary]) -> Judged:
    candidate = Candidate(read.record, read.document, read.is_intact, NO_CLOCK)
    bundle = None if read.sealed is None else bundle_of(read.sealed, is_intact=read.is_intact)
    sent = None if bundle is None else bundle.submission
    rules = (outside_prediction,) if bundle is None else (outside_prediction, lambda _: signature(bundle))
    return Judged(
        file_sha256=hashlib.sha256(content).hexdigest(),
        key_id=None if bundle is None else bundle.key_id,
        signature_holds=bundle is not None and bundle.is_signed,
        hash_holds=read.is_intact,
        handle=None if sent is None else name(sent.handle),
        note=None if sent is None or sent.note is None else clean(sent.note),
        license=None if sent is None else sent.license,
        findings=findings(candidate, *rules),
        series=tuple(record_digests(read.record)),
        figures=tuple(compared(cells)),
    )
