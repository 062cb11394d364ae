"""Replies: incoming texts, who texted STOP, and what Twilio charged for each call and text."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "incoming_texts",
        sa.Column("sid", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("from_number", sa.Text, nullable=False),
        sa.Column("to_number", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("alert_id", sa.Text),
    )
    op.create_index("incoming_texts_by_number", "incoming_texts", ["from_number", "at"])
    op.create_table(
        "texting_states",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
    )
    op.add_column("submissions", sa.Column("price", sa.Double))
    op.add_column("submissions", sa.Column("price_unit", sa.Text))
