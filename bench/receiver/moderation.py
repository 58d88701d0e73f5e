"""What people decide about submissions and keys, always with a reason. Every decision is in the log."""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bench.errors import UsageError
from bench.receiver import ledger
from bench.receiver.confirming import forget_account
from bench.receiver.ledger import Event
from bench.receiver.states import Action, State, after
from bench.receiver.submissions import Submission, find, is_revoked, listed, salt_of
from bench.receiver.tables import KEYS, REQUESTS, SUBMISSIONS
from bench.text import MAX_NAME, clean

MAX_REASON: Final = 500
"""Characters."""
KEEPS_ADDRESSES: Final = timedelta(days=14)
"""How long the address of a sender is kept, against floods; then it is deleted."""
KEEPS_REQUESTS: Final = timedelta(days=7)
"""How long an idempotency key is known."""
_KEY_ID: Final = re.compile(r"[0-9a-f]{64}")
_EVENTS: Final = {
    Action.PUBLISH: Event.PUBLISHED,
    Action.REJECT: Event.REJECTED,
    Action.WITHDRAW: Event.WITHDRAWN,
    Action.DELETE: Event.DELETED,
}


def reason_of(text: str) -> str:
    """Return a reason as it is kept: one line without control characters.

    Raises:
        UsageError: it is empty, or longer than 500 characters.
    """
    reason = clean(text, max(len(text), 1))
    if not 1 <= len(reason) <= MAX_REASON:
        raise UsageError(
            f"a reason has 1 to {MAX_REASON} characters", hint="It is kept and shown: say why in a sentence"
        )
    return reason


def moderate(
    connection: sa.Connection, submission_id: str, action: Action, reason: str, at: datetime
) -> Submission:
    """Change the state of a submission for a reason, which is kept and shown.

    Raises:
        RecordError: there is none of this id.
        UsageError: the action is not possible in its state.
    """
    known = find(connection, submission_id)
    values: dict[str, object] = {"state": after(known.state, action), "reason": reason}
    _log(connection, known, _EVENTS[action], at)
    if action is Action.DELETE:
        values |= dict.fromkeys(("body", "handle", "note", "address", "salt")) | {"findings": "[]"}
    connection.execute(sa.update(SUBMISSIONS).where(SUBMISSIONS.c.id == submission_id).values(values))
    if action is Action.DELETE:
        forget_account(connection, known.key_id)
    return find(connection, submission_id)


def published(connection: sa.Connection, ids: Iterable[str], at: datetime) -> None:
    """Note that a build of the site shows these submissions, which were valid."""
    for submission_id in ids:
        known = find(connection, submission_id)
        if known.state is State.VALID:
            _log(connection, known, Event.PUBLISHED, at)
            _set_state(connection, submission_id, State.PUBLISHED, None)


def require_key_id(text: str) -> None:
    """Check that a text is the whole id of a key.

    Raises:
        UsageError: it is none.
    """
    if _KEY_ID.fullmatch(text) is None:
        raise UsageError(
            f"'{clean(text, MAX_NAME)}' is no id of a key",
            hint="It has 64 hex digits; bench site queue shows it",
        )


def revoke(connection: sa.Connection, key_id: str, reason: str, at: datetime) -> int:
    """Revoke a key: hold all that it signed and that is on the site or waits for it. Return how many.

    Raises:
        UsageError: it is no id of a key, or is revoked already.
    """
    require_key_id(key_id)
    if is_revoked(connection, key_id):
        raise UsageError(f"{key_id}: is revoked already", hint="bench site queue lists what it signed")
    values = {"revoked_at": at, "revoked_reason": reason}
    changed = connection.execute(sa.update(KEYS).where(KEYS.c.key_id == key_id).values(values))
    if not changed.rowcount:
        connection.execute(sa.insert(KEYS).values(key_id=key_id, **values))
    ledger.append(
        connection, Event.REVOKED, ledger.subject_of(secrets.token_bytes(ledger.SALT_BYTES), key_id), at
    )
    count = 0
    for known in list(listed(connection, (State.VALID, State.PUBLISHED))):
        if known.key_id == key_id:
            _log(connection, known, Event.HELD, at)
            _set_state(connection, known.id, State.HELD, f"the key was revoked: {reason}")
            count += 1
    return count


def forget_old(connection: sa.Connection, now: datetime) -> bool:
    """Delete addresses and idempotency keys that are too old; return whether there were any."""
    old = SUBMISSIONS.c.address.is_not(None) & (SUBMISSIONS.c.received_at < now - KEEPS_ADDRESSES)
    done = (
        connection.execute(sa.update(SUBMISSIONS).where(old).values(address=None)),
        connection.execute(sa.delete(REQUESTS).where(REQUESTS.c.received_at < now - KEEPS_REQUESTS)),
    )
    return any(each.rowcount for each in done)


def _set_state(connection: sa.Connection, submission_id: str, state: State, reason: str | None) -> None:
    changed = sa.update(SUBMISSIONS).where(SUBMISSIONS.c.id == submission_id)
    connection.execute(changed.values(state=state, reason=reason))


def _log(connection: sa.Connection, known: Submission, event: Event, at: datetime) -> None:
    salt = salt_of(connection, known.id) or b""
    ledger.append(connection, event, ledger.subject_of(salt, known.content_hash), at)
