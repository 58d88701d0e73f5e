"""The files of one card: its page and check document, those of its records, its rows of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from bench.check.document import merge
from bench.check.index import Index
from bench.check.summary import RecordSummary
from bench.errors import RecordError
from bench.hardware.catalog import name_of
from bench.records.check import Check
from bench.report.details import traces_of
from bench.report.overview import entry as overview_row
from bench.report.view import build_view
from bench.site import places, tables
from bench.site.card_entries import CardRecords, entries_of
from bench.site.feed import MOST, feed_item
from bench.site.interface import SHOWN, CardPage, CardSummary, Entry, RecordPage, State
from bench.site.output import Output, Written
from bench.site.pages import render
from bench.site.predictions import prediction
from bench.site.states import Opened, Placed
from bench.site.units import CardUnit, RecordFiles, Units, fingerprint
from bench.store.bundle import is_envelope, unwrap
from bench.store.canonical import canonical, parse
from bench.store.record_files import MAX_RECORD_BYTES
from bench.store.untrusted import read_file
from bench.text import MAX_NAME, clean, decode


@dataclass(frozen=True, slots=True)
class Site:
    """What every card of a site is made from, and where its files go."""

    results: Path
    index: Index
    units: Units
    output: Output
    order_is_known: bool


def write_card(site: Site, model: str, slug: str, placed: Sequence[Placed]) -> CardUnit:
    """Write the files of a card, unless the last build made them from the same input.

    Raises:
        RecordError: a record was changed or removed meanwhile.
        StorageError: the disk refused a file.
    """
    name, made_from = _unit_name(model, slug), _made_from(site, placed)
    last = site.units.card(name)
    if last is not None and last.fingerprint == made_from and site.output.keep(_all_files(last)):
        return last
    unit, rows = _Card(site, model, slug, placed, last).write(made_from)
    return site.units.keep_card(name, unit, rows)


def _unit_name(model: str, slug: str) -> str:
    return f"card/{model}/{slug}"


def _all_files(unit: CardUnit) -> dict[str, Written]:
    found = dict(unit.files)
    for record in unit.records.values():
        found |= record.files
    return found


def _made_from(site: Site, placed: Sequence[Placed]) -> str:
    """Return the digest of what decides about a card's pages: all that is read is in the files' bytes."""
    return fingerprint(
        site.order_is_known,
        [
            (
                *(one.received.path, one.received.brief.file_sha256, one.received.committed_at),
                *(one.id, one.state, one.reason, one.keeper, one.first_seen, one.known, one.freshness),
            )
            for one in placed
        ],
    )


class _Card:
    """One card that is being written."""

    def __init__(
        self, site: Site, model: str, slug: str, placed: Sequence[Placed], last: CardUnit | None
    ) -> None:
        self.site: Final = site
        self.model: Final = model
        self.slug: Final = slug
        self._last = {} if last is None else last.records
        self._received = {one.id: one.received for one in placed}
        heads = site.index.heads([site.results / one.received.path for one in placed])
        opened = [Opened.of(one, head) for one, head in zip(placed, heads, strict=True)]
        self._records = CardRecords.of(opened) if opened else None
        self.entries: Final = () if self._records is None else entries_of(self._records)

    def write(self, made_from: str) -> tuple[CardUnit, Mapping[tables.Table, tables.Rows]]:
        """Write all files; return what is kept of them, and the rows of the data."""
        records = {entry.id: self._record(entry) for entry in self.entries}
        page = self._page()
        shown = page.check or page.prediction
        files = [(places.card_page(self.model, self.slug), render.card(page).encode())]
        if shown is not None:
            text = shown.model_dump_json()
            files.append((places.card_check(self.model, self.slug), text.encode() + b"\n"))
        items = filter(None, map(feed_item, self.entries))
        unit = CardUnit(
            fingerprint=made_from,
            summary=self._summary(page),
            files={path: self.site.output.put(path, content) for path, content in files},
            records=records,
            feed=tuple(islice(items, MOST)),
        )
        return unit, self._rows(records)

    def _file(self, entry: Entry) -> Path:
        return self.site.results / self._received[entry.id].path

    # --- the card -------------------------------------------------------------------------------------

    def _page(self) -> CardPage:
        check, predicted = self._check(), self._prediction()
        return CardPage(
            model=self.model,
            slug=self.slug,
            name=self._name(check or predicted),
            check=check,
            prediction=predicted,
            entries=tuple(entry for entry in self.entries if entry.apart is None),
            others=tuple(entry for entry in self.entries if entry.apart is not None),
            order_is_known=self.site.order_is_known,
        )

    def _check(self) -> Check | None:
        """The published records of published weights, merged, under the catalog's name of the card."""
        counted = {self._file(entry): entry.id for entry in self.entries if entry.counts}
        if not counted or self._records is None or self._records.main is None:
            return None
        self.site.index.choose(counted)
        ids = {path.absolute(): entry_id for path, entry_id in counted.items()}

        def link(path: Path) -> str:
            return f"../../../{places.record_json(ids[path])}"

        check = self.site.index.check(self._records.main, link)
        name = name_of(self.slug) or check.gpu.name
        return check.model_copy(update={"gpu": check.gpu.model_copy(update={"name": name})})

    def _prediction(self) -> Check | None:
        """The prediction of the card. It depends on bench alone, and takes long where records come often."""
        if not self.entries:
            return prediction(self.model, self.slug)
        name = f"prediction/{self.model}/{self.slug}"
        kept = self.site.units.prediction(name)
        if kept is not None:
            return kept
        return self.site.units.keep_prediction(name, prediction(self.model, self.slug))

    def _name(self, check: Check | None) -> str:
        if check is not None:
            return clean(check.gpu.name, MAX_NAME)
        known = name_of(self.slug)
        if known is not None:
            return known
        stated = (entry.head.device.name for entry in self.entries if entry.state in SHOWN)
        return next(stated, self.slug)

    def _summary(self, page: CardPage) -> CardSummary:
        check, path = page.check or page.prediction, places.card_page(self.model, self.slug).split("/")
        view = None if check is None else build_view(check, traces_of(check, ()))
        counted = [entry for entry in page.entries if entry.counts]
        states = [entry.state for entry in page.entries]
        keys = {entry.answers.identity.key_id for entry in counted} - {None}
        return CardSummary(
            model=self.model,
            slug=self.slug,
            name=page.name,
            row=None if view is None else overview_row(view, tuple(path)),
            is_prediction=page.is_prediction,
            published=len(counted),
            held=states.count(State.HELD),
            refused=states.count(State.REFUSED),
            withdrawn=states.count(State.WITHDRAWN),
            others=len(page.others),
            keys=len(keys),
            reproduced=sum(entry.answers.reproduction.unconfirmed > 0 for entry in counted),
            confirmed=sum(entry.answers.reproduction.confirmed > 0 for entry in counted),
        )

    def _rows(self, records: Mapping[str, RecordFiles]) -> Mapping[tables.Table, tables.Rows]:
        """The rows of the data. Those of unchanged records are there from the last build."""
        shown = [entry for entry in self.entries if entry.state in SHOWN]
        fresh = [entry for entry in shown if records[entry.id] != self._last.get(entry.id)]
        rows: dict[tables.Table, list[tables.Row]] = {
            "records": [tables.record_row(entry) for entry in fresh],
            "cells": [
                tables.cell_row(entry, cell)
                for entry in fresh
                for cell in self.site.index.cells(self._file(entry))
            ],
        }
        ids = [entry.id for entry in shown]
        return {name: self._with_kept(name, found, ids) for name, found in rows.items()}

    def _with_kept(self, name: tables.Table, rows: Sequence[tables.Row], ids: Sequence[str]) -> tables.Rows:
        found = tables.table(tables.TABLES[name], rows)
        if self._last:
            last = self.site.units.rows(_unit_name(self.model, self.slug), name)
            found = tables.arranged(tables.unpacked(tables.TABLES[name], last.arrow), found, ids)
        return tables.packed(found)

    # --- its records ----------------------------------------------------------------------------------

    def _record(self, entry: Entry) -> RecordFiles:
        content = self._received[entry.id].brief.file_sha256
        made_from = fingerprint(content, entry.model_dump_json(exclude={"head"}), self.site.order_is_known)
        last = self._last.get(entry.id)
        if last is not None and last.fingerprint == made_from and self.site.output.keep(last.files):
            return last
        check, sent = None, dict[str, Written]()
        if entry.state in SHOWN:
            cells = self.site.index.cells(self._file(entry))
            check = merge((RecordSummary(head=entry.head, cells=cells),))
            sent = self._sent(entry, content, last)
        page = RecordPage(
            entry=entry,
            check=check,
            bundle=places.record_bundle(entry.id) in sent,
            order_is_known=self.site.order_is_known,
        )
        place = places.record_page(entry.id)
        files = {place: self.site.output.put(place, render.record(page).encode()), **sent}
        return RecordFiles(state=entry.state, fingerprint=made_from, content=content, files=files)

    def _sent(self, entry: Entry, content: str, last: RecordFiles | None) -> dict[str, Written]:
        """What was sent, as files of the site: those of the last build, where the record is the same."""
        if last is not None and last.content == content:
            kept = {path: last.files[path] for path in last.files if path != places.record_page(entry.id)}
            if kept and self.site.output.keep(kept):
                return kept
        files = _as_sent(self._file(entry), entry.id)
        return {path: self.site.output.put(path, found) for path, found in files.items()}


def _as_sent(path: Path, entry_id: str) -> dict[str, bytes]:
    """Return the record as JSON, and the bundle that it was in as it was sent."""
    try:
        content = read_file(path, MAX_RECORD_BYTES)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint="Run it again") from error
    text = decode(content)
    document = parse(text)
    if not isinstance(document, dict) or not is_envelope(document):
        return {places.record_json(entry_id): text.encode()}
    record = unwrap(document).record
    return {places.record_json(entry_id): canonical(record) + b"\n", places.record_bundle(entry_id): content}
