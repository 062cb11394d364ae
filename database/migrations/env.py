"""Alembic runs this file. It runs the migrations on the connection that `upgrade` passes."""

from alembic import context

from database.transactions import REVISION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=REVISION_TABLE.name
)
context.run_migrations()
