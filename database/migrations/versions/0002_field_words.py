"""Rename tables and columns, and let workers claim alerts instead of DBOS workflows.

Alerts that a workflow was delivering are released, to be claimed by a worker. Their requests to
Twilio are in the database, and an unanswered one is looked up before anything is sent again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ALERT = ["alert_id", "account_sid"]


def upgrade() -> None:
    op.drop_index("alerts_open", "alerts")
    op.execute(sa.text("ALTER TABLE alerts RENAME COLUMN workflow_id TO claimed_by"))
    op.execute(sa.text("UPDATE alerts SET claimed_by = NULL"))
    op.create_index(
        "alerts_open",
        "alerts",
        ["account_sid", "claimed_by", "due_at"],
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.column("is_open", sa.Boolean),
    )

    op.drop_index("attempts_by_alert", "attempts")
    op.drop_index("attempts_open", "attempts")
    op.rename_table("attempts", "submissions")
    _rename_constraints("attempts", "submissions", "pkey", "sid_key", "alert_id_account_sid_fkey")
    op.create_index("submissions_by_alert", "submissions", [*ALERT, "try_number"])
    undecided = sa.column("outcome", sa.Text).is_(None)
    op.create_index(
        "submissions_open",
        "submissions",
        ["to_number", "channel", "account_sid"],
        unique=True,
        sqlite_where=undecided,
        postgresql_where=undecided,
    )

    op.rename_table("pace", "rate_limits")
    _rename_constraints("pace", "rate_limits", "pkey")

    # These rows are processes of the older version. Those of this one add themselves.
    op.drop_table("executors")
    op.create_table(
        "workers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
    )


def _rename_constraints(old: str, new: str, *endings: str) -> None:
    """Rename constraints too: PostgreSQL names them after the table but doesn't rename them."""
    if op.get_bind().dialect.name == "postgresql":
        for ending in endings:
            op.execute(
                sa.text(f"ALTER TABLE {new} RENAME CONSTRAINT {old}_{ending} TO {new}_{ending}")
            )
