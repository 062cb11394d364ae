"""People: contacts and their numbers, groups, and message templates with names."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("clock_zone", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_index("contacts_by_name", "contacts", ["name_key", "id"])
    op.create_index("contacts_by_clock_zone", "contacts", ["clock_zone"])
    op.create_table(
        "contact_numbers",
        sa.Column("contact_id", sa.Text, sa.ForeignKey("contacts.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Text, nullable=False),
    )
    op.create_index("contact_numbers_by_number", "contact_numbers", ["number"], unique=True)
    op.create_table(
        "contact_groups",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Text, sa.ForeignKey("contact_groups.id"), primary_key=True),
        sa.Column("contact_id", sa.Text, sa.ForeignKey("contacts.id"), primary_key=True),
    )
    op.create_index("group_members_by_contact", "group_members", ["contact_id"])
    op.create_table(
        "message_templates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
