"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "submissions",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("content_hash", sa.String(71), nullable=False, unique=True),
        sa.Column("key_id", sa.String(64), nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("received_at", _TIME, nullable=False),
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
    op.create_table(
        "keys",
        sa.Column("key_id", sa.String(64), primary_key=True),
        sa.Column("revoked_at", _TIME),
        sa.Column("revoked_reason", sa.Text),
        sa.Column("account", sa.Text),
        sa.Column("account_url", sa.Text),
        sa.Column("confirmed_at", _TIME),
    )
    op.create_table(
        "requests",
        sa.Column("idempotency_key", sa.String(64), primary_key=True),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("received_at", _TIME, nullable=False, index=True),
    )
    op.create_table(
        "log",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
