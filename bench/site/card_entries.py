"""The entries of one card page: the four answers of each record, with its card's other records looked at."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, Self

from bench.check.group import GroupKey
from bench.check.summary import CellSummary, Judged, RecordHead
from bench.records.enums import Provenance, WeightMode
from bench.records.findings import SEVERITY_ORDER, Finding, Severity
from bench.site.card_figures import Owner, reproduction
from bench.site.interface import (
    SHOWN,
    Answers,
    Apart,
    Entry,
    Identity,
    Integrity,
    Plausibility,
    Plausible,
    Reproduction,
    Signature,
    State,
)
from bench.site.main_group import main_group
from bench.site.shown import shown_findings, shown_head
from bench.site.states import Placed
from bench.text import clean
from bench.validate.candidate import Found
from bench.validate.document import MOST_OF_A_CODE, finding
from bench.validate.outliers import figures_of, noise_factor, outliers

_NOBODY: Final = Reproduction(confirmed=0, unconfirmed=0, cards=None, disagreeing=0)
ReadCells = Callable[[str], Sequence[CellSummary]]
"""Returns the cells of a file, by its path below the results."""


@dataclass(frozen=True, slots=True)
class CardRecords:
    """The records of one model on one card, in every state, and those of them that measure it.

    `main` is the group of published weights on the real card; None where there is none.
    """

    model: str
    slug: str
    placed: tuple[Placed, ...]
    main: GroupKey | None

    @classmethod
    def of(cls, placed: Sequence[Placed]) -> Self:
        """Records of one model and card."""
        head = placed[0].received.head
        return cls(head.model.name, head.device.slug, tuple(placed), main_group(placed))

    def apart(self, head: RecordHead) -> Apart | None:
        """Why a record does not count among measurements of published weights; None: it does."""
        if head.provenance is Provenance.DERIVED:
            return Apart.PREDICTION
        if head.provenance is Provenance.SMOKE or head.model.weight_mode is WeightMode.TINY:
            return Apart.SMOKE
        if head.emulation is not None or head.provenance is Provenance.EMULATED:
            return Apart.EMULATED
        if head.model.weight_mode is WeightMode.RANDOM:
            return Apart.RANDOM
        is_main = head.model.weight_mode is WeightMode.HUB and GroupKey.of(head) == self.main
        return None if is_main else Apart.LOCAL


def entries_of(card: CardRecords, read: ReadCells) -> tuple[Entry, ...]:
    """Return the entries of a card, the newest first. Records of another kind of device compare apart."""
    measured = [one for one in card.placed if _is_measurement(card, one)]
    found: dict[str, Entry] = {}
    for kind, of_kind in _by_kind(measured).items():
        for one, agreement in _compared(of_kind, read, noise_factor(kind)):
            found[one.id] = _entry(card, one, agreement)
    entries = (found.get(one.id) or _entry(card, one, _NOBODY) for one in card.placed)
    return tuple(sorted(entries, key=_place, reverse=True))


def _by_kind(measured: Iterable[Placed]) -> Mapping[Literal["cpu", "cuda"], Sequence[Placed]]:
    found: dict[Literal["cpu", "cuda"], list[Placed]] = {}
    for one in measured:
        found.setdefault(one.received.head.device.kind, []).append(one)
    return found


def _compared(
    measured: Sequence[Placed], read: ReadCells, factor: float
) -> Iterator[tuple[Placed, Reproduction]]:
    """Yield the records with their outliers as findings, and who agrees with each."""
    figures = figures_of((nth, read(one.received.path)) for nth, one in enumerate(measured))
    owners = [Owner(one.id, one.received.key_id, one.received.head.machine_key) for one in measured]
    keys = [owner.key_id for owner in owners]
    far_off = outliers(keys, figures, _sound(measured), factor)
    judged = _with_outliers(measured, far_off)
    published = frozenset(nth for nth, one in enumerate(judged) if one.state is State.PUBLISHED)
    agreements = reproduction(owners, figures, published, factor)
    for nth, one in enumerate(judged):
        yield one, agreements.get(nth, _NOBODY)


def _is_measurement(card: CardRecords, one: Placed) -> bool:
    return one.state in SHOWN and card.apart(one.received.head) is None


def _sound(measured: Sequence[Placed]) -> frozenset[int]:
    """Return the numbers of the records that have no suspicious finding of their own."""
    return frozenset(nth for nth, one in enumerate(measured) if not _count(one.findings, Severity.SUSPICIOUS))


def _with_outliers(measured: Sequence[Placed], far_off: Iterable[tuple[int, Found]]) -> list[Placed]:
    """Return the records with their outliers as findings: those hold a record that nobody has published."""
    found: dict[int, list[Finding]] = {}
    for nth, outlier in far_off:
        of_record = found.setdefault(nth, [])
        if len(of_record) < MOST_OF_A_CODE:
            of_record.append(finding(outlier))
    return [_held(one, found[nth]) if nth in found else one for nth, one in enumerate(measured)]


def _held(one: Placed, found: Sequence[Finding]) -> Placed:
    state = State.HELD if one.reason is None else State.PUBLISHED
    findings = sorted((*one.findings, *found), key=lambda each: SEVERITY_ORDER[each.severity])
    return replace(one, findings=tuple(findings), state=state)


def _entry(card: CardRecords, one: Placed, agreement: Reproduction) -> Entry:
    return Entry(
        id=one.id,
        path=clean(one.received.path),
        head=shown_head(one),
        state=one.state,
        reason=one.reason,
        keeper=one.keeper,
        apart=card.apart(one.received.head),
        findings=shown_findings(one),
        answers=Answers(
            integrity=_integrity(one.received.judged),
            identity=Identity(key_id=one.received.key_id, first_seen=one.first_seen),
            plausibility=_plausibility(one.findings),
            reproduction=agreement,
        ),
    )


def _integrity(judged: Judged) -> Integrity:
    signature = Signature.SIGNED if judged.signature_holds else Signature.BROKEN
    if judged.key_id is None:
        signature = Signature.UNSIGNED
    return Integrity(signature=signature, hash_holds=judged.hash_holds)


def _plausibility(findings: Sequence[Finding]) -> Plausibility:
    errors, suspicious, notes = (_count(findings, severity) for severity in Severity)
    answer = Plausible.REFUSED if errors else Plausible.HELD if suspicious else Plausible.PLAUSIBLE
    return Plausibility(answer=answer, errors=errors, suspicious=suspicious, notes=notes)


def _count(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(each.severity is severity for each in findings)


def _place(entry: Entry) -> tuple[datetime, str]:
    return entry.head.created_at, entry.id
