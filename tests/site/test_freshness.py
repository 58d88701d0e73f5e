"""Records with one nonce: roles, agreement, and who was first."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from bench.check.group import GroupKey
from bench.check.summary import brief_of
from bench.identity.accounts import account_of
from bench.records.enums import WeightMode
from bench.records.record import Record
from bench.site import places
from bench.site.decisions import Decisions
from bench.site.freshness import MOST_SHOWN, with_freshness
from bench.site.interface import MOST_COUNTED, Freshness, NonceRole
from bench.site.known_keys import Confirmed, Revoked
from bench.site.states import Received, place
from bench.validate.reading import judged_content
from tests.identity.signers import bundled, signer
from tests.samples.challenged import IDS, NONCE, SITE_KEY, challenged
from tests.site.results import CARD, built, entry_id, files_of, put, run
from tests.validate.good import good
from tests.validate.recipes import Recipe

OTHER_CARD = Recipe(card="rtx-4070", clips=(10.0,), tokens=(128,))
NOW = datetime(2026, 12, 1, tzinfo=UTC)
OWN = signer(SITE_KEY).public_key.keyid


@cache
def first() -> Record:
    return challenged(run(1))


@cache
def check() -> Record:
    return challenged(run(2, OTHER_CARD), checks=first())


def received(record: Record, key: int | None, name: str) -> Received:
    content = record.model_dump_json().encode() if key is None else bundled(record, key)
    head = judged_content(content, name).head
    return Received(name, GroupKey.of(head), brief_of(head), None)


def fresh(*sent: tuple[Record, int | None], site_key: str | None = None) -> list[Freshness | None]:
    files = [received(record, key, f"{nth}.json") for nth, (record, key) in enumerate(sent)]
    return [one.freshness for one in with_freshness(place(files, Decisions({}, {})), site_key)]


def the(found: Freshness | None) -> Freshness:
    assert found is not None
    return found


def roles(found: Freshness | None) -> list[NonceRole]:
    return [other.role for other in the(found).others]


def test_a_record_without_a_challenge_has_none() -> None:
    assert fresh((run(1), 1), (run(2), 2)) == [None, None]


def test_a_check_agrees_with_what_it_checks_on_whatever_card() -> None:
    one, two = map(the, fresh((first(), 1), (check(), 2)))
    assert (roles(one), roles(two)) == ([NonceRole.CHECKS], [NonceRole.CHECKED])
    assert (one.is_first, two.is_first) == (True, False)
    assert (one.agreeing_keys, two.agreeing_keys) == (1, 1)
    assert [(other.agreeing, other.count) for other in one.others] == [(32, 32)]


def test_answers_that_diverge_agree_up_to_there() -> None:
    late = challenged(run(2), ids=(*IDS[:17], *[0] * 15), checks=first())
    one, _ = map(the, fresh((first(), 1), (late, 2)))
    assert one.agreeing_keys == 0
    assert [(other.agreeing, other.count) for other in one.others] == [(17, 32)]


def test_a_key_does_not_confirm_itself_and_nobody_s_record_confirms_nothing() -> None:
    again = challenged(run(3))
    one, two, three = map(the, fresh((first(), 1), (again, 1), (check(), None)))
    assert roles(one) == [NonceRole.SAME_KEY, NonceRole.CHECKS]
    assert [each.agreeing_keys for each in (one, two, three)] == [0, 0, 1]


def test_an_account_confirms_once_and_never_itself() -> None:
    """Ada has two keys; the third is of another account."""
    at = "https://raw.githubusercontent.com/{}/x/HEAD/k.txt"
    ada, bob = (Confirmed(account_of(at.format(name)), NOW) for name in ("ada", "bob"))
    sent = [(first(), 1), (check(), 2), (challenged(run(5), checks=first()), 3)]
    files = [received(record, key, f"{nth}.json") for nth, (record, key) in enumerate(sent)]
    placed = place(files, Decisions({}, {}))
    known = [replace(one, known=account) for one, account in zip(placed, (ada, ada, bob), strict=True)]
    found = [the(one.freshness) for one in with_freshness(known, None)]
    assert [(each.agreeing_accounts, each.agreeing_keys) for each in found] == [(1, 0), (1, 0), (1, 0)]
    assert found[0].others[1].account == "github.com/bob"


def test_a_revoked_key_confirms_nothing() -> None:
    files = [received(first(), 1, "a.json"), received(check(), 2, "b.json")]
    revoked = {signer(2).public_key.keyid: Revoked("stolen")}
    one, two = with_freshness(place(files, Decisions({}, {}), revoked), None)
    assert (the(one.freshness).agreeing_keys, the(two.freshness).agreeing_keys) == (0, 1)


def test_a_nonce_that_another_key_takes_is_no_check() -> None:
    taken = challenged(run(4))
    one, two = map(the, fresh((first(), 1), (taken, 2)))
    assert roles(one) == roles(two) == [NonceRole.UNDECLARED]


def test_two_checks_of_one_record_are_checks_to_each_other() -> None:
    third = challenged(run(5), checks=first())
    found = fresh((first(), 1), (check(), 2), (third, 3))
    assert roles(found[1]) == [NonceRole.CHECKED, NonceRole.OTHER_CHECK]
    assert the(found[0]).agreeing_keys == 2


@pytest.mark.parametrize("weights", [WeightMode.RANDOM, WeightMode.LOCAL])
def test_other_weights_are_not_compared(weights: WeightMode) -> None:
    other = challenged(good(Recipe(card=CARD, clips=(10.0,), tokens=(128,), weights=weights)))
    one, two = map(the, fresh((first(), 1), (other, 2)))
    assert [each.others[0].agreeing for each in (one, two)] == [None, None]
    assert [each.agreeing_keys for each in (one, two)] == [0, 0]


def test_another_site_s_nonce_of_the_same_digits_is_another_challenge() -> None:
    forged = challenged(run(6), site_key=51)
    assert [the(each).others for each in fresh((first(), 1), (forged, 2))] == [(), ()]


def test_whose_challenge_it_is_only_the_key_says() -> None:
    assert [the(each).is_own for each in fresh((first(), 1), site_key=OWN)] == [True]
    assert [the(each).is_own for each in fresh((first(), 1), site_key="0" * 64)] == [False]
    assert [the(each).is_own for each in fresh((first(), 1))] == [False]


def test_few_of_many_are_listed_and_counting_stops() -> None:
    many = [(challenged(run(seed)), seed) for seed in range(2, MOST_SHOWN + 5)]
    found = the(fresh((first(), 1), *many)[0])
    assert (len(found.others), found.left_out, found.agreeing_keys) == (MOST_SHOWN, 3, MOST_COUNTED)


def test_many_records_with_one_nonce_take_no_longer_than_many_with_their_own() -> None:
    """Compared one with another, these would take a minute."""
    one = received(first(), 1, "0.json")
    brief = one.brief
    copies = [
        replace(one, path=f"{nth}.json", brief=brief._replace(hash=f"sha256:{nth:064x}", series=()))
        for nth in range(5_000)
    ]
    found = [each.freshness for each in with_freshness(place(copies, Decisions({}, {})), None)]
    assert {the(each).left_out for each in found} == {MOST_COUNTED}
    assert {the(each).agreeing_keys for each in found} == {0}


def test_a_stranger_who_takes_the_nonce_of_two_runs_says_nothing_about_the_second() -> None:
    again, stranger = challenged(run(3)), challenged(run(4))
    found = fresh((first(), 1), (again, 1), (stranger, 9))
    assert [the(each).is_first for each in found] == [True, True, False]


def test_a_check_that_comes_later_changes_the_page_of_the_record_on_another_card(tmp_path: Path) -> None:
    results, out, index = tmp_path / "results", tmp_path / "public", tmp_path / "index"
    put(results, first(), key=1)
    put(results, run(7), key=7)
    built(results, out, index)
    page = places.record_page(entry_id(first()))
    before = files_of(out)
    assert NONCE[:8] not in before[page].decode()
    assert "Nobody else with published weights" in before[page].decode()

    put(results, check(), key=2)
    built(results, out, index)
    after = files_of(out)
    assert "1 other key with published weights gave the same ids." in after[page].decode()
    assert f"records/{entry_id(check())}/index.html" in after[page].decode()
    other = places.record_page(entry_id(run(7)))
    assert after[other] == before[other]
    assert files_of_new(results, tmp_path) == after


def files_of_new(results: Path, folder: Path) -> dict[str, bytes]:
    """The same folder built by itself."""
    built(results, folder / "again", folder / "index-2")
    return files_of(folder / "again")
