"""What the build calls."""

from bench.site.pages import render
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.site.pages.samples import card_page, index, record_page, summary
from tests.site.predicted import predicted


def test_each_page_is_a_whole_document_and_the_same_every_time() -> None:
    ran, plan = sample.all_measured_48(), derived.derived_record()

    def pages() -> list[str]:
        return [
            render.front(index(summary(plan)), predicted()),
            render.card(card_page(ran, prediction=plan)),
            render.record(record_page(ran)),
            render.contribute(),
            render.not_found(),
            render.data(()),
        ]

    first = pages()
    assert all(page.startswith("<!doctype html>") and page.rstrip().endswith("</html>") for page in first)
    assert all("Content-Security-Policy" in page for page in first)
    assert pages() == first


def test_assets_are_below_their_folder() -> None:
    found = render.assets()
    assert {path.partition("/")[0] for path in found} == {"assets"}
    assert all(found.values())
