"""The page of a model on a card: the report of its records or of its prediction, and the list of records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench import units
from bench.report import html
from bench.report.details import Details
from bench.report.interface import View
from bench.report.plots.build import plots
from bench.report.plots.page import inline
from bench.report.view import build_view
from bench.site import places
from bench.site.interface import SHOWN, CardPage, Entry, State
from bench.site.pages import layout
from bench.site.pages.answer_words import AnswerWords, four_answers, shared_answers
from bench.site.pages.state_words import StateWords, apart, state
from bench.site.states import SHORT
from bench.text import MAX_NAME, clean

PLOT_SCRIPTS: Final = ("assets/vega.js", "assets/plots.js")
MAX_ROWS: Final = 500
"""Records of each table; the data files have all of them."""
_FINDINGS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record in a table. `figures`: of a record that may show them. `remarks`: why it is not published."""

    id: str
    href: str
    date: str
    handle: str
    state: StateWords
    answers: tuple[AnswerWords, ...]
    figures: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """A table of records, the newest first."""

    title: str
    note: str
    rows: tuple[RecordRow, ...]
    left_out: int


def render(page: CardPage) -> str:
    """Return the page."""
    path = places.card_page(page.model, page.slug)
    shown = page.prediction if page.check is None else page.check
    shared: dict[str, object] = {
        "page": page,
        "subject": (clean(page.model, MAX_NAME), clean(page.name, MAX_NAME)),
        "tables_of_records": tuple(_tables(page)),
        "answers": shared_answers([entry.answers for entry in page.entries if entry.counts]),
        "is_prediction": page.is_prediction,
        "check_file": places.card_check(page.model, page.slug).rpartition("/")[2],
        "contribute": places.CONTRIBUTE,
    }
    if shown is None:
        return layout.render("card_without_figures.html.j2", path, shared)
    view = build_view(shown, Details())
    if page.is_prediction:  # whose records are one for each system, and nobody's
        view = replace(view, stamp_basis="")
    values = html.table_values(view)
    figures = plots(values["view"])
    policy = layout.policy(has_scripts=bool(figures.figures), has_inline_styles=bool(figures.figures))
    return (
        layout.environment()
        .get_template("card.html.j2")
        .render(
            {
                **layout.frame(path, policy),
                **values,
                **shared,
                "lists_sources": False,
                "plots": figures,
                "inline": inline(figures),
                "plot_scripts": PLOT_SCRIPTS,
                "predicted_view": None if page.check is None else _predicted(page),
            }
        )
    )


def _predicted(page: CardPage) -> View | None:
    """Return the view of the prediction, for its answer next to the measured figures."""
    return None if page.prediction is None else build_view(page.prediction, Details())


# --- records ----------------------------------------------------------------------------------------------


def _tables(page: CardPage) -> Iterable[Records]:
    counted = [entry for entry in page.entries if entry.state is State.PUBLISHED]
    others = [entry for entry in page.entries if entry.state is not State.PUBLISHED]
    order = "" if page.order_is_known else " No history says which of two equal records came first."
    if counted:
        yield _records("Published", "Their figures are in the medians of this page.", counted)
    if others:
        note = "Held, refused, repeated and withdrawn records. They are in no median."
        yield _records("Not published", note + order, others)
    if page.others:
        note = "They say something about memory and kernels, and never mix with the published weights."
        yield _records("Smoke runs, emulated cards, local or random weights, predictions", note, page.others)


def _records(title: str, note: str, entries: Sequence[Entry]) -> Records:
    rows = tuple(map(_row, entries[:MAX_ROWS]))
    return Records(title, note, rows, len(entries[MAX_ROWS:]))


def _row(entry: Entry) -> RecordRow:
    head = entry.head
    handle = None if head.judged is None else head.judged.handle
    shows_figures = entry.state in SHOWN
    return RecordRow(
        id=entry.id if len(entry.id) <= SHORT else f"{entry.id[:SHORT]}…",
        href=places.record_page(entry.id),
        date=f"{head.created_at:%Y-%m-%d}",
        handle=clean(handle or "", MAX_NAME),
        state=state(entry) if entry.apart is None else apart(entry.apart),
        answers=() if entry.state is State.WITHDRAWN else four_answers(entry.answers),
        figures=_figures(entry) if shows_figures else "",
        remarks=tuple(_remarks(entry)),
    )


def _figures(entry: Entry) -> str:
    """`600 s ran with 1,024 tokens`, the longest clip of the record; empty where there is none."""
    known = [line for line in entry.head.lines if line.longest_fit_s is not None]
    if not known:
        return ""
    best = max(known, key=lambda line: (line.longest_fit_s or 0.0, line.max_tokens))
    length, tokens = units.clip_length(best.longest_fit_s or 0.0), f"{best.max_tokens:,} tokens"
    return (
        f"predicted: fits up to {length} with {tokens}"
        if best.is_predicted
        else f"{length} ran with {tokens}"
    )


def _remarks(entry: Entry) -> Iterable[str]:
    if entry.reason is not None:
        yield clean(entry.reason)
    if entry.state is State.REFUSED:
        yield _counted(len(entry.findings), "")
    revoked = entry.answers.identity.revoked
    if revoked is not None:
        yield f"The key was revoked: {clean(revoked)}"
    if entry.state is State.HELD:
        yield from (finding.sentence for finding in entry.findings[:_FINDINGS_SHOWN])
        if left := len(entry.findings[_FINDINGS_SHOWN:]):
            yield _counted(left, "more ")


def _counted(findings: int, more: str) -> str:
    return f"{findings:,} {more}finding{'' if findings == 1 else 's'}."
