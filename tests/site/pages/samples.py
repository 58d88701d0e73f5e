"""Rows of the front page."""

from bench.records.record import Record
from bench.report.overview import entry
from bench.report.view import view_of
from bench.site import places
from bench.site.interface import CardSummary, SiteIndex

NOTHING = {
    "published": 0,
    "held": 0,
    "refused": 0,
    "withdrawn": 0,
    "others": 0,
    "keys": 0,
    "reproduced": 0,
    "confirmed": 0,
}


def summary(
    record: Record,
    *,
    model: str = "MOSS-Audio-4B-Instruct",
    slug: str = "rtx-4070",
    is_prediction: bool = True,
    **counts: int,
) -> CardSummary:
    view = view_of(record)
    row = entry(view, tuple(places.card_page(model, slug).split("/")))
    return CardSummary(
        model=model,
        slug=slug,
        name=view.identity.gpu,
        row=row,
        is_prediction=is_prediction,
        **{**NOTHING, **counts},
    )


def index(*cards: CardSummary, records: int = 0) -> SiteIndex:
    return SiteIndex(cards=cards, records=records, newest=None, order_is_known=True)
