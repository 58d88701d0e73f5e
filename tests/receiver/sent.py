"""Bundles as they come to the receiver, and the database after some of them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Concatenate, Final, ParamSpec, TypeVar

import sqlalchemy as sa

from bench.receiver.database import Database
from bench.receiver.intake import Judged, judge
from bench.receiver.submissions import Request, Submission, receive
from tests.identity.signers import bundled
from tests.site.results import run

NOW: Final = datetime(2026, 12, 1, 12, tzinfo=UTC)
REQUEST: Final = Request(at=NOW, address="192.0.2.1")


P = ParamSpec("P")
R = TypeVar("R")


def do(
    database: Database, work: Callable[Concatenate[sa.Connection, P], R], *given: P.args, **named: P.kwargs
) -> R:
    """Write with a function of the receiver."""
    return database.write(lambda connection: work(connection, *given, **named))


def look(
    database: Database, work: Callable[Concatenate[sa.Connection, P], R], *given: P.args, **named: P.kwargs
) -> R:
    """Read with a function of the receiver."""
    return database.read(lambda connection: work(connection, *given, **named))


def every(
    database: Database,
    work: Callable[Concatenate[sa.Connection, P], Iterable[R]],
    *given: P.args,
    **named: P.kwargs,
) -> list[R]:
    """Return all that a function of the receiver yields."""
    return database.read(lambda connection: list(work(connection, *given, **named)))


def bundle(seed: int = 1, key: int = 1, **words: str) -> bytes:
    """Return the bundle of one of many runs, signed by the key of a number."""
    return bundled(run(seed), key, **words)


def judged(seed: int = 1, key: int = 1, **words: str) -> Judged:
    """Return the same, judged."""
    return judge(bundle(seed, key, **words), NOW)


def sent(database: Database, seed: int = 1, key: int = 1, **words: str) -> Submission:
    """Send it, and return what is stored."""
    submission, _ = database.write(
        lambda connection: receive(connection, judged(seed, key, **words), REQUEST)
    )
    return submission
