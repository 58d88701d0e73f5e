"""What people decide is kept with its reason, and is in the log."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bench.errors import UsageError
from bench.receiver import ledger
from bench.receiver.database import Database
from bench.receiver.ledger import Event
from bench.receiver.moderation import KEEPS_ADDRESSES, forget_old, moderate, published, reason_of, revoke
from bench.receiver.states import Action, State
from bench.receiver.submissions import Submission, body, find
from bench.receiver.tables import SUBMISSIONS
from tests.receiver.sent import NOW, do, every, look, sent


def act(database: Database, one: Submission, action: Action, reason: str = "because") -> Submission:
    return do(database, moderate, one.id, action, reason, NOW)


def log_of(database: Database) -> list[ledger.Entry]:
    return every(database, ledger.entries)


def test_a_held_submission_is_published_with_its_reason(database: Database) -> None:
    held = sent(database, note="hello")
    found = act(database, held, Action.PUBLISH, "the note is harmless")
    assert (found.state, found.reason) == (State.PUBLISHED, "the note is harmless")
    assert [each.event for each in log_of(database)] == [Event.RECEIVED, Event.HELD, Event.PUBLISHED]
    assert len({each.subject for each in log_of(database)}) == 1, "all about one submission"


def test_what_is_not_possible_changes_nothing(database: Database) -> None:
    one = sent(database)
    act(database, one, Action.DELETE)
    with pytest.raises(UsageError, match="deleted"):
        act(database, one, Action.PUBLISH)
    assert look(database, find, one.id).state is State.DELETED


def test_deletion_leaves_a_tombstone_and_nothing_of_the_sender(database: Database) -> None:
    one = sent(database, handle="ada", note="my words")
    act(database, one, Action.DELETE, "asked for by mail")
    row = database.read(lambda connection: dict(connection.execute(sa.select(SUBMISSIONS)).mappings().one()))
    left = {name: value for name, value in row.items() if value is not None}
    assert left.keys() == {
        *("seq", "id", "content_hash", "key_id", "model", "slug"),
        *("state", "received_at", "reason", "findings"),
    }
    assert (left["state"], left["reason"], left["findings"]) == ("deleted", "asked for by mail", "[]")
    assert look(database, body, one.id) is None
    assert log_of(database)[-1].event is Event.DELETED
    lines = [each.model_dump_json() for each in log_of(database)]
    assert list(ledger.verify(lines))[-1].size == 3


def test_a_build_publishes_what_was_valid(database: Database) -> None:
    valid, held = sent(database, 1), sent(database, 2, note="hello")
    do(database, published, [valid.id, held.id], NOW)
    states = [look(database, find, one.id).state for one in (valid, held)]
    assert states == [State.PUBLISHED, State.HELD]


def test_a_revoked_key_holds_all_its_records_and_no_others(database: Database) -> None:
    stolen = [sent(database, 1, key=1), sent(database, 2, key=1)]
    other = sent(database, 3, key=2)
    do(database, published, [stolen[0].id], NOW)
    count = do(database, revoke, stolen[0].key_id, "stolen", NOW)
    assert count == 2
    for one in stolen:
        assert look(database, find, one.id).state is State.HELD
    assert look(database, find, other.id).state is State.VALID
    with pytest.raises(UsageError, match="revoked already"):
        do(database, revoke, stolen[0].key_id, "stolen", NOW)
    assert stolen[0].key_id not in "".join(each.model_dump_json() for each in log_of(database))


def test_addresses_are_forgotten(database: Database) -> None:
    sent(database)
    later = NOW + KEEPS_ADDRESSES

    def addresses(connection: sa.Connection) -> list[str | None]:
        return list(connection.scalars(sa.select(SUBMISSIONS.c.address)))

    assert not do(database, forget_old, later)
    assert database.read(addresses) == ["192.0.2.1"]
    assert do(database, forget_old, later + timedelta(seconds=1))
    assert database.read(addresses) == [None]
    assert not do(database, forget_old, later + timedelta(seconds=1)), "there is nothing more"


def test_a_reason_is_one_line() -> None:
    assert reason_of(" the note\nis \x1b[31mharmless ") == "the note is \ufffd[31mharmless"
    assert reason_of("x" * 500) == "x" * 500


@pytest.mark.parametrize("text", ["", " \n", "x" * 501, " " * 300 + "x" * 501])
def test_no_reason_and_a_long_one_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="1 to 500 characters"):
        reason_of(text)


@pytest.mark.parametrize("key", ["0123456789abcdef", "A" * 64, "\x1b[2J"])
def test_only_the_whole_id_of_a_key_revokes_it(database: Database, key: str) -> None:
    with pytest.raises(UsageError, match="is no id of a key") as caught:
        do(database, revoke, key, "stolen", NOW)
    assert str(caught.value).isprintable()
