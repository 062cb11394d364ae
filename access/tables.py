"""The tables of access. Times are seconds since 1970 in UTC, as in alerts/tables.py."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata

# What people did, see audit_entry.py. Rows are only ever added, and deleted when they are old.
audit = sa.Table(
    "audit",
    metadata,
    # Ids are in the order of time.
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about_id", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
)
sa.Index("audit_by_actor", audit.c.actor, audit.c.id)

# The settings at the last start of the app and of a worker, to notice what has changed since.
last_settings = sa.Table(
    "last_settings",
    metadata,
    # A Mode of alerts/services.py.
    sa.Column("mode", sa.Text, primary_key=True),
    # By the names of the settings; of secrets there is a salted hash.
    sa.Column("settings", sa.JSON, nullable=False),
)
