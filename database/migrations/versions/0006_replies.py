"""Replies: incoming texts, who texted STOP, how long calls took, and what Twilio charged."""

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
    op.create_index("incoming_texts_by_alert", "incoming_texts", ["alert_id", "account_sid"])
    op.create_table(
        "texting_states",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
    )
    op.add_column("submissions", sa.Column("price", sa.Double))
    op.add_column("submissions", sa.Column("price_unit", sa.Text))
    op.create_index("submissions_by_number", "submissions", ["to_number", "account_sid", "at"])
    op.create_index(
        "submissions_unpriced",
        "submissions",
        ["at", "account_sid"],
        sqlite_where=sa.text("price IS NULL"),
        postgresql_where=sa.text("price IS NULL"),
    )
    op.add_column("events", sa.Column("duration", sa.Integer))
    op.add_column(
        "events", sa.Column("send_now", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column(
        "alerts", sa.Column("send_now", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column(
        "alerts", sa.Column("asks_reply", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("alerts", sa.Column("reply_until", sa.Double))
