"""Files to be judged: records, each by itself."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from bench.errors import RecordError
from bench.records.findings import RecordFindings
from bench.store.record_files import read_unverified
from bench.text import clean
from bench.validate.candidate import Candidate
from bench.validate.document import findings


def judged(paths: Iterable[Path], now: datetime) -> Iterator[RecordFindings]:
    """Yield the findings about each file; for what is no record the reason in place of them."""
    for path in paths:
        yield judge(path, now)


def judge(path: Path, now: datetime) -> RecordFindings:
    """Return the findings about one file."""
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
        findings=findings(candidate),
    )
