"""The tables of access. Times are seconds since 1970 in UTC, as in alerts/tables.py.

They hold no password and no cookie.
"""

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

# The settings at the last start of the app and of a worker, to notice changes.
last_settings = sa.Table(
    "last_settings",
    metadata,
    # A Mode of alerts/services.py.
    sa.Column("mode", sa.Text, primary_key=True),
    # Values by the settings' names; for secrets, a salted hash.
    sa.Column("settings", sa.JSON, nullable=False),
)

# A person is signed in for as long as there is a row. `mark` depends on their password.
sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("stays", sa.Boolean, nullable=False),
    sa.Column("began_at", sa.Double, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Index("sign_ins_by_name", "name_key"),
    sa.Index("sign_ins_by_time", "began_at"),
)

# Wrong tries of a name or from an address, or of a name at an address that it has signed in from.
sign_in_tries = sa.Table(
    "sign_in_tries",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("free_at", sa.Double, nullable=False),
    sa.Column("last_at", sa.Double, nullable=False),
    sa.Index("sign_in_tries_by_time", "last_at"),
)
