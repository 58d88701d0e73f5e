"""Keys that an account confirms: the file fetched and verified, kept, and handed on with the results."""

import json
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bench.errors import UsageError
from bench.identity.accounts import account_of
from bench.identity.confirmation import MAX_BYTES, Confirmation, read_confirmation, require_same
from bench.receiver import ledger
from bench.receiver.ledger import Event
from bench.receiver.public_fetch import PUBLIC, Reach, fetch_public
from bench.receiver.submissions import is_revoked
from bench.receiver.tables import KEYS, SUBMISSIONS
from bench.records.decision import KeyConfirmed, KeyRevoked

MOST_S: Final = 10.0
"""Seconds that a fetch may take in all."""
_OF_ACCOUNT: Final = ("account", "account_url", "confirmed_at", "confirmed_reason", "confirmation")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A confirmation as it was found at its URL."""

    confirmation: Confirmation
    content: bytes


def fetch_confirmation(url: str, site: str, reach: Reach = PUBLIC) -> Fetched:
    """Fetch the file at a URL, and verify that it confirms a key to a site, given by its address.

    Raises:
        UsageError: no account belongs to the URL, or the site has no such address.
        FetchError: the file cannot be fetched, or is too large or too slow.
        RecordError: the file is no confirmation.
        GateError: its signature does not hold, or it is for another URL or site.
    """
    account = account_of(url)
    content = fetch_public(account.url, limit_bytes=MAX_BYTES, limit_s=MOST_S, reach=reach)
    found = read_confirmation(content, account.url)
    require_same(found, account.url, site)
    return Fetched(found, content)


def confirm(connection: sa.Connection, fetched: Fetched, reason: str, at: datetime) -> str | None:
    """Keep the account of a key, in the place of an earlier one, whose name is returned.

    Raises:
        UsageError: the key was revoked.
    """
    found = fetched.confirmation
    if is_revoked(connection, found.key_id):
        raise UsageError(
            f"{found.key_id}: was revoked", hint="Its owner makes a new one: bench submit --rotate-key"
        )
    of_key = KEYS.c.key_id == found.key_id
    before = connection.scalar(sa.select(KEYS.c.account).where(of_key))
    values = {
        "account": found.account.name,
        "account_url": found.account.url,
        "confirmed_at": at,
        "confirmed_reason": reason,
        "confirmation": fetched.content.decode(),
    }
    if not connection.execute(sa.update(KEYS).where(of_key).values(values)).rowcount:
        connection.execute(sa.insert(KEYS).values(key_id=found.key_id, **values))
    salt = secrets.token_bytes(ledger.SALT_BYTES)
    ledger.append(connection, Event.CONFIRMED, ledger.subject_of(salt, found.key_id), at)
    return before


def forget_account(connection: sa.Connection, key_id: str) -> None:
    """Delete the account of a key of which no submission has a body any more."""
    has_body = sa.and_(SUBMISSIONS.c.key_id == key_id, SUBMISSIONS.c.body.is_not(None))
    if connection.scalar(sa.select(SUBMISSIONS.c.seq).where(has_body).limit(1)) is None:
        connection.execute(
            sa.update(KEYS).where(KEYS.c.key_id == key_id).values(dict.fromkeys(_OF_ACCOUNT, None))
        )


def decided_keys(connection: sa.Connection, key_ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield which of some keys were confirmed or revoked, each with the file that says so to a site."""
    for row in connection.execute(sa.select(KEYS).order_by(KEYS.c.key_id)):
        if row.key_id in key_ids:
            decision = _decision(row)
            if decision is not None:
                yield row.key_id, decision.file


def _decision(row: sa.Row[tuple[object, ...]]) -> KeyConfirmed | KeyRevoked | None:
    if row.revoked_at is not None:
        return KeyRevoked(revoked_at=row.revoked_at, reason=row.revoked_reason)
    if row.confirmation is not None:
        confirmation = json.loads(row.confirmation)
        return KeyConfirmed(
            confirmed_at=row.confirmed_at, reason=row.confirmed_reason, confirmation=confirmation
        )
    return None
