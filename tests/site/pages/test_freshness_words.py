"""The challenge of a record on its page."""

import re
from datetime import UTC, datetime
from functools import cache

import pytest

from bench.records.enums import WeightMode
from bench.records.reasons import RunInterrupted
from bench.records.record import Record
from bench.site.interface import MOST_COUNTED, Freshness, NonceRole, SameNonce
from bench.site.pages import contribute, record
from bench.site.pages.freshness_words import SHOWS, SHOWS_NOT
from bench.wording import outcomes
from tests.samples.challenged import challenged
from tests.site.pages.samples import record_page
from tests.validate.good import good, ordinary
from tests.validate.recipes import Recipe

ISSUED = "2026-11-20 18:03:09 UTC"
ALONE = Freshness(
    received_at=datetime(2026, 11, 20, 18, 17, 9, tzinfo=UTC),
    is_own=True,
    is_first=True,
    agreeing_accounts=0,
    agreeing_keys=0,
    others=(),
    left_out=0,
)


@cache
def fresh() -> Record:
    return challenged(ordinary())


def section(found: Freshness = ALONE, of: Record | None = None, *, order_is_known: bool = True) -> str:
    """Return the text of the section on the page of a record."""
    page = record_page(of or fresh(), order_is_known=order_is_known)
    entry = page.entry.model_copy(update={"freshness": found})
    html = record.render(page.model_copy(update={"entry": entry}))
    text = html.partition('<section aria-labelledby="fresh">')[2].partition("</section>")[0]
    return " ".join(re.sub("<[^>]*>", " ", text).split())


def other(role: NonceRole, **changes: object) -> SameNonce:
    found = SameNonce(
        id="ab" * 8,
        key_id="cd" * 32,
        account=None,
        role=role,
        weight_mode=WeightMode.HUB,
        agreeing=32,
        count=32,
    )
    return found.model_copy(update=changes)


def test_a_record_without_a_challenge_has_no_section() -> None:
    assert "Freshness" not in record.render(record_page(ordinary()))


def test_a_challenge_of_this_site() -> None:
    said = section()
    assert f"Finished after {ISSUED}: it contains a nonce that this site issued then" in said
    assert "It came here 14 min after that." in said
    assert "32 token ids, by published weights" in said
    assert "that these were the published weights is not shown" in said
    for line in (*SHOWS, *SHOWS_NOT):
        assert line in said


def test_a_challenge_of_another_site_is_the_word_of_a_key() -> None:
    said = section(ALONE.model_copy(update={"is_own": False, "received_at": None}))
    assert f"Finished after {ISSUED}, as https://results.example.org with the key " in said
    assert "This site says nothing about that time." in said
    assert "It came here" not in said


def test_a_record_that_came_before_its_nonce_shows_two_clocks() -> None:
    early = ALONE.model_copy(update={"received_at": datetime(2026, 11, 20, tzinfo=UTC)})
    assert "It came here before that: one of the two clocks is wrong." in section(early)


@pytest.mark.parametrize("weights", [WeightMode.RANDOM, WeightMode.LOCAL])
def test_other_weights_say_nothing_of_the_published_ones(weights: WeightMode) -> None:
    said = section(of=challenged(good(Recipe(weights=weights))))
    assert "The answer says nothing about the published weights." in said


def test_a_run_that_did_not_answer() -> None:
    silent = challenged(ordinary(), outcome=outcomes.skipped(RunInterrupted()))
    assert "The run did not answer about the excerpt (skipped)." in section(of=silent)


def test_a_check_that_agrees_is_named_with_what_it_is_worth() -> None:
    found = ALONE.model_copy(update={"agreeing_keys": 1, "others": (other(NonceRole.CHECKS),)})
    said = section(found)
    assert "1 other key with published weights gave the same ids. An answer that is on a page can be" in said
    row = f"{'ab' * 8} ({'cd' * 8}): checks this record, published weights; all 32 token ids agree"
    assert row in said
    assert "One nonce, several keys" not in said


def test_a_confirmed_account_is_named_apart_from_keys() -> None:
    checks = other(NonceRole.CHECKS, account="github.com/ada")
    said = section(ALONE.model_copy(update={"agreeing_accounts": 2, "agreeing_keys": 1, "others": (checks,)}))
    assert "2 other confirmed accounts and 1 other key with published weights gave the same ids." in said
    assert "(github.com/ada): checks this record" in said


def test_a_check_that_diverges_accuses_nobody() -> None:
    said = section(ALONE.model_copy(update={"others": (other(NonceRole.CHECKS, agreeing=17),)}))
    assert "the token ids agree up to 17 of 32, and diverge after that" in said
    assert not re.search("fraud|cheat|fake|lie", said)


def test_a_nonce_of_another_key_without_a_word_of_it_is_shown_on_both_pages() -> None:
    found = ALONE.model_copy(update={"others": (other(NonceRole.UNDECLARED),)})
    assert "This shows nothing about this record." in section(found)
    later = section(found.model_copy(update={"is_first": False}), order_is_known=False)
    assert "its ids can be copied from there: they show nothing" in later
    assert "(By file name: no history says which record came first.)" in later


def test_an_unsigned_one_and_one_that_is_not_compared() -> None:
    found = other(NonceRole.OTHER_CHECK, key_id=None, agreeing=None, weight_mode=WeightMode.RANDOM)
    said = section(ALONE.model_copy(update={"others": (found,), "left_out": 3}))
    assert "(unsigned): a check of the same nonce, random weights; not compared" in said
    assert "3 others" in said


def test_counting_stops() -> None:
    many = {"agreeing_keys": MOST_COUNTED, "others": (other(NonceRole.CHECKS),), "left_out": MOST_COUNTED}
    said = section(ALONE.model_copy(update=many))
    assert "20 or more other keys with published weights gave the same ids." in said
    assert "20 or more others" in said


def test_the_name_of_a_site_is_escaped() -> None:
    page = record_page(fresh())
    assert page.entry.head.challenge is not None
    bad = page.entry.head.challenge.model_copy(update={"site": "<script>alert(1)</script>\u202e"})
    head = page.entry.head.model_copy(update={"challenge": bad})
    found = ALONE.model_copy(update={"is_own": False})
    entry = page.entry.model_copy(update={"head": head, "freshness": found})
    html = record.render(page.model_copy(update={"entry": entry}))
    assert "<script" not in html
    assert "\u202e" not in html


def test_the_page_of_contributors_says_the_same() -> None:
    html = contribute.render()
    assert all(line in html for line in (*SHOWS, *SHOWS_NOT))
    assert "bench run --challenge https://HOST" in html
