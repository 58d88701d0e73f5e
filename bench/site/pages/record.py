"""The page of one record: the four answers, the findings, and its figures as tables."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench.records.check import Check
from bench.report import html
from bench.report.basics import Fact
from bench.report.details import Details
from bench.report.interface import Row, View
from bench.report.view import build_view
from bench.site import places
from bench.site.interface import Entry, RecordPage, State
from bench.site.pages import layout
from bench.site.pages.answer_words import four_answers
from bench.site.pages.freshness_words import SHOWS, SHOWS_NOT, freshness
from bench.site.pages.state_words import apart, state
from bench.text import MAX_NAME, clean
from bench.wording.findings import SEVERITIES
from bench.wording.labels import PROVENANCES, WEIGHTS

MAX_FINDINGS: Final = 100
"""Findings on a page; `bench validate` lists all."""


def render(page: RecordPage) -> str:
    """Return the page. Without figures it has the answers, and findings or the record that came first."""
    entry = page.entry
    template = "tombstone.html.j2" if entry.state is State.WITHDRAWN else "record.html.j2"
    view = None if page.check is None else _view(page.check)
    head = entry.head
    return layout.render(
        template,
        places.record_page(entry.id),
        {
            "entry": entry,
            "subject": (clean(head.model.name, MAX_NAME), clean(head.device.name, MAX_NAME)),
            "state": state(entry),
            "apart": None if entry.apart is None else apart(entry.apart),
            "answers": four_answers(entry.answers),
            "freshness": freshness(entry),
            "shows": SHOWS,
            "shows_not": SHOWS_NOT,
            "findings": entry.findings[:MAX_FINDINGS],
            "findings_left_out": len(entry.findings[MAX_FINDINGS:]),
            "severities": {severity: one for severity, (one, _several) in SEVERITIES.items()},
            "facts": () if page.check is None else tuple(_facts(page)),
            "order_is_known": page.order_is_known,
            "values": None if view is None else html.table_values(view),
            "view": view,
            "card_page": places.card_page(head.model.name, head.device.slug),
            "keeper_page": None if entry.keeper is None else places.record_page(entry.keeper),
            "json_file": places.record_json(entry.id).rpartition("/")[2],
            "bundle_file": places.record_bundle(entry.id).rpartition("/")[2] if page.bundle else None,
            "record_page": places.record_page,
        },
    )


def _view(check: Check) -> View:
    """Return the view of a single record, whose figures need not name the number of records."""
    view = build_view(check, Details())
    return replace(
        view,
        frontier=tuple(replace(row, basis="") for row in view.frontier),
        grids=tuple(replace(grid, rows=tuple(map(_without_basis, grid.rows))) for grid in view.grids),
    )


def _without_basis(row: Row) -> Row:
    return replace(row, figures={name: replace(each, variation="") for name, each in row.figures.items()})


def _facts(page: RecordPage) -> Iterator[Fact]:
    """Who sent what, and with what it was made."""
    entry = page.entry
    head, judged = entry.head, entry.head.judged
    yield Fact("Date of the run", f"{head.created_at:%Y-%m-%d %H:%M} UTC")
    yield Fact("Suite", clean(head.suite, MAX_NAME))
    yield Fact("Figures", f"{PROVENANCES[head.provenance]}, {WEIGHTS[head.model.weight_mode]}")
    yield Fact("Software", _software(entry))
    yield Fact("Machine", "not known" if head.machine_key is None else f"key {clean(head.machine_key)[:16]}")
    yield Fact("Content hash", head.hash)
    if judged is not None:
        yield from (
            Fact(label, clean(text))
            for label, text in (
                ("Key", judged.key_id),
                ("Handle, as the sender chose it", judged.handle),
                ("Note of the sender", judged.note),
                ("Licence", judged.license),
            )
            if text
        )
    yield Fact("File", clean(entry.path))


def _software(entry: Entry) -> str:
    found = entry.head.software
    versions = (
        ("bench", found.bench_version),
        ("torch", found.torch),
        ("transformers", found.transformers),
        ("Python", found.python),
        ("driver", found.driver),
    )
    return clean(", ".join([*(f"{name} {version}" for name, version in versions if version), found.os]))
