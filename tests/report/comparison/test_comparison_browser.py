"""The page of a comparison in a real Chromium: width, contrast, and that nothing runs or leaves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from bench.compare.compare import compare
from bench.compare.gates import parse_gate
from bench.compare.sides import side_of
from bench.report.comparison.html import render
from bench.report.comparison.view import build_view
from tests.report.browsing import POOR_CONTRAST, Overheard, barriers
from tests.samples import records as sample
from tests.samples.comparisons import cell, record, requests
from tools.picture import chromium

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two builds with every kind of cell, three sides, and records that try to get out of their place."""
    wants = requests(4)
    base = record(*map(cell, wants))
    throttled = sample.measured(wants[3], labels=("throttled",))
    new = record(
        *(cell(want, slow=1.2) for want in wants[:2]), sample.out_of_memory(wants[2]), throttled, number=1
    )
    bad = side_of(sample.HOSTILE, [sample.hostile()])
    made = {
        "gate": compare(side_of("a", [base]), [side_of("b", [new])], [parse_gate("latency_s:+5%")]),
        "three": compare(side_of("a", [base]), [side_of("b", [new]), side_of("c", [base])]),
        "hostile": compare(bad, [bad, bad]),
    }
    folder = tmp_path_factory.mktemp("comparisons")
    for name, comparison in made.items():
        (folder / f"{name}.html").write_text(render(build_view(comparison)), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.mark.parametrize("name", ["gate", "three", "hostile"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_fits_is_readable_and_quiet(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    overheard = Overheard()
    overheard.listen(page)
    page.goto(pages[name].as_uri())
    assert overheard.said == []
    assert overheard.asked == [pages[name].as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(POOR_CONTRAST) == []
    assert barriers(page) == []
    page.close()
