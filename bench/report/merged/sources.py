"""What only a merged view has: the records that it is made of, and where they disagree."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final
from urllib.parse import quote

from bench.records.check import Check, CheckRecord
from bench.report import labels
from bench.report.interface import Merged, Source
from bench.report.merged.rows import FITS, basis, disagreements

MAX_DISAGREEMENTS: Final = 200
MAX_SOURCES: Final = 500
"""More than these nobody reads: `check.json` has all of them."""


def merged(check: Check) -> Merged:
    """The newest records first, and every disagreement, each up to a bound."""
    every = chain.from_iterable(map(disagreements, check.rows))
    found = sorted(every, key=lambda one: one.what != FITS)  # what says most comes first
    numbers = [record.machine for record in check.records]
    machines = None if None in numbers else len(set(numbers))
    counted = basis(None, len(check.records))
    return Merged(
        basis=counted if machines is None else f"{counted}, {basis(machines, 0)}",
        sources=tuple(map(_source, islice(reversed(check.records), MAX_SOURCES))),
        sources_left_out=max(0, len(check.records) - MAX_SOURCES),
        disagreements=tuple(found[:MAX_DISAGREEMENTS]),
        disagreements_left_out=len(found[MAX_DISAGREEMENTS:]),
    )


def disagreement(told: Merged) -> Iterator[str]:
    """What a reader must know of it before any figure: how many, and one of them."""
    count = len(told.disagreements) + told.disagreements_left_out
    if count:
        first = told.disagreements[0]
        figures = "1 figure" if count == 1 else f"{count:,} figures"
        more = "" if count == 1 else ", the first of them"
        what = first.what[:1].lower() + first.what[1:]
        yield f"The records disagree beyond noise in {figures}{more}: {first.cell}, {what}: {first.found}."


def _source(record: CheckRecord) -> Source:
    return Source(
        record_id=record.id,
        content_hash=record.hash,
        date=f"{record.created_at:%Y-%m-%d %H:%M}",
        provenance=labels.PROVENANCES[record.provenance],
        weights=labels.WEIGHTS[record.weight_mode],
        suite=record.suite,
        verdict=labels.VERDICTS[record.verdict][0],
        machine="not known" if record.machine is None else f"{record.machine}",
        link="" if record.path is None else quote(record.path),
    )
