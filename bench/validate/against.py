"""A record against other records of its card, each key of which counts once.

What is far from them is not wrong: it is held for a person, with the numbers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.check.group import GroupKey
from bench.check.summarise import summarise
from bench.check.summary import RecordSummary
from bench.errors import RecordError
from bench.records.enums import Provenance
from bench.records.findings import Severity
from bench.records.record import Record
from bench.store.record_files import records_of
from bench.validate.candidate import Found
from bench.validate.outliers import compared, figures_of, noise_factor, outliers
from bench.validate.reading import read_judged
from bench.validate.repeat_digests import record_digests

_OWN: Final = 0
"""Number of the record that is judged, among the owners of figures."""


@dataclass(frozen=True, slots=True)
class Other:
    """A measured record without errors and suspicious findings.

    `key_id`: of the key that signed it; None for nobody's. `claims`: its hash and the digests of its raw
    times, by which a copy is found.
    """

    summary: RecordSummary
    key_id: str | None
    claims: frozenset[str]


def others_below(folder: Path, model: str, slug: str) -> tuple[Other, ...]:
    """Return the records of a model and card below a folder, by name. A file that is no record is left out.

    Raises:
        RecordError: the folder of the card cannot be read.
    """
    return tuple(_sound(records_of(folder, model, slug)))


def _sound(paths: Iterable[Path]) -> Iterator[Other]:
    for path in paths:
        try:
            summary = read_judged(path)
        except RecordError:
            continue
        head, judged = summary.head, summary.head.judged
        if judged is None or head.provenance is not Provenance.MEASURED:
            continue
        if all(each.severity is Severity.NOTE for each in judged.findings):
            yield Other(summary, judged.signer, frozenset((head.hash, *judged.series)))


def against(record: Record, key_id: str | None, others: Sequence[Other]) -> Iterator[Found]:
    """Yield the figures far from those of the other keys with records of the same model and card.

    `key_id`: of the key that signed the record; None for nobody's. Of two copies among the others the first
    one counts, and no copy of the record itself does.
    """
    if record.provenance is not Provenance.MEASURED:
        return
    own = summarise(record)
    counted = list(_without_copies(record, (one for one in others if _is_of_one_card(own, one.summary))))
    figures = figures_of(enumerate(map(compared, (own.cells, *(one.summary.cells for one in counted)))))
    keys = (key_id, *(one.key_id for one in counted))
    unsuspicious = frozenset(range(_OWN + 1, len(keys)))
    for owner, found in outliers(keys, figures, unsuspicious, noise_factor(record.device.kind)):
        if owner == _OWN:
            yield found


def _is_of_one_card(own: RecordSummary, other: RecordSummary) -> bool:
    is_of_kind = other.head.device.kind == own.head.device.kind
    return is_of_kind and GroupKey.of(other.head) == GroupKey.of(own.head)


def _without_copies(record: Record, others: Iterable[Other]) -> Iterator[Other]:
    claimed = {record.content_hash, *record_digests(record)}
    for other in others:
        if claimed.isdisjoint(other.claims):
            yield other
        claimed |= other.claims
