"""The entries of one card page: the four answers of each record, with its card's other records looked at."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, Self

from bench.check.group import GroupKey
from bench.check.summary import Judged, RecordHead
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
from bench.site.known_keys import Confirmed, Revoked
from bench.site.main_group import main_group
from bench.site.shown import shown_findings, shown_head
from bench.site.states import Opened
from bench.text import clean
from bench.validate.candidate import Found
from bench.validate.document import MOST_OF_A_CODE, finding
from bench.validate.outliers import Figures, figures_of, noise_factor, outliers

_NOBODY: Final = Reproduction(confirmed=0, unconfirmed=0, cards=None, disagreeing=0)


@dataclass(frozen=True, slots=True)
class CardRecords:
    """The records of one model on one card, in every state, and those of them that measure it.

    `main` is the group of published weights on the real card; None where there is none.
    """

    opened: tuple[Opened, ...]
    main: GroupKey | None

    @classmethod
    def of(cls, opened: Sequence[Opened]) -> Self:
        """Records of one model and card."""
        return cls(tuple(opened), main_group(opened))

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


def entries_of(card: CardRecords) -> tuple[Entry, ...]:
    """Return the entries of a card, the newest first. Records of another kind of device compare apart."""
    measured = [one for one in card.opened if _is_measurement(card, one)]
    found: dict[str, Entry] = {}
    for kind, of_kind in _by_kind(measured).items():
        for one, agreement in _compared(of_kind, noise_factor(kind)):
            found[one.placed.id] = _entry(card, one, agreement)
    entries = (found.get(one.placed.id) or _entry(card, one, _NOBODY) for one in card.opened)
    return tuple(sorted(entries, key=_place, reverse=True))


def _by_kind(measured: Iterable[Opened]) -> Mapping[Literal["cpu", "cuda"], Sequence[Opened]]:
    found: dict[Literal["cpu", "cuda"], list[Opened]] = {}
    for one in measured:
        found.setdefault(one.head.device.kind, []).append(one)
    return found


def _compared(measured: Sequence[Opened], factor: float) -> Iterator[tuple[Opened, Reproduction]]:
    """Yield the records with their outliers as findings, and who agrees with each."""
    figures = figures_of((nth, one.judged.figures) for nth, one in enumerate(measured))
    owners = [_owner(one) for one in measured]
    far_off = _outliers(owners, figures, _sound(measured), factor)
    judged = _with_outliers(measured, far_off)
    published = frozenset(nth for nth, one in enumerate(judged) if one.state is State.PUBLISHED)
    agreements = reproduction(owners, figures, published, factor)
    for nth, one in enumerate(judged):
        yield one, agreements.get(nth, _NOBODY)


def _outliers(
    owners: Sequence[Owner], figures: Figures, sound: frozenset[int], factor: float
) -> Iterator[tuple[int, Found]]:
    """Yield the outliers. Keys are free: a record of an account is measured by those of other accounts."""
    identities = [owner.identity for owner in owners]
    of_accounts = frozenset(nth for nth, owner in enumerate(owners) if owner.holder is not None)
    for nth, found in outliers(identities, figures, sound, factor):
        if nth not in of_accounts:
            yield nth, found
    for nth, found in outliers(identities, figures, sound & of_accounts, factor):
        if nth in of_accounts:
            yield nth, found


def _owner(one: Opened) -> Owner:
    known = one.placed.known
    holder = known.account.holder if isinstance(known, Confirmed) else None
    return Owner(one.placed.id, one.placed.received.key_id, one.head.machine_key, holder)


def _is_measurement(card: CardRecords, one: Opened) -> bool:
    return one.state in SHOWN and card.apart(one.head) is None


def _sound(measured: Sequence[Opened]) -> frozenset[int]:
    """Return the numbers of the records that nobody doubts: no suspicious finding, and no revoked key."""
    return frozenset(
        nth
        for nth, one in enumerate(measured)
        if not (_count(one.findings, Severity.SUSPICIOUS) or isinstance(one.placed.known, Revoked))
    )


def _with_outliers(measured: Sequence[Opened], far_off: Iterable[tuple[int, Found]]) -> list[Opened]:
    """Return the records with their outliers as findings: those hold a record that nobody has published."""
    found: dict[int, list[Finding]] = {}
    for nth, outlier in far_off:
        of_record = found.setdefault(nth, [])
        if len(of_record) < MOST_OF_A_CODE:
            of_record.append(finding(outlier))
    return [_held(one, found[nth]) if nth in found else one for nth, one in enumerate(measured)]


def _held(one: Opened, found: Sequence[Finding]) -> Opened:
    state = State.HELD if one.placed.reason is None else State.PUBLISHED
    findings = sorted((*one.findings, *found), key=lambda each: SEVERITY_ORDER[each.severity])
    return replace(one, findings=tuple(findings), state=state)


def _entry(card: CardRecords, one: Opened, agreement: Reproduction) -> Entry:
    placed = one.placed
    return Entry(
        id=placed.id,
        path=clean(placed.received.path),
        head=shown_head(one),
        state=one.state,
        reason=placed.reason,
        keeper=placed.keeper,
        apart=card.apart(one.head),
        findings=shown_findings(one),
        answers=Answers(
            integrity=_integrity(one.judged),
            identity=_identity(one),
            plausibility=_plausibility(one.findings),
            reproduction=agreement,
        ),
        freshness=placed.freshness,
    )


def _identity(one: Opened) -> Identity:
    """Who signed. Of a record that is not shown no account is named: its owner chose the name."""
    placed, known = one.placed, one.placed.known
    found = Identity(key_id=placed.received.key_id, first_seen=placed.first_seen)
    if isinstance(known, Revoked):
        return found.model_copy(update={"revoked": known.reason})
    if known is None or one.state not in SHOWN:
        return found
    account = {"account": known.account.name, "account_url": known.account.url, "confirmed_at": known.at}
    return found.model_copy(update=account)


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
