"""Tables of the receiver's database. `migrations/` makes them; a test compares the two."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa


class Time(sa.TypeDecorator[datetime]):
    """A time in UTC. SQLite knows no time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Read in UTC."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


METADATA: Final = sa.MetaData()

SUBMISSIONS: Final = sa.Table(
    "submissions",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("content_hash", sa.String(71), nullable=False, unique=True),
    sa.Column("key_id", sa.String(64), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("received_at", Time, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("findings", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("handle", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("salt", sa.LargeBinary),
)
"""What was sent. After deletion `body`, `handle`, `note`, `address` and `salt` are null."""

KEYS: Final = sa.Table(
    "keys",
    METADATA,
    sa.Column("key_id", sa.String(64), primary_key=True),
    sa.Column("revoked_at", Time),
    sa.Column("revoked_reason", sa.Text),
    sa.Column("account", sa.Text),
    sa.Column("account_url", sa.Text),
    sa.Column("confirmed_at", Time),
    sa.Column("confirmed_reason", sa.Text),
    sa.Column("confirmation", sa.Text),
)
"""Keys about which something was decided; every other key is neither revoked nor confirmed.

`confirmation`: the file that was fetched from `account_url`.
"""

REQUESTS: Final = sa.Table(
    "requests",
    METADATA,
    sa.Column("idempotency_key", sa.String(64), primary_key=True),
    sa.Column("body_sha256", sa.String(64), nullable=False),
    sa.Column("received_at", Time, nullable=False, index=True),
)
"""Idempotency keys, as SHA-256, with the bytes that came with each."""

LOG: Final = sa.Table(
    "log",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("event", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
"""The log. `subject`: a salted hash. Rows are only ever added."""
