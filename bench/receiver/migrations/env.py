"""Alembic's environment: migrates the connection that `bench.receiver.database` has opened."""

from alembic import context

from bench.receiver.tables import METADATA


def _migrate() -> None:
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


if hasattr(context, "config"):  # Alembic runs this file; whoever imports it migrates nothing
    _migrate()
