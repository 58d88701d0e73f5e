"""A record before it is signed: read, and judged as the receiver will judge it. Nothing is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from bench.errors import RecordError, UsageError
from bench.records.enums import Provenance
from bench.records.findings import RecordFindings
from bench.records.record import Record
from bench.records.submission import HANDLE, MAX_NOTE
from bench.store.privacy import names_revealed, revealed
from bench.store.record_files import find_records, read_unverified
from bench.store.untrusted import kind_of
from bench.text import clean
from bench.validate.candidate import Candidate, Found
from bench.validate.document import Rule, findings
from bench.validate.privacy import private_texts


@dataclass(frozen=True)
class Draft:
    """A record to be sent, what its sender adds, and the findings about both."""

    record: Record
    document: dict[str, JsonValue]
    """The JSON of the record's file, which is signed unchanged."""
    handle: str | None
    note: str | None
    findings: RecordFindings


def draft(path: Path, now: datetime, *, handle: str | None, note: str | None) -> Draft:
    """Read and judge a record. Findings include names of this user and this computer.

    Raises:
        RecordError: the file is no record, or one that is not submitted.
        UsageError: no bundle can contain the handle or the note.
    """
    note = None if note is None else clean(note, len(note))
    _require_possible(handle, note)
    if kind_of(path) == "folder":
        raise RecordError(f"{path}: is a folder", hint="Name one record")
    (path,) = find_records(path)
    read = read_unverified(path)
    if read.sealed is not None:
        raise RecordError(f"{path}: is a bundle already", hint=f"Look at it: bench submit --verify {path}")
    if read.record.provenance is Provenance.DERIVED:
        raise RecordError(
            f"{path}: is a prediction, which is not submitted", hint="Measure it with bench run"
        )
    candidate = Candidate(read.record, read.document, read.is_intact, now)
    about = RecordFindings(
        file=clean(str(path)),
        record_id=read.record.record_id,
        content_hash=read.record.content_hash,
        findings=findings(candidate, _names, _added(handle, note)),
    )
    return Draft(read.record, read.document, handle, note, about)


def _require_possible(handle: str | None, note: str | None) -> None:
    if handle is not None and not re.fullmatch(HANDLE, handle):
        raise UsageError(
            f"--handle: '{clean(handle)}' is not a handle",
            hint="Use letters and digits, with . _ - between them, at most 39",
        )
    if note is not None and not 0 < len(note) <= MAX_NOTE:
        raise UsageError(f"--note: it has {len(note)} characters", hint=f"Use 1 to {MAX_NOTE}")


def _names(candidate: Candidate) -> Iterator[Found]:
    """Yield texts with names that only this computer knows to be names."""
    yield from private_texts(candidate.document, names_revealed)


def _added(handle: str | None, note: str | None) -> Rule:
    """The rule over what the sender adds. A handle may be the user's own name."""

    def rule(_: Candidate) -> Iterator[Found]:
        kinds = {
            "handle": None if handle is None else revealed(handle),
            "note": None if note is None else revealed(note) or names_revealed(note),
        }
        for name, kind in kinds.items():
            if kind is not None:
                yield Found("private_text", f"predicate.{name}", {"kind": kind})

    return rule
