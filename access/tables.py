"""The tables of sign-ins and of tries to sign in. They hold no password and no cookie."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata

# Somebody is signed in for as long as there is a row. `mark` depends on their password.
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
