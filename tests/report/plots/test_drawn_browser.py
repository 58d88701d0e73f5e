"""The plots in a real Chromium: drawn, used by mouse and keyboard, in light, dark and print; and absent."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize

from bench.records.prediction import PlannedSystem
from bench.records.record import Record
from bench.report import html
from bench.report.details import Details
from bench.report.files import write_reports
from bench.report.interface import View
from bench.report.view import build_view, view_of
from tests.report.browsing import AXE, POOR_CONTRAST, TOOLS, Overheard, barriers
from tests.samples import cards, large, odd_predictions
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.merged import MIXED, PLANS, watched_twice
from tests.samples.reruns import cheaper, merged, replanned
from tools.picture import chromium, show

pytestmark = pytest.mark.browser

FOCUSED: Final = "document.activeElement.closest('.plot')?.id + ' ' + document.activeElement.localName"
PHONE: Final = ViewportSize(width=360, height=740)


def watched_card() -> Record:
    """A card whose cells were watched over time, with clips that ran out of memory."""
    whole = cards.rtx_4070()
    cells = [large.traced(cell) if cell.summary else cell for cell in whole.cells]
    return cards.with_card(cells)


# Made where the browser is, not while tests are collected.
RECORDS: Final[dict[str, tuple[Callable[[], Record], list[str]]]] = {
    "watched card": (watched_card, ["memory", "speed", "latency", "heat", "trace"]),
    "emulated": (cards.emulated, ["memory", "heat"]),
    "smoke": (sample.smoke, ["memory", "speed", "latency"]),
    "hostile": (sample.hostile, ["latency", "heat"]),
    "derived": (derived.derived_record, ["memory"]),
    "hostile derived": (odd_predictions.hostile, ["memory"]),
    "unsupported": (sample.all_unsupported, []),
    "one cell": (lambda: cards.with_card([cards.measured()]), ["latency"]),
    "large": (large.two_hundred, ["memory", "speed", "latency", "heat", "trace"]),
}


def four_settings() -> View:
    """Predictions of four settings, of which each needs 4 GiB less than the one before."""
    plan = derived.derived_record(clips=(10.0, 60.0))
    systems = [
        PlannedSystem(os=os, torch=torch)
        for os, torch in (
            ("linux", "2.13"),
            ("linux", "2.14"),
            ("windows", "2.13"),
            ("windows", "2.14"),
        )
    ]
    plans = [
        derived.planned_for(
            replanned(plan, [cheaper(cell, nth * 2**31) for cell in plan.cells], nth), system, "flash", nth
        )
        for nth, system in enumerate(systems, 1)
    ]
    return build_view(merged(*plans), Details())


MERGED: Final[dict[str, tuple[Callable[[], View], list[str]]]] = {
    "merged plans": (lambda: PLANS, ["memory"]),
    "four settings": (four_settings, ["memory"]),
    "merged": (lambda: MIXED, ["memory", "speed", "latency", "heat"]),
    "merged and watched": (watched_twice, ["memory", "speed", "latency", "heat", "trace"]),
}
DRAWN: Final = {name: plots for name, (_, plots) in (*RECORDS.items(), *MERGED.items())}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    written = {
        name: write_reports(view_of(make()), folder, ["html"], name.replace(" ", "-"))[0]
        for name, (make, _) in RECORDS.items()
    }
    for name, (make_view, _) in MERGED.items():
        written[name] = folder / f"{name.replace(' ', '-')}.html"
        written[name].write_text(html.render(make_view()), encoding="utf-8")
    return written


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def canvas(page: Page, name: str) -> Locator:
    return page.locator(f"#plot-{name} .canvas")


@pytest.mark.parametrize("name", DRAWN)
def test_every_plot_is_drawn_quietly_and_has_marks(page: Page, pages: dict[str, Path], name: str) -> None:
    overheard = Overheard()
    overheard.listen(page)
    show(page, pages[name])
    drawn = page.evaluate("[...document.querySelectorAll('.plot')].map((f) => f.id.replace('plot-', ''))")
    assert drawn == DRAWN[name]
    for plot in drawn:
        marks = canvas(page, plot).locator("[class*=mark-symbol] path, [class*=mark-rect] path")
        assert marks.count() > 0, plot
    assert overheard.said == []
    assert overheard.asked == [pages[name].as_uri()]


def test_the_mouse_finds_the_words_of_a_mark(page: Page, pages: dict[str, Path]) -> None:
    show(page, pages["watched card"])
    mark = canvas(page, "memory").locator(".mark-symbol path").last
    mark.scroll_into_view_if_needed()
    mark.hover()
    words = page.locator("#tip").inner_text()
    assert "Cell: 30 s × 128, FlashAttention 2" in words
    assert "GB (" in words
    page.mouse.move(0, 0)
    assert page.locator("#tip").is_hidden()


def test_the_keyboard_steps_through_the_marks(page: Page, pages: dict[str, Path]) -> None:
    show(page, pages["watched card"])
    tip, plot = page.locator("#tip"), canvas(page, "heat")
    plot.focus()
    page.keyboard.press("ArrowRight")
    first = tip.inner_text()
    assert "Cell: 10 s × 128, SDPA" in first
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() != first
    page.keyboard.press("Home")
    assert tip.inner_text() == first
    page.keyboard.press("End")
    assert "600 s × 1,024" in tip.inner_text()
    assert page.locator(".ring").count() == 1
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    assert page.locator(".ring").count() == 0


def test_every_control_and_plot_is_reached_by_tab(page: Page, pages: dict[str, Path]) -> None:
    show(page, pages["watched card"])
    reached = set()
    page.locator("nav a").last.focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
    assert {"plot-memory select", "plot-memory div", "plot-heat div", "plot-trace select"} <= reached


def test_another_cell_is_chosen_with_the_keyboard(page: Page, pages: dict[str, Path]) -> None:
    show(page, pages["large"])
    line = canvas(page, "trace").locator(".mark-line path").last
    before = line.get_attribute("d")
    choice = page.locator("#plot-trace").get_by_role("combobox", name="Cell")
    assert choice.locator("option").count() == 200
    choice.focus()
    page.keyboard.press("End")
    assert choice.locator("option:checked").inner_text() == "300 s × 2,048, FlashAttention 2"
    page.wait_for_function(
        "(d) => [...document.querySelectorAll('#plot-trace .mark-line path')].at(-1).getAttribute('d') !== d",
        arg=before,
    )


def test_each_setting_has_an_axis_of_its_own_that_says_where_it_starts(
    page: Page, pages: dict[str, Path]
) -> None:
    show(page, pages["four settings"])
    labels = canvas(page, "memory").locator(".mark-group.role-axis .role-axis-label text")
    before = labels.all_inner_texts()
    assert "axis starts above 0" in canvas(page, "memory").inner_text()
    page.locator("#plot-memory").get_by_role("combobox", name="Settings").select_option(index=3)
    page.wait_for_function(
        "(before) => JSON.stringify([...document.querySelectorAll('#plot-memory .mark-group.role-axis "
        ".role-axis-label text')].map((t) => t.textContent)) !== JSON.stringify(before)",
        arg=before,
    )
    assert canvas(page, "memory").locator(".mark-symbol path").count() > 1


def test_a_trace_can_end_where_decoding_begins(page: Page, pages: dict[str, Path]) -> None:
    show(page, pages["watched card"])
    phases = canvas(page, "trace").locator(".mark-rect path")
    assert phases.count() == 4
    page.locator("#plot-trace").get_by_role("combobox", name="Time").select_option(
        "until the last phase begins"
    )
    page.wait_for_function("document.querySelectorAll('#plot-trace .mark-rect path').length === 3")


def test_words_of_a_record_stay_words(page: Page, pages: dict[str, Path]) -> None:
    overheard = Overheard()
    overheard.listen(page)
    show(page, pages["hostile"])
    canvas(page, "heat").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "Reason: <script>alert(1)</script>" in page.locator("#tip").inner_text()
    assert page.evaluate("document.scripts.length") == 3
    assert page.evaluate("document.images.length") == 0
    assert overheard.said == []
    assert overheard.asked == [pages["hostile"].as_uri()]


def test_light_and_dark_follow_the_desktop_while_the_page_is_open(page: Page, pages: dict[str, Path]) -> None:
    colour = "getComputedStyle(document.querySelector('#plot-memory .role-axis-label text')).fill"
    page.emulate_media(color_scheme="light")
    show(page, pages["watched card"])
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) != light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_in_plots_can_be_read(browser: Browser, pages: dict[str, Path], scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    show(page, pages["watched card"])
    assert page.evaluate(POOR_CONTRAST) == []
    page.close()


@pytest.mark.parametrize("name", ["watched card", "derived", "large", *MERGED])
def test_plots_fit_a_phone(browser: Browser, pages: dict[str, Path], name: str) -> None:
    page = browser.new_page(viewport=PHONE)
    show(page, pages[name])
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    widths = page.evaluate("[...document.querySelectorAll('.canvas svg')].map((s) => s.clientWidth)")
    assert 240 < min(widths) <= max(widths) <= PHONE["width"]
    page.close()


def test_plots_follow_the_width_of_the_window(page: Page, pages: dict[str, Path]) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    show(page, pages["watched card"])
    page.set_viewport_size(PHONE)
    page.wait_for_function("document.querySelector('#plot-memory svg').clientWidth < 360")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_page_prints_with_its_plots(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page(color_scheme="dark", viewport={"width": 1280, "height": 900})
    show(page, pages["watched card"])
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    widths = page.evaluate("[...document.querySelectorAll('.canvas svg')].map((s) => s.clientWidth)")
    assert max(widths) <= 700
    label = "getComputedStyle(document.querySelector('#plot-memory .role-axis-label text')).fill"
    assert page.evaluate(label) == "rgb(68, 68, 68)"
    page.close()


@pytest.mark.parametrize("name", ["watched card", "derived"])
def test_without_scripts_the_tables_are_there(browser: Browser, pages: dict[str, Path], name: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages[name].as_uri())
    assert not any(figure.is_visible() for figure in page.locator(".plot").all())
    assert not page.get_by_role("link", name="Plots").is_visible()
    assert page.locator("main table").count() > 3
    assert page.locator("main table").first.is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [name for name in DRAWN if name != "large"])
def test_the_accessibility_engine_finds_nothing(
    browser: Browser, pages: dict[str, Path], name: str, scheme: str
) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    show(page, pages[name])
    assert barriers(page) == []
    page.close()


def test_vega_is_what_its_sources_build(tmp_path: Path) -> None:
    if not AXE.exists():
        pytest.fail("the sources are missing: npm ci --prefix tools/plots")
    built = tmp_path / "vega.js"
    subprocess.run(["node", TOOLS / "build.mjs", built], check=True)
    assert built.read_bytes() == (TOOLS / "../../bench/report/plots/vega.js").read_bytes()
