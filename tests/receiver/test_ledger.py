"""The log: anybody can verify it, and nobody can change it unseen."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bench.errors import GateError
from bench.receiver.database import Database
from bench.receiver.ledger import Event, append, entries, subject_of, verify
from tests.receiver.sent import do, every

NOW = datetime(2026, 12, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def lines(database: Database) -> list[str]:
    """A log of five entries, as it is published."""
    for nth in range(5):
        subject = subject_of(bytes([nth]) * 16, "a record")
        do(database, append, Event.RECEIVED, subject, NOW)
    return [each.model_dump_json() for each in every(database, entries)]


def test_a_log_verifies_and_its_head_is_that_of_the_last_entry(lines: list[str]) -> None:
    heads = list(verify(lines))
    assert [head.size for head in heads] == [1, 2, 3, 4, 5]
    assert heads[-1].hash == json.loads(lines[-1])["hash"]
    assert list(verify([])) == []


def swapped(found: list[str]) -> list[str]:
    return [found[1], found[0], *found[2:]]


def relabelled(found: list[str]) -> list[str]:
    return [*found[:2], found[2].replace("received", "published"), *found[3:]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found[1:], "entry 1 .* does not follow"),
        (lambda found: [*found[:2], *found[3:]], "entry 3 .* does not follow"),
        (lambda found: [*found, found[-1]], "entry 6 .* does not follow"),
        (swapped, "entry 1 .* does not follow"),
        (relabelled, "entry 3 of the log was changed"),
        (lambda found: [*found[:4], "{}"], "entry 5 of the log: "),
        (lambda found: ["\x1b[2J"], "entry 1 of the log: "),
    ],
)
def test_a_log_that_was_changed_names_the_entry(
    lines: list[str], change: Callable[[list[str]], list[str]], message: str
) -> None:
    with pytest.raises(GateError, match=message):
        list(verify(change(lines)))


def test_entries_of_a_subject_are_found_with_its_salt_alone() -> None:
    assert subject_of(b"\0" * 16, "a") == subject_of(b"\0" * 16, "a")
    assert len({subject_of(salt, name) for salt in (b"\0" * 16, b"\1" * 16) for name in "ab"}) == 4


def test_a_part_of_the_log_begins_after_an_entry(database: Database, lines: list[str]) -> None:
    found = every(database, entries, after=3)
    assert [each.model_dump_json() for each in found] == lines[3:]
