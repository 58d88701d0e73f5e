"""The page of one record."""

import re

import pytest

from bench.site.interface import Apart, Plausible, Signature, State
from bench.site.pages.record import render
from tests.samples import records as sample
from tests.samples.named import RECORDS
from tests.site.pages.samples import answers, finding, record_page

SUSPICIOUS = finding("decode_near_bandwidth", ratio=0.97)
WRONG = finding("summary_mismatch", stated=99999.0, computed=180.5)


def test_a_published_record_shows_answers_tables_and_files() -> None:
    page = render(record_page(sample.all_measured_48(), handle="ada", note="Power limit at 80 %"))
    for text in (
        "Published.",
        "signed",
        "plausible",
        "not reproduced",
        "ada",
        "Power limit at 80 %",
        "CC0-1.0",
    ):
        assert text in page
    assert page.count("<table") >= 3
    assert 'href="record.json"' in page
    assert 'href="bundle.json"' in page
    assert 'href="../../check/MOSS-Audio-4B-Instruct/rtx-4070/index.html"' in page
    assert "<script" not in page


def test_a_held_record_shows_what_was_found_and_its_figures() -> None:
    given = answers(plausible=Plausible.HELD, findings=(SUSPICIOUS,))
    page = render(
        record_page(sample.all_measured_48(), state=State.HELD, findings=(SUSPICIOUS,), answers=given)
    )
    assert SUSPICIOUS.sentence.replace("'", "&#39;") in page
    assert SUSPICIOUS.path in page
    assert "tok/s" in page


def test_a_refused_record_lists_its_findings_and_no_figures() -> None:
    page = render(
        record_page(
            sample.all_measured_48(),
            shows_figures=False,
            state=State.REFUSED,
            findings=(WRONG,),
            handle="mallory",
            answers=answers(plausible=Plausible.REFUSED, findings=(WRONG,)),
        )
    )
    assert WRONG.sentence in page
    assert "tok/s" not in page
    assert "mallory" not in page
    assert "record.json" not in page
    assert "<table" not in page


def test_a_withdrawn_record_leaves_its_reason_only() -> None:
    page = render(
        record_page(sample.all_measured_48(), shows_figures=False, state=State.WITHDRAWN, reason="Wrong card")
    )
    assert "was withdrawn" in page
    assert "Wrong card" in page
    assert "tok/s" not in page
    assert "record.json" not in page


def test_a_repeat_links_to_the_first_and_says_if_the_order_is_a_guess() -> None:
    for known in (True, False):
        page = render(
            record_page(sample.all_measured_48(), state=State.REPLAYED, keeper="ab" * 8, order_is_known=known)
        )
        assert 'href="../../records/abababababababab/index.html"' in page
        assert ("no history says" in page) != known


def test_an_unsigned_smoke_run_says_both() -> None:
    given = answers(signature=Signature.UNSIGNED, key_id=None)
    page = render(record_page(sample.smoke(), apart=Apart.SMOKE, answers=given))
    assert "unsigned" in page
    assert "smoke run" in page
    assert "no median" in page


@pytest.mark.parametrize("name", ["hostile", "hostile card", "hostile derived"])
def test_text_of_a_record_a_handle_and_a_note_is_escaped(name: str) -> None:
    bad = "<script>alert(1)</script>\u202e\x1b[31m<img src=x>"
    page = render(record_page(RECORDS[name], handle=bad, note=bad))
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page


def test_every_sample_has_a_page() -> None:
    for record in RECORDS.values():
        page = render(record_page(record))
        assert not re.findall(r'(?:href|src)="(?:/|http)', page)


def test_many_findings_are_counted_and_not_all_listed() -> None:
    page = render(record_page(sample.standard(), findings=(SUSPICIOUS,) * 150))
    assert page.count(SUSPICIOUS.path) == 100
    assert "50 more" in page
