"""The index in a real Chromium: it is searched, sorted, and read on a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from bench.report.overview import entry, render
from bench.report.view import view_of
from tests.report.browsing import POOR_CONTRAST, Overheard, barriers
from tests.samples import predictions as derived
from tests.samples.named import RECORDS
from tools.picture import chromium

pytestmark = pytest.mark.browser

PAGES = {**RECORDS, "wide": derived.derived_record(device=derived.RTX_5060_TI)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports") / "index.html"
    rows = (entry(view_of(record), (f"{name}.html",)) for name, record in PAGES.items())
    path.write_text(render(rows), encoding="utf-8")
    return path


def shown(page: Page) -> list[str]:
    """The cards of the rows that can be seen."""
    return page.locator("tbody tr:visible th").all_inner_texts()


def test_search_narrows_and_counts(browser: Browser, index: Path) -> None:
    page = browser.new_page()
    page.goto(index.as_uri())
    field, count = page.get_by_label("Search"), page.get_by_role("status")
    assert count.inner_text() == f"{len(PAGES)} of {len(PAGES)} shown"
    field.fill("5060 predicted")
    assert shown(page) == ["NVIDIA GeForce RTX 5060 Ti"]
    assert count.inner_text() == f"1 of {len(PAGES)} shown"
    field.fill("no such card")
    assert shown(page) == []
    field.fill("")
    assert len(shown(page)) == len(PAGES)
    page.close()


def test_a_heading_sorts_both_ways_from_the_keyboard_and_says_so(browser: Browser, index: Path) -> None:
    page = browser.new_page()
    page.goto(index.as_uri())
    heading = page.get_by_role("columnheader", name="Longest clip")
    orders: list[list[float]] = []
    for said in ("ascending", "descending"):
        heading.get_by_role("button").press("Enter")
        assert heading.get_attribute("aria-sort") == said
        cells = page.locator("tbody td[data-label='Longest clip']")
        texts = cells.evaluate_all("cells => cells.map((cell) => cell.dataset.order)")
        known = [float(text) for text in texts if text]
        assert texts[: len(known)] == [text for text in texts if text]  # what is not known is last
        orders.append(known)
    assert orders[0] == sorted(orders[0])
    assert orders[1] == sorted(orders[0], reverse=True)
    page.get_by_role("columnheader", name="Card").get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    page.close()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_it_fits_is_readable_and_quiet(
    browser: Browser, index: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    overheard = Overheard()
    overheard.listen(page)
    page.goto(index.as_uri())
    assert overheard.said == []
    assert overheard.asked == [index.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(POOR_CONTRAST) == []
    assert barriers(page) == []
    page.close()


def test_without_scripts_the_rows_are_there_and_no_empty_tools(browser: Browser, index: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(index.as_uri())
    assert page.locator("tbody tr").count() == len(PAGES)
    assert not page.locator("#search").is_visible()
    assert page.get_by_role("button").count() == 0
    context.close()
