"""The page of a model on a card."""

import re

import pytest

from bench.site.interface import Apart, Plausible, Reproduction, State
from bench.site.pages.card import render
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.named import RECORDS
from tests.samples.reruns import rerun
from tests.site.pages.samples import answers, card_page, entry, finding

RAN = sample.all_measured_48()
SUSPICIOUS = finding("decode_near_bandwidth", ratio=0.97)


def tables(page: str) -> dict[str, str]:
    """The tables of records by their titles."""
    parts = re.split(r'<h3 id="records-\d+">', page)[1:]
    return {part.partition(":")[0]: part.partition("</table>")[0] for part in parts}


def test_a_card_without_records_is_marked_as_a_prediction() -> None:
    page = render(card_page(prediction=derived.derived_record()))
    assert "This page is a prediction." in page
    assert "predicted, nothing was run" in page
    assert 'href="../../../contribute/index.html"' in page
    assert 'href="check.json"' in page


def test_a_measured_card_shows_its_prediction_apart_from_its_figures() -> None:
    page = render(card_page(RAN, prediction=derived.derived_record(), entries=(entry(RAN),)))
    assert "This page is a prediction." not in page
    assert "The prediction, for comparison" in page
    assert page.count('id="answer"') == 1


def test_records_are_listed_by_what_becomes_of_them_with_their_answers() -> None:
    four = Reproduction(confirmed=0, unconfirmed=4, cards=2, disagreeing=0)
    entries = (
        entry(RAN, handle="ada", answers=answers(reproduction=four)),
        entry(
            rerun(RAN, 2), state=State.HELD, findings=(SUSPICIOUS,), answers=answers(plausible=Plausible.HELD)
        ),
        entry(
            rerun(RAN, 3),
            state=State.REFUSED,
            findings=(SUSPICIOUS,),
            answers=answers(plausible=Plausible.REFUSED),
        ),
        entry(rerun(RAN, 4), state=State.WITHDRAWN, reason="Wrong card"),
    )
    found = tables(
        render(card_page(RAN, entries=entries, others=(entry(sample.smoke(), apart=Apart.SMOKE),)))
    )
    assert list(found) == [
        "Published",
        "Not published",
        "Smoke runs, emulated cards, local or random weights, predictions",
    ]
    assert "4 unconfirmed keys agree" in found["Published"]
    assert "ada" in found["Published"]
    held, refused, withdrawn = found["Not published"].split('<th scope="row">')[1:]
    assert "600 s ran with 1,024 tokens" in held
    assert SUSPICIOUS.sentence.replace("'", "&#39;") in held
    assert "ran with" not in refused
    assert "0.97" not in refused
    assert "1 finding." in refused
    assert "Wrong card" in withdrawn
    assert "ran with" not in withdrawn
    assert "smoke run" in list(found.values())[2]


def test_the_figures_of_a_page_say_first_what_they_rest_on() -> None:
    page = render(card_page(RAN, entries=(entry(RAN), entry(rerun(RAN, 2), state=State.HELD))))
    first = page[page.index('id="answers"') : page.index('id="records-1"')]
    assert re.findall(r"<dt>(\w+)</dt><dd><span class=\"word \w+\">([^<]+)", first) == [
        ("Integrity", "1 of 1 signed"),
        ("Identity", "1 key"),
        ("Plausibility", "1 of 1 plausible"),
        ("Reproduction", "0 of 1 reproduced"),
    ]
    assert 'id="answers"' not in render(card_page(prediction=derived.derived_record()))


def test_a_long_id_is_cut_where_it_is_read_and_whole_where_it_leads() -> None:
    long = entry(RAN).model_copy(update={"id": "a" * 64})
    (found,) = tables(render(card_page(RAN, entries=(long,)))).values()
    assert f"<code>{'a' * 16}…</code>" in found
    assert f"records/{'a' * 64}/" in found


def test_a_prediction_that_somebody_sent_is_never_said_to_have_run() -> None:
    sent = entry(derived.derived_record(), apart=Apart.PREDICTION)
    (found,) = tables(render(card_page(prediction=derived.derived_record(), others=(sent,)))).values()
    assert "predicted: fits up to" in found
    assert " ran with " not in found


def test_records_that_disagree_are_shown_to_disagree() -> None:
    differ = Reproduction(confirmed=0, unconfirmed=0, cards=0, disagreeing=2, disagreeing_ids=("ab" * 8,))
    found = tables(render(card_page(RAN, entries=(entry(RAN, answers=answers(reproduction=differ)),))))
    assert "2 others disagree" in found["Published"]


def test_without_figures_the_page_says_so_and_lists_the_records() -> None:
    held = entry(RAN, state=State.HELD)
    page = render(card_page(entries=(held,), slug="gb10", name="NVIDIA GB10"))
    assert "No figures yet" in page
    assert held.id in page


def test_plots_come_from_files_of_the_site() -> None:
    page = render(card_page(RAN))
    assert re.findall(r'<script src="([^"]+)"', page) == [
        "../../../assets/vega.js",
        "../../../assets/plots.js",
    ]
    assert "script-src 'self';" in page
    assert len(page) < 200_000


def test_a_page_has_the_newest_records_and_counts_the_others() -> None:
    many = tuple(entry(RAN).model_copy(update={"id": f"{nth:016x}"}) for nth in range(600))
    page = render(card_page(RAN, entries=many))
    assert page.count("/records/") == 500
    assert "100 older ones" in page


@pytest.mark.parametrize("name", ["hostile", "hostile card", "hostile derived"])
def test_text_of_a_record_a_handle_and_a_reason_is_escaped(name: str) -> None:
    bad = "<script>alert(1)</script>\u202e\x1b[31m<img src=x>"
    shown = entry(RECORDS[name], state=State.HELD, handle=bad, reason=bad)
    page = render(card_page(RECORDS[name], entries=(shown,), name=bad))
    assert len(re.findall("<script[ >]", page)) in {0, 3}
    assert "<img" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_every_sample_has_a_page_with_links_inside_the_site() -> None:
    for record in RECORDS.values():
        page = render(card_page(record, entries=(entry(record),)))
        assert not re.findall(r'(?:href|src)="(?:/|http)', page)
