"""The history: alerts, their events, requests to Twilio, and the rates of an account."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# The columns that refer to an alert from other tables.
ALERT = ["alert_id", "account_sid"]


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("from_number", sa.Text, nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("workflow_id", sa.Text),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("try_number", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("to_number", sa.Text, nullable=False),
        sa.Column("sid", sa.Text),
        sa.Column("twiml_url", sa.Text),
        sa.Column("error", sa.JSON),
        sa.Column("answered_by", sa.Text),
        sa.Column("canceling", sa.Boolean, nullable=False),
    )
    for name, column in (
        ("alerts_by_number", "to_number"),
        ("alerts_by_person", "person"),
        ("alerts_by_sender", "sender"),
        ("alerts_by_status", "status"),
    ):
        op.create_index(name, "alerts", [column, "account_sid", "created_at"])
    op.create_index("alerts_by_time", "alerts", ["created_at", "account_sid"])
    op.create_index(
        "alerts_open",
        "alerts",
        ["account_sid", "workflow_id", "due_at"],
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.column("is_open", sa.Boolean),
    )
    op.create_table(
        "events",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("try_number", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("sid", sa.Text),
        sa.Column("twiml_url", sa.Text),
        sa.Column("error", sa.JSON),
        sa.Column("answered_by", sa.Text),
        sa.Column("canceling", sa.Boolean, nullable=False),
        sa.Column("news", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(ALERT, ["alerts.id", "alerts.account_sid"]),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("try_number", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("to_number", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("sid", sa.Text, unique=True),
        sa.ForeignKeyConstraint(ALERT, ["alerts.id", "alerts.account_sid"]),
    )
    op.create_index("attempts_by_alert", "attempts", [*ALERT, "try_number"])
    undecided = sa.column("outcome", sa.Text).is_(None)
    op.create_index(
        "attempts_open",
        "attempts",
        ["to_number", "channel", "account_sid"],
        unique=True,
        sqlite_where=undecided,
        postgresql_where=undecided,
    )
    op.create_table(
        "pace",
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("next_at", sa.Double, nullable=False),
    )
    op.create_table(
        "executors",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
    )
