"""The tables of people, groups and message templates.

They belong to no Twilio account: the same people are called in a simulation and for real.
"""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    # The name as `name_key` in names.py makes it, to search and sort by.
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    # The zone of their clock, "" if it isn't known: `time_zone`, or that of their number.
    sa.Column("clock_zone", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Index("contacts_by_name", "name_key", "id"),
    sa.Index("contacts_by_clock_zone", "clock_zone"),
)

# Up to three numbers each, in the order in which they are tried: as in `PhoneNumber.dialed`. A
# number belongs to one contact.
contact_numbers = sa.Table(
    "contact_numbers",
    metadata,
    sa.Column("contact_id", sa.Text, sa.ForeignKey(contacts.c.id), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Index("contact_numbers_by_number", "number", unique=True),
)

# Not just "groups", which is a keyword of SQL.
contact_groups = sa.Table(
    "contact_groups",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),
)

group_members = sa.Table(
    "group_members",
    metadata,
    sa.Column("group_id", sa.Text, sa.ForeignKey(contact_groups.c.id), primary_key=True),
    sa.Column("contact_id", sa.Text, sa.ForeignKey(contacts.c.id), primary_key=True),
    sa.Index("group_members_by_contact", "contact_id"),
)

message_templates = sa.Table(
    "message_templates",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
)
