"""Pages of made-up entries: what the site shows of sample records."""

from typing import Final, TypedDict, Unpack

from bench.check.document import merge
from bench.check.summarise import summarise
from bench.check.summary import Judged
from bench.records.findings import Code, Finding, severity_of
from bench.records.record import Record
from bench.report.overview import entry as overview_row
from bench.report.view import view_of
from bench.site import places
from bench.site.interface import (
    Answers,
    Apart,
    CardPage,
    CardSummary,
    Entry,
    Identity,
    Integrity,
    Plausibility,
    Plausible,
    RecordPage,
    Reproduction,
    Signature,
    SiteIndex,
    State,
)
from bench.wording.findings import remedy, sentence

NOTHING: Final = {
    "published": 0,
    "held": 0,
    "refused": 0,
    "withdrawn": 0,
    "others": 0,
    "keys": 0,
    "reproduced": 0,
    "confirmed": 0,
}
KEY: Final = "1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c5b6a7988"
NOBODY: Final = Reproduction(confirmed=0, unconfirmed=0, cards=None, disagreeing=0)


def summary(
    record: Record,
    *,
    model: str = "MOSS-Audio-4B-Instruct",
    slug: str = "rtx-4070",
    is_prediction: bool = True,
    **counts: int,
) -> CardSummary:
    """A row of the front page."""
    view = view_of(record)
    return CardSummary(
        model=model,
        slug=slug,
        name=view.identity.gpu,
        row=overview_row(view, tuple(places.card_page(model, slug).split("/"))),
        is_prediction=is_prediction,
        **{**NOTHING, **counts},
    )


def index(*cards: CardSummary, records: int = 0) -> SiteIndex:
    """What the front page shows."""
    return SiteIndex(cards=cards, records=records, newest=None, order_is_known=True)


def finding(
    code: Code, path: str = "$.cells[0].summary.decode_tokens_per_s", **facts: float | str
) -> Finding:
    """A finding in its words."""
    return Finding(
        code=code,
        severity=severity_of(code),
        path=path,
        facts=dict(facts),
        sentence=sentence(code, facts),
        remedy=remedy(code),
    )


def answers(
    *,
    signature: Signature = Signature.SIGNED,
    hash_holds: bool = True,
    key_id: str | None = KEY,
    plausible: Plausible = Plausible.PLAUSIBLE,
    findings: tuple[Finding, ...] = (),
    reproduction: Reproduction = NOBODY,
) -> Answers:
    """Four answers, that of a signed plausible record by default."""
    counts = [sum(one.severity == kind for one in findings) for kind in ("error", "suspicious", "note")]
    return Answers(
        integrity=Integrity(signature=signature, hash_holds=hash_holds),
        identity=Identity(key_id=key_id, first_seen=None),
        plausibility=Plausibility(answer=plausible, errors=counts[0], suspicious=counts[1], notes=counts[2]),
        reproduction=reproduction,
    )


class Given(TypedDict, total=False):
    """What differs from a published record of published weights."""

    state: State
    apart: Apart
    reason: str
    keeper: str
    handle: str
    note: str
    findings: tuple[Finding, ...]
    answers: Answers


def entry(record: Record, **given: Unpack[Given]) -> Entry:
    """One record of the site."""
    findings = given.get("findings", ())
    judged = Judged(
        file_sha256="0" * 64,
        key_id=KEY,
        signature_holds=True,
        hash_holds=True,
        handle=given.get("handle"),
        note=given.get("note"),
        license="CC0-1.0",
        findings=findings,
        series=(),
        figures=(),
    )
    return Entry(
        id=record.content_hash.removeprefix("sha256:")[:16],
        path=f"results/{record.record_id}.bundle.json",
        head=summarise(record).head.model_copy(update={"judged": judged}),
        state=given.get("state", State.PUBLISHED),
        reason=given.get("reason"),
        keeper=given.get("keeper"),
        apart=given.get("apart"),
        findings=findings,
        answers=given.get("answers", answers(findings=findings)),
    )


def record_page(
    record: Record, *, shows_figures: bool = True, order_is_known: bool = True, **given: Unpack[Given]
) -> RecordPage:
    """The page of a record."""
    return RecordPage(
        entry=entry(record, **given),
        check=merge((summarise(record),)) if shows_figures else None,
        bundle=True,
        order_is_known=order_is_known,
    )


def card_page(
    *records: Record,
    prediction: Record | None = None,
    entries: tuple[Entry, ...] = (),
    others: tuple[Entry, ...] = (),
    slug: str = "rtx-4070",
    name: str = "NVIDIA GeForce RTX 4070",
) -> CardPage:
    """The page of a card whose figures are those of these records."""
    return CardPage(
        model="MOSS-Audio-4B-Instruct",
        slug=slug,
        name=name,
        check=merge(map(summarise, records)) if records else None,
        prediction=None if prediction is None else merge((summarise(prediction),)),
        entries=entries,
        others=others,
        order_is_known=True,
    )
