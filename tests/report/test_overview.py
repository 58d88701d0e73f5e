"""The index over the reports of a folder."""

import re
from html import unescape
from pathlib import Path

import pytest

from bench.check.index_reading import no_progress
from bench.records.record import Record
from bench.report.groups import Task, report_all
from bench.report.overview import Entry, entry, render
from bench.report.view import view_of
from bench.store.record_files import write_record
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.named import RECORDS
from tests.samples.reruns import rerun

WIDE = derived.derived_record(device=derived.RTX_5060_TI)


def row(record: Record, href: str = "there.html") -> Entry:
    return entry(view_of(record), ("model", "card", href))


def of_model(record: Record, name: str) -> Record:
    return sample.renamed(record, "model", name)


def headings(page: str) -> list[str]:
    """The cards of the rows from top to bottom."""
    return [
        unescape(name) for name in re.findall(r'<th role="rowheader"[^>]*><a href="[^"]*">(.*?)</a>', page)
    ]


def test_rows_are_ordered_by_model_then_memory_then_measured_before_predicted() -> None:
    predicted, ran = derived.derived_record(), sample.standard()
    rows = [
        row(of_model(predicted, "B"), "4"),
        row(WIDE, "3"),
        row(predicted, "2"),
        row(ran, "1"),
    ]
    assert re.findall(r'href="model/card/(\d)"', render(rows)) == ["4", "1", "2", "3"]


def test_a_prediction_has_its_lengths_and_a_ceiling_that_is_called_one() -> None:
    found = row(derived.with_typical(derived.derived_record()))
    assert found.kind.text == "predicted"
    assert found.longest.text.startswith("fits up to ")
    assert found.longest.note.startswith("likely up to 200 s, headless, ")
    assert found.speed.text.startswith("at most ")
    assert found.speed.note == "ceiling, 10 s × 128 tokens"


def test_a_run_has_the_longest_clip_that_ran_and_its_speed() -> None:
    found = row(sample.all_measured_48())
    assert (found.kind.text, found.longest.text, found.longest.order) == ("measured", "600 s ran", 600.0)
    assert found.speed.text.endswith("tok/s")
    assert "ceiling" not in found.speed.note


def test_an_emulated_card_has_its_own_memory_and_no_speed() -> None:
    found = row(cards.emulated())
    assert found.kind.text == "emulated"
    assert found.card.note.startswith("emulates ")
    assert found.speed.text == "n/a"


def test_figures_of_other_provenance_are_not_in_a_row(tmp_path: Path) -> None:
    """A run and a prediction of one card: one row, all of it measured, that counts both."""
    page, _ = overview(tmp_path, [sample.standard(), derived.derived_record()])
    (card,) = headings(page)
    assert card == "NVIDIA GeForce RTX 4070"
    assert ">measured<" in page
    assert "1 measured, 1 predicted" in page
    assert "at most " not in page.partition("<tbody")[2]
    assert "fits up to" not in page.partition("<tbody")[2]


@pytest.mark.parametrize("name", ["hostile", "hostile card", "hostile derived"])
def test_text_of_a_record_is_escaped(name: str) -> None:
    page = render([row(of_model(RECORDS[name], sample.HOSTILE), '"><script>alert(1)</script>')])
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "\x1b" not in page
    assert 'href="model/card/%22%3E%3Cscript%3E' in page


def test_every_sample_has_a_row() -> None:
    page = render(row(record, name) for name, record in RECORDS.items())
    assert len(headings(page)) == len(RECORDS)


def overview(folder: Path, records: list[Record]) -> tuple[str, Path]:
    """The index that these records make, and its folder."""
    paths = tuple(folder / f"{nth}.json" for nth in range(len(records)))
    for nth, (path, record) in enumerate(zip(paths, records, strict=True), start=1):
        write_record(rerun(record, nth), path)
    out = folder / "reports"
    written: list[Path] = []
    task = Task(paths, ("html",), out)
    report_all(task, None, is_ours=False, note=print, wrote=written.append, progress=no_progress)
    assert written[-1] == out / "index.html"
    return written[-1].read_text(encoding="utf-8"), out


def test_every_row_links_to_its_page(tmp_path: Path) -> None:
    page, out = overview(tmp_path, [sample.standard(), WIDE, cards.emulated(), sample.smoke()])
    links = re.findall(r'href="([^"]+)"', page)
    assert len(links) == 4
    assert all((out / link).is_file() for link in links)


def test_without_pages_there_is_no_index(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    write_record(sample.smoke(), path)
    task = Task((path,), ("json",), tmp_path / "reports")
    report_all(task, None, is_ours=False, note=print, wrote=lambda _: None, progress=no_progress)
    assert not (tmp_path / "reports" / "index.html").exists()
