"""The file that confirms a key, and why it was confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("keys", sa.Column("confirmed_reason", sa.Text))
    op.add_column("keys", sa.Column("confirmation", sa.Text))
