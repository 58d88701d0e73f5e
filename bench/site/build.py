"""Builds the site of a folder of results: reads what is new, compares, writes what has changed."""

import gc
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

from bench.check.index import Index, use_index
from bench.check.index_reading import Progress
from bench.errors import RecordError, UsageError
from bench.site import dataset, feed, places, tables
from bench.site.card_files import Site, write_card
from bench.site.code_digest import code_digest
from bench.site.commit_order import history_of
from bench.site.decisions import read_decisions
from bench.site.freshness import with_freshness
from bench.site.interface import SHOWN, CardSummary, DataFile, SiteIndex, State
from bench.site.known_keys import read_known_keys
from bench.site.output import LOCK, Output, Written
from bench.site.pages import render
from bench.site.predictions import NO_DATE, predicted_pages
from bench.site.states import Placed, in_order, place
from bench.site.units import CardUnit, PageUnit, Units, fingerprint
from bench.store import naming
from bench.store.cycles import without_search_for_cycles
from bench.store.exclusive import exclusive
from bench.store.untrusted import kind_of
from bench.validate.reading import read_judged

_DIGITS: Final = 16
_COLLECTED: Final = 2_000
"""Files that are written between two searches for cycles of garbage: one for a few files takes too long."""
Card = tuple[str, str]
"""Model and slug."""


@dataclass(frozen=True, slots=True)
class Task:
    """A folder of results, and that of its site. `predicted`: cards with a page even without records.

    `receiver`: address of the site, where it takes bundles. `site_key`: id of the key that issues its
    challenges.
    """

    results: Path
    out: Path
    predicted: Collection[Card] = field(default_factory=predicted_pages)
    receiver: str | None = None
    site_key: str | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is shown what happens. `note` takes lines about a damaged index, after which all begins anew."""

    note: Callable[[str], None]
    reading: Progress
    writing: Progress


@dataclass(frozen=True, slots=True)
class Built:
    """What was built. `errors` are of files that are no records; `states` counts the entries."""

    cards: int
    states: Mapping[State, int]
    files: int
    changed: int
    order_is_known: bool
    errors: tuple[RecordError, ...]


def build_site(task: Task, index: Path | None, *, is_ours: bool, watch: Watch) -> Built:
    """Write the site. `index`: the file that keeps what was read and built; none if None.

    Raises:
        UsageError: there is no such folder, or the site would be inside it.
        RecordError: a decision cannot be read.
        PackageError: what writes the tables is not installed.
        StorageError: the disk refused a file.
    """
    tables.require_arrow()
    _require_folders(task)
    made_by = f"site {code_digest()}"
    with without_search_for_cycles():
        return use_index(
            index,
            watch.note,
            lambda opened: _build(task, opened, _site_name(task.out, index), watch),
            is_ours=is_ours,
            made_by=made_by,
        )


def _site_name(out: Path, index: Path | None) -> str:
    """Return a name of the site for its index: they can be moved together."""
    place = str(out.resolve())
    if index is not None:
        with suppress(ValueError):  # on Windows: another drive
            place = os.path.relpath(place, Path(os.path.realpath(index)).parent)
    return hashlib.sha256(place.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


def _require_folders(task: Task) -> None:
    if kind_of(task.results) != "folder":
        raise UsageError(f"{task.results}: no such folder", hint="Name the folder of the records")
    if task.out.resolve().is_relative_to(task.results.resolve()):
        raise UsageError(f"--out: {task.out} is inside the results", hint="Name another folder")
    if task.results.resolve().is_relative_to(task.out.resolve()):
        raise UsageError(f"--out: {task.out} contains the results", hint="Name another folder")


def _build(task: Task, index: Index, site_name: str, watch: Watch) -> Built:
    """Read, compare and write. Locked before anything is read: one that waited writes nothing older."""

    def busy() -> None:
        watch.note(f"{task.out}: another build is writing this site; waiting for its end")

    with exclusive(task.out / LOCK, busy):
        decisions, known_keys = read_decisions(task.results), read_known_keys(task.results)
        history = history_of(task.results)
        index.update(sorted(naming.records_below(task.results)), read_judged, watch.reading)
        errors = list(index.faults())
        in_their_order = in_order(index.briefs(), task.results, history)
        placed = with_freshness(place(in_their_order, decisions, known_keys), task.site_key)
        units = Units(index, site_name)
        with Output(task.out) as output:
            site = Site(task.results, index, units, output, history.is_known)
            cards = _cards(site, _by_card(task.predicted, placed), watch.writing, errors)
            _write_rest(site, placed, cards, task.receiver)
    counts = Counter(record.state for unit in cards.values() for record in unit.records.values())
    states = {state: counts[state] for state in State}
    return Built(len(cards), states, len(output.files), output.changed, history.is_known, tuple(errors))


def _by_card(predicted: Iterable[Card], placed: Iterable[Placed]) -> Mapping[Card, Sequence[Placed]]:
    found: dict[Card, list[Placed]] = {card: [] for card in predicted}
    for one in placed:
        found.setdefault(one.received.group.folder, []).append(one)
    return found


def _cards(
    site: Site, by_card: Mapping[Card, Sequence[Placed]], progress: Progress, errors: list[RecordError]
) -> dict[Card, CardUnit]:
    found: dict[Card, CardUnit] = {}
    collected = 0
    for done, card in enumerate(sorted(by_card), start=1):
        try:
            found[card] = write_card(site, *card, by_card[card])
        except RecordError as error:  # changed or removed since it was indexed
            errors.append(error)
        if site.output.changed - collected >= _COLLECTED:
            collected = site.output.changed
            gc.collect()
        progress(done, len(by_card))
    return found


# --- what the cards have in common ------------------------------------------------------------------------


def _write_rest(
    site: Site, placed: Sequence[Placed], cards: Mapping[Card, CardUnit], receiver: str | None
) -> None:
    dates = (one.received.brief.created_at for one in placed if one.state in SHOWN)
    newest = max(dates, default=NO_DATE)
    files = _data(site, cards, newest)
    summaries = sorted((unit.summary for unit in cards.values()), key=_place)
    overview = SiteIndex(
        cards=tuple(summaries),
        records=len(placed),
        newest=None if newest == NO_DATE else newest,
        order_is_known=site.order_is_known,
    )
    predictions = site.units.predicted() or site.units.keep_predicted(render.predictions())
    items = chain.from_iterable(unit.feed for unit in cards.values())
    pages = {
        places.FRONT: render.front(overview, predictions).encode(),
        places.CONTRIBUTE: render.contribute(receiver).encode(),
        places.NOT_FOUND: render.not_found().encode(),
        places.DATA: render.data(tuple(_listed(files))).encode(),
        places.FEED: feed.render(items, newest),
        **render.assets(),
    }
    for path, content in pages.items():
        site.output.put(path, content)


def _place(card: CardSummary) -> tuple[str, float, str, str]:
    memory = None if card.row is None else card.row.memory.order
    return card.model, memory or 0.0, card.name, card.slug


def _listed(files: Mapping[str, Written]) -> Iterable[DataFile]:
    for path, written in sorted(files.items()):
        yield DataFile(name=path.removeprefix("data/"), size_bytes=written.size_bytes, sha256=written.sha256)


def _data(site: Site, cards: Mapping[Card, CardUnit], newest: datetime) -> Mapping[str, Written]:
    """Write the tables and what describes them, unless no card has changed."""
    made_from = fingerprint(newest, [(card, unit.fingerprint) for card, unit in cards.items()])
    last = site.units.page("data")
    if last is not None and last.fingerprint == made_from and site.output.keep(last.files):
        return last.files
    counts: dict[tables.Table, int] = {}
    written: dict[str, Written] = {}
    with ThreadPoolExecutor(1) as pool:  # Arrow compresses without holding up Python
        for name, columns in tables.TABLES.items():
            kept = [site.units.rows(f"card/{model}/{slug}", name) for model, slug in cards]
            rows, csv = tables.joined(columns, kept)
            counts[name] = rows.num_rows
            parquet = pool.submit(tables.parquet, rows)
            written[f"{name}.csv"] = site.output.put(f"data/{name}.csv", csv)
            written[f"{name}.parquet"] = site.output.put(f"data/{name}.parquet", parquet.result())
    about = {
        "croissant.json": dataset.croissant(written, newest),
        "CITATION.cff": dataset.citation(newest),
        "README.md": dataset.readme(counts["records"], counts["cells"]),
        "LICENSE": dataset.license_text(),
    }
    files = {f"data/{name}": each for name, each in written.items()}
    files |= {f"data/{name}": site.output.put(f"data/{name}", content) for name, content in about.items()}
    site.units.keep_page("data", PageUnit(fingerprint=made_from, files=files))
    return files
