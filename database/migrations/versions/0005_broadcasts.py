"""Broadcasts: many alerts with one title."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.add_column("alerts", sa.Column("broadcast_id", sa.Text))
    op.add_column("alerts", sa.Column("place_in_broadcast", sa.Integer))
    op.create_index(
        "alerts_by_broadcast",
        "alerts",
        ["broadcast_id", "account_sid"],
        sqlite_where=sa.text("broadcast_id IS NOT NULL"),
        postgresql_where=sa.text("broadcast_id IS NOT NULL"),
    )
