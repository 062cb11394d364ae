"""What holds alerts back: limits of a number, a person and a day, a second yes, and a stop."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    for table in ("alerts", "events"):
        op.add_column(table, sa.Column("held_until", sa.Double))
        op.add_column(
            table, sa.Column("held_for", sa.Text, nullable=False, server_default=sa.text("''"))
        )
    op.add_column("submissions", sa.Column("estimate", sa.Double))
    op.create_index(
        "submissions_of_later_tries",
        "submissions",
        ["at", "account_sid"],
        sqlite_where=sa.text("try_number > 1"),
        postgresql_where=sa.text("try_number > 1"),
    )
    op.create_table(
        "sending",
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("stopped_at", sa.Double),
        sa.Column("stopped_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "refusals",
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("alerts", sa.Integer, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("requests", sa.JSON, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_at", sa.Double),
    )
    op.create_index("approvals_by_time", "approvals", ["asked_at", "account_sid"])
