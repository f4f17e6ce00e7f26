"""Alembic's entry: runs the steps on the connection it was handed, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from enrollment.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    # True on SQLite too: `enrollment.database` begins transactions itself, so steps roll back as one.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
