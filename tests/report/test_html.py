"""The page, as its source: structure, safety and size."""

import base64
import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from markupsafe import escape

from bench.records.enums import Provenance
from bench.records.record import Record
from bench.report.html import render
from bench.report.view import view_of
from tests.report.pages import read_script
from tests.samples import cards, large
from tests.samples import records as sample
from tests.samples.named import RECORDS

CELLS = {"td", "th"}
ROW = CELLS | {"tr"}
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Tags in order, with attributes and the text inside; fails on tags that do not pair up."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._imply_ends(CELLS if tag in CELLS else ROW if tag == "tr" else set())
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._imply_ends(ROW if tag in {"table", "thead", "tbody"} else set())
        assert self.open.pop() == tag

    def _imply_ends(self, ended: set[str]) -> None:
        """Cells and rows end where the next begins, or with their table."""
        while self.open and self.open[-1] in ended:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]

    def scripts(self) -> list[str]:
        """Whole texts of what may run: the data are no script."""
        kinds = [attributes.get("type") for tag, attributes in self.tags if tag == "script"]
        texts = [text for tag, text in self.texts if tag == "script"]
        return [text for kind, text in zip(kinds, texts, strict=True) if kind is None]

    def data(self) -> dict[str, Any]:
        """What the plots are drawn from."""
        found = json.loads(next(text for tag, text in self.texts if tag == "script"))
        assert isinstance(found, dict)
        return found

    def text(self) -> str:
        return "".join(text for tag, text in self.texts if tag not in {"style", "script"})


def page(record: Record) -> Page:
    return Page(render(view_of(record)))


@cache
def source_of(name: str) -> str:
    """One of `RECORDS` as a page: many tests look at the same ones."""
    return render(view_of(RECORDS[name]))


@cache
def parsed_page(name: str) -> Page:
    return Page(source_of(name))


def hash_of(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@pytest.mark.parametrize("name", RECORDS)
def test_nothing_is_loaded_and_only_the_pages_own_scripts_run(name: str) -> None:
    parsed = parsed_page(name)
    assert not {"img", "link", "iframe", "object", "embed", "form", "base"} & set(parsed.names())
    for _, attributes in parsed.tags:
        assert not any(name.startswith("on") or name in {"src", "srcset", "style"} for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    (policy,) = [a["content"] for _, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy"]
    scripts = parsed.scripts()
    allowed = "".join(f" 'sha256-{hash_of(script)}'" for script in scripts)
    assert policy == (
        "default-src 'none'; "
        + (f"script-src{allowed}; " if scripts else "")
        + "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )
    style = "".join(text for tag, text in parsed.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("name", RECORDS)
def test_every_cell_is_present_and_links_lead_somewhere(name: str) -> None:
    parsed = parsed_page(name)
    identifiers = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {f"c-{cell.cell_id}" for cell in RECORDS[name].cells} <= set(identifiers)
    targets = {(attributes["href"] or "")[1:] for tag, attributes in parsed.tags if tag == "a"}
    assert targets <= set(identifiers)


@pytest.mark.parametrize("name", RECORDS)
def test_the_verdict_comes_first_and_the_weights_stand_at_every_table(name: str) -> None:
    view, source = view_of(RECORDS[name]), source_of(name)
    names = parsed_page(name).names()
    assert names.count("h1") == 1
    if "table" in names:
        assert names.index("h1") < names.index("table")
        assert source.index(view.stamp) < source.index("<table")
    captions = re.findall(r"<caption>(.*?)</caption>", source)
    assert len(captions) == names.count("table")
    stamps = {view.stamp, *(view.stamp_of_answer(each).text for each in Provenance)}
    assert all(any(stamp in caption for stamp in stamps) for caption in captions)


@pytest.mark.parametrize("name", RECORDS)
def test_landmarks_headings_and_scopes(name: str) -> None:
    parsed = parsed_page(name)
    names = parsed.names()
    for landmark in ("header", "nav", "main", "footer"):
        assert names.count(landmark) == 1
    levels = [int(name[1]) for name in names if re.fullmatch(r"h[1-6]", name)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attributes.get("scope") for tag, attributes in parsed.tags if tag == "th")


def test_a_full_standard_record_is_a_small_file() -> None:
    source = render(view_of(sample.all_measured_48()))
    assert len(source.encode()) - len(read_script("vega.js").encode()) < 250_000


def test_a_page_of_200_cells_with_traces_and_raw_repeats_stays_under_1_5_mb() -> None:
    view = view_of(large.two_hundred())
    source = render(view)
    assert len(source.encode()) < 1_500_000
    for datum in Page(source).data()["data"]["traces"]:
        assert len(json.dumps(datum, separators=(",", ":"))) < 3_000
    assert len(re.findall(r'<tr><th scope="row">\d<td>', source)) == 1_000


def test_hostile_strings_are_shown_as_they_are() -> None:
    source = render(view_of(sample.hostile()))
    assert "<script>alert" not in source
    assert "<img" not in source
    assert len(page(sample.hostile()).scripts()) == 2
    assert "<script>alert(1)</script>|`x`=1+1" in page(sample.hostile()).text()


def test_reasons_error_tails_and_labels_are_told() -> None:
    text = page(sample.standard()).text()
    for words in ("cuDNN error; during encode", "CUDNN_STATUS_INTERNAL_ERROR", "noisy", sample.NO_FLASH):
        assert words in text


def test_every_raw_repeat_is_there() -> None:
    record = sample.all_measured_48()
    rows = re.findall(r'<tr><th scope="row">\d<td>', render(view_of(record)))
    assert len(rows) == sum(len(cell.repeats) for cell in record.cells)


def test_short_tables_are_open_and_long_ones_folded() -> None:
    assert "<details open>" in render(view_of(sample.smoke()))
    assert "<details open>" not in render(view_of(sample.all_measured_48()))


def test_metrics_that_no_cell_has_are_named_once() -> None:
    text = page(sample.standard()).text()
    assert "Not available in this record: Share of bandwidth, Share of BF16 rate, Resident, Energy" in text


def test_the_budget_stands_at_the_peak_and_in_a_section_of_its_own() -> None:
    text = page(cards.rtx_4070()).text()
    assert "12.10 GB (11.27 GiB)of 11.57 GiB without a desktop, 10.79 GiB with one" in text
    for words in (
        "Budget without a desktop",
        "12.42 GB (11.57 GiB)",
        "200 W, by default 200 W",
        "504.0 GB/s",
    ):
        assert words in text


def test_a_record_without_a_card_has_no_section_for_one() -> None:
    source = render(view_of(sample.smoke()))
    assert 'id="card"' not in source
    assert 'href="#card"' not in source


def test_each_sampled_peak_says_how_closely_it_was_watched() -> None:
    source = render(view_of(cards.rtx_4070()))
    ran = [row for row in view_of(cards.rtx_4070()).rows if row.status.code == "measured"]
    # the peaks of process and whole device, and where the energy is from
    assert source.count("812 samples, every 20.0 ms, largest gap 41.0 ms") == 3 * len(ran)


def test_power_clocks_and_what_held_them_back_are_told() -> None:
    text = page(cards.rtx_4070()).text()
    for words in (
        "96.0–200.3 W",
        "51.0–66.0 °C",
        "software power cap 62 %",
        "gen 4, 16 lanes",
        "energy counter",
    ):
        assert words in text


def test_cells_that_cannot_be_compared_are_marked_where_they_stand() -> None:
    source = render(view_of(cards.rtx_4070()))
    assert source.count('<span class="word label">not comparable</span>') == 4
    assert "asked for FlashAttention 2 and ran the same kernels as SDPA: not comparable" in source


def test_the_hosts_clock_stands_beside_the_devices() -> None:
    assert "First token, host clock" in page(cards.rtx_4070()).text()
    assert "host clock" not in page(sample.standard()).text()


def test_the_emulated_card_is_told_with_its_limit() -> None:
    text = page(cards.emulated()).text()
    for words in (
        "Emulated card",
        "Left to the framework",
        "by the CUDA caching allocator",
        "CUDA context included",
    ):
        assert words in text


def test_hostile_words_of_a_driver_are_shown_as_they_are() -> None:
    source = render(view_of(cards.hostile()))
    assert "<script>alert" not in source
    assert "\x1b" not in source
    assert "<script>alert(1)</script>|`x`=1+1" in page(cards.hostile()).text()


def test_a_page_without_plots_has_no_scripts_and_says_so() -> None:
    parsed = page(sample.record([]))
    assert "script" not in parsed.names()
    assert "This page holds no scripts and loads nothing." in parsed.text()


def test_a_page_with_plots_says_what_its_scripts_do() -> None:
    assert "Its only scripts draw the plots" in page(cards.rtx_4070()).text()


@pytest.mark.parametrize("name", RECORDS)
def test_verdict_caveats_and_what_to_type_come_before_any_plot(name: str) -> None:
    source = source_of(name)
    if "<figure" in source:
        if not view_of(RECORDS[name]).is_predicted:
            assert source.index('id="repeat"') < source.index("<figure")
        elif 'class="type"' in source:
            assert source.index('class="type"') < source.index("<figure")
        assert source.index("</header>") < source.index("<figure")


@pytest.mark.parametrize("name", RECORDS)
def test_every_plot_has_a_stamp_a_summary_and_a_way_to_its_table(name: str) -> None:
    view = view_of(RECORDS[name])
    figures = re.findall(r"<figure.*?</figure>", source_of(name), re.DOTALL)
    for figure in figures:
        assert str(escape(view.stamp)) in figure
        assert re.search(r'aria-label="[^"]+" aria-describedby="about-[a-z]+"', figure)
        assert re.search(r'<a href="#[a-z]+">The same numbers as a table', figure)


def test_the_data_of_the_plots_stay_in_their_element() -> None:
    source = render(view_of(sample.hostile()))
    data = re.findall(r'<script type="application/json" id="plots-data">(.*?)</script>', source, re.DOTALL)
    assert len(data) == 1
    assert not set("<>&\u2028\u2029") & set(data[0])
    assert "<script>alert(1)</script>" in page(sample.hostile()).data()["data"]["cells"][1]["why"]


def test_a_cell_that_its_grid_explains_is_not_listed_again() -> None:
    text = source_of("unsupported")
    assert "Cells without figures" not in text
    (row, *_) = view_of(RECORDS["unsupported"]).rows
    assert str(escape(row.status.reason)) in text
