"""The front page."""

import re

from bench.site.interface import CardSummary
from bench.site.pages import front
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.named import RECORDS
from tests.site.pages.samples import NOTHING, index, summary
from tests.site.predicted import predicted


def test_rows_link_to_the_pages_of_the_cards_and_name_their_basis() -> None:
    page = front.render(
        index(
            summary(derived.derived_record()),
            summary(sample.all_measured_48(), slug="rtx-4090", is_prediction=False, published=3, keys=2),
        ),
        predicted(),
    )
    rows = re.findall(r'<tr[^>]*><th scope="row"><a href="([^"]+)".*?class="stamp[^"]*">(\w+)<', page)
    assert rows == [
        ("check/MOSS-Audio-4B-Instruct/rtx-4070/index.html", "prediction"),
        ("check/MOSS-Audio-4B-Instruct/rtx-4090/index.html", "measured"),
    ]
    assert "3 published by 2 keys; 0 reproduced, 0 by unconfirmed keys" in page


def test_a_card_without_figures_has_a_row_and_a_link() -> None:
    card = CardSummary(model="M", slug="gb10", name="NVIDIA GB10", row=None, is_prediction=True, **NOTHING)
    page = front.render(index(card), predicted())
    assert '<a href="check/M/gb10/index.html">GB10</a>' in page


def test_text_of_a_record_is_escaped() -> None:
    page = front.render(index(summary(RECORDS["hostile"], is_prediction=False)), predicted())
    assert page.count("<script") == 3  # the page's own, and its data
    assert "<img" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_the_same_index_gives_the_same_page() -> None:
    shown = index(summary(derived.derived_record()), records=7)
    assert front.render(shown, predicted()) == front.render(shown, predicted())


def test_long_beginnings_of_names_are_left_out() -> None:
    assert front.short("NVIDIA GeForce RTX 4070") == "RTX 4070"
    assert front.short("MOSS-Audio-4B-Instruct") == "4B-Instruct"
    assert front.short("Thing") == "Thing"


def test_the_answers_in_short_name_what_is_not_published_too() -> None:
    record = sample.all_measured_48()
    signed = summary(record, published=3, keys=1, held=1, refused=2, withdrawn=1, others=4, reproduced=2)
    assert front.answers(signed) == (
        "3 published by 1 key; 1 held; 2 refused; 1 withdrawn; 0 reproduced, 2 by unconfirmed keys; 4 apart"
    )
    assert front.answers(summary(record, published=1)).startswith("1 published unsigned; ")
    assert front.answers(summary(record)) == ""
