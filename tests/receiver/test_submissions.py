"""A bundle is stored once, whoever sends it how often."""

import pytest

from bench.errors import RecordError
from bench.receiver import ledger
from bench.receiver.database import Database
from bench.receiver.intake import RefusedError
from bench.receiver.moderation import moderate, revoke
from bench.receiver.states import Action, State
from bench.receiver.submissions import Request, ReusedKeyError, body, find, listed, receive
from tests.receiver.sent import NOW, REQUEST, bundle, do, every, judged, look, sent
from tests.site.results import run


def test_a_new_bundle_is_stored_with_its_bytes_and_an_entry_of_the_log(database: Database) -> None:
    stored = sent(database)
    assert stored.id == run(1).content_hash.removeprefix("sha256:")[:16]
    assert (stored.state, stored.received_at) == (State.VALID, NOW)
    assert look(database, find, stored.id) == stored
    assert look(database, body, stored.id) == bundle()
    assert [each.event for each in every(database, ledger.entries)] == [ledger.Event.RECEIVED]


def test_the_same_record_again_is_the_same_submission(database: Database) -> None:
    first = sent(database)
    again, is_new = do(database, receive, judged(), REQUEST)
    assert (again, is_new) == (first, False)
    with_note, is_new = do(database, receive, judged(note="hi"), REQUEST)
    assert (with_note, is_new) == (first, False)
    assert len(every(database, ledger.entries)) == 1


def test_another_key_cannot_take_a_record_over(database: Database) -> None:
    sent(database, key=1)
    with pytest.raises(RefusedError, match="signed by another key"):
        sent(database, key=2)


def test_a_deleted_record_does_not_come_back(database: Database) -> None:
    stored = sent(database)
    do(database, moderate, stored.id, Action.DELETE, "asked for", NOW)
    with pytest.raises(RefusedError, match="was deleted"):
        sent(database)


def test_what_a_revoked_key_signs_is_held(database: Database) -> None:
    first = sent(database, seed=1)
    do(database, revoke, first.key_id, "stolen", NOW)
    second = sent(database, seed=2)
    assert (second.state, second.reason) == (State.HELD, "the key was revoked")


def test_an_idempotency_key_belongs_to_its_bytes(database: Database) -> None:
    request = Request(at=NOW, idempotency_key="mine \ud800")
    for seed in (1, 1):
        do(database, receive, judged(seed), request)
    with pytest.raises(ReusedKeyError):
        do(database, receive, judged(2), request)
    assert len(every(database, listed, list(State))) == 1


def test_two_contents_that_begin_alike_have_two_ids(database: Database) -> None:
    from dataclasses import replace

    alike = [replace(judged(seed), content_hash=f"sha256:{'a' * 63}{seed}") for seed in (1, 2)]
    ids = [do(database, receive, one, REQUEST)[0].id for one in alike]
    assert ids == ["a" * 16, "a" * 63 + "2"]


def test_an_id_that_nothing_has_is_an_error_with_the_next_step(database: Database) -> None:
    with pytest.raises(RecordError, match="no submission has this id"):
        look(database, find, "0" * 16)


def test_submissions_are_listed_in_the_order_in_which_they_came(database: Database) -> None:
    found = [sent(database, seed) for seed in (3, 1, 2)]
    held = sent(database, 4, note="hello")
    assert every(database, listed, [State.VALID]) == found
    assert every(database, listed, [State.HELD]) == [held]
