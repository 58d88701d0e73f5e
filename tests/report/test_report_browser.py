"""The page in a real Chromium: width, contrast, and that nothing runs or leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.records.record import Record
from bench.report.files import write_reports
from bench.report.view import view_of
from tests.report.browsing import POOR_CONTRAST, Overheard, unfold
from tests.samples import predictions as derived
from tests.samples.named import RECORDS
from tools.picture import chromium, show

pytestmark = pytest.mark.browser

PAGES = {**RECORDS, "derived fits": derived.derived_record(device=derived.RTX_5060_TI)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {name: write(record, folder, name) for name, record in PAGES.items()}


def write(record: Record, folder: Path, name: str) -> Path:
    return write_reports(view_of(record), folder, ["html"], name.replace(" ", "-"))[0]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_never_scrolls_sideways_says_nothing_and_asks_for_nothing(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    page, overheard = browser.new_page(viewport={"width": width, "height": 800}), Overheard()
    overheard.listen(page)
    show(page, pages[name])
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert overheard.said == []
    assert overheard.asked == [pages[name].as_uri()]
    page.close()


def test_a_script_in_a_name_is_shown_and_not_run(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    show(page, pages["hostile"])
    assert "<script>alert(1)</script>" in page.locator(".subject").inner_text()
    assert page.evaluate("document.scripts.length") == 3  # the page's own, and its data
    assert page.evaluate("document.images.length") == 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", ["standard", "48 measured", "smoke", "card", "emulated", "derived", "derived fits"]
)
def test_text_can_be_read(browser: Browser, pages: dict[str, Path], name: str, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    show(page, pages[name])
    unfold(page)
    assert page.evaluate(POOR_CONTRAST) == []
    context.close()


def test_a_print_from_a_dark_desktop_is_black_on_white(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page(color_scheme="dark")
    show(page, pages["standard"])
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(POOR_CONTRAST) == []
    page.close()


@pytest.mark.parametrize("name", ["standard", "derived"])
def test_a_cell_of_the_grid_leads_to_its_figures(browser: Browser, pages: dict[str, Path], name: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    show(page, pages[name])
    page.locator("a.big").nth(5).click()
    assert page.locator("tbody:target").is_visible()
    page.close()


@pytest.mark.parametrize("name", ["standard", "card", "emulated", "derived"])
def test_the_verdict_is_on_the_first_screen_of_a_phone(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    show(page, pages[name])
    for selector in ("h1", ".stamp >> nth=0", ".ways tbody tr >> nth=0" if name == "derived" else ".why"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 800
    page.close()


def test_folded_tables_are_printed(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    show(page, pages["48 measured"])
    heights = "[...document.querySelectorAll('details')].map((details) => details.offsetHeight)"
    assert max(page.evaluate(heights)) < 100
    page.emulate_media(media="print")
    assert min(page.evaluate(heights)) > 1000
    page.close()


@pytest.mark.parametrize("name", ["derived", "hostile derived"])
def test_the_page_of_a_prediction_is_short_and_its_grids_fit_a_phone(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    show(page, pages[name])
    assert page.evaluate("document.documentElement.scrollHeight") < 3000
    page.set_viewport_size({"width": 390, "height": 800})
    is_wide = "(table) => table.scrollWidth > table.parentElement.clientWidth"
    tables = "[...document.querySelectorAll('.grid, .ways')]"
    assert not page.evaluate(f"{tables}.some({is_wide})")
    page.close()
