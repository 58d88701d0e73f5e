"""Texts of senders stay away from the site where a record is refused, withdrawn or a replay."""

from pathlib import Path

import pytest

from bench.records.record import Record
from bench.site.interface import State
from bench.site.shown import shown_findings, shown_head
from bench.site.states import Opened, Placed
from tests.site.entries import UNSIGNED, entry
from tests.site.results import built, decide, entry_id, files_of, put, run, sealed
from tests.site.test_states import SUSPICION, received
from tests.validate.edits import document_of

PRIVATE = "Call ada@example.org"
NOT_HERE = {
    "device.name": PRIVATE,
    "device.slug": "a-card",
    "device.memory_total_bytes": None,
    "model.repo": f"a/{PRIVATE}",
    "model.revision": PRIVATE,
    "environment.python": PRIVATE,
    "environment.os": PRIVATE,
    "cells[0].requested.model": PRIVATE,
}


def private() -> Record:
    """Return a record with a text that nobody should publish in each name."""
    return sealed(document_of(run(1)), NOT_HERE)


def naming(out: Path, text: str) -> list[str]:
    """Return the files of a site that contain a text."""
    return [path for path, content in files_of(out).items() if text.encode() in content]


def test_no_text_of_a_refused_record_is_on_the_site_nor_after_its_withdrawal(tmp_path: Path) -> None:
    results, out = tmp_path / "results", tmp_path / "out"
    put(results, private())
    assert built(results, out).states[State.REFUSED] == 1
    assert naming(out, "ada@example.org") == []
    decide(results, "withdrawn", entry_id(private()), "private")
    assert built(results, out).states[State.WITHDRAWN] == 1
    assert naming(out, "ada@example.org") == []


def test_a_withdrawn_record_leaves_no_text_of_its_sender(tmp_path: Path) -> None:
    results, out = tmp_path / "results", tmp_path / "out"
    record = sealed(document_of(run(1)), {"device.slug": "a-card", "device.name": "Buy my card"})
    put(results, record, key=1, note="and my house")
    built(results, out)
    decide(results, "withdrawn", entry_id(record), "an advertisement")
    built(results, out)
    assert naming(out, "Buy my card") == naming(out, "my house") == []
    assert naming(out, "Withdrawn: ") == ["feed.xml"]


@pytest.mark.parametrize("state", [State.REFUSED, State.REPLAYED, State.WITHDRAWN])
def test_the_catalog_names_the_card_of_a_record_that_is_not_shown(state: State) -> None:
    head = entry(run(1)).head
    head = head.model_copy(update={"device": head.device.model_copy(update={"name": "Not this"})})
    placed = Placed(received(1, key="a"), "0" * 16, state, None)
    hidden = Opened(placed, head, UNSIGNED, state, (SUSPICION,))
    assert shown_head(hidden).device.name == entry(run(1)).head.device.name
    assert shown_findings(hidden) == ((SUSPICION,) if state is State.REFUSED else ())
    published = Opened(placed, head, UNSIGNED, State.PUBLISHED, (SUSPICION,))
    assert shown_head(published).device.name == "Not this"
    assert shown_findings(published) == (SUSPICION,)
