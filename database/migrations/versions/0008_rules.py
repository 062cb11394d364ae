"""Rules: what they are, where they stand, what they found and whom they told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    _rules()
    _checks()
    _mutes()
    op.add_column("alerts", sa.Column("rule_id", sa.Text))
    op.create_index(
        "alerts_by_rule",
        "alerts",
        ["rule_id", "account_sid", "stage", "channel", "position"],
        sqlite_where=sa.text("rule_id IS NOT NULL"),
        postgresql_where=sa.text("rule_id IS NOT NULL"),
    )


def _rules() -> None:
    op.create_table(
        "rules",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("deleted_at", sa.Double),
    )
    op.create_index(
        "rules_by_name",
        "rules",
        ["name_key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "rule_versions",
        sa.Column("rule_id", sa.Text, sa.ForeignKey("rules.id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )
    op.create_table(
        "rule_state",
        sa.Column("rule_id", sa.Text, sa.ForeignKey("rules.id"), primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_at", sa.Double, nullable=False),
        sa.Column("state_by", sa.Text, nullable=False),
        sa.Column("key_columns", sa.JSON, nullable=False),
        sa.Column("check_number", sa.Integer, nullable=False),
        sa.Column("counted_checks", sa.Integer, nullable=False),
        sa.Column("next_check_at", sa.Double),
        sa.Column("leased_by", sa.Text),
        sa.Column("leased_until", sa.Double),
        sa.Column("last_check_at", sa.Double),
        sa.Column("last_seconds", sa.Double),
        sa.Column("bad", sa.Integer),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.Double),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("owner_told", sa.Text, nullable=False),
        sa.Column("owner_told_at", sa.Double),
        sa.Column("prints", sa.JSON(none_as_null=True)),
        sa.Column("gathered_until", sa.Double),
    )
    op.create_index("rule_state_due", "rule_state", ["next_check_at", "account_sid"])


def _checks() -> None:
    op.create_table(
        "checks",
        sa.Column("rule_id", sa.Text, sa.ForeignKey("rules.id"), primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("bad", sa.Integer),
        sa.Column("new", sa.Integer, nullable=False),
        sa.Column("fired", sa.Integer, nullable=False),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("over", sa.Integer, nullable=False),
    )
    op.create_index("checks_by_time", "checks", ["at"])
    op.create_table(
        "episodes",
        sa.Column("rule_id", sa.Text, sa.ForeignKey("rules.id"), primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("key_hash", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("key", sa.JSON, nullable=False),
        sa.Column("row", sa.JSON, nullable=False),
        sa.Column("began_at", sa.Double, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("since_check", sa.Integer, nullable=False),
        sa.Column("returns_to", sa.Text, nullable=False),
        sa.Column("fired_at", sa.Double),
        sa.Column("over_at", sa.Double),
        sa.Column("is_told", sa.Boolean, nullable=False),
        sa.Column("reminders", sa.Integer, nullable=False),
        sa.Column("reminded_at", sa.Double),
    )
    op.create_index(
        "episodes_open",
        "episodes",
        ["rule_id", "account_sid"],
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_index(
        "episodes_over",
        "episodes",
        ["over_at"],
        sqlite_where=sa.text("is_open = 0"),
        postgresql_where=sa.text("NOT is_open"),
    )
    op.create_table(
        "episode_alerts",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, primary_key=True),
        sa.Column("rule_id", sa.Text, primary_key=True),
        sa.Column("key_hash", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
    )
    op.create_index(
        "episode_alerts_by_episode",
        "episode_alerts",
        ["rule_id", "account_sid", "key_hash", "number"],
    )


def _mutes() -> None:
    op.create_table(
        "mutes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("key_hash", sa.Text, nullable=False),
        sa.Column("key_words", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("began_at", sa.Double, nullable=False),
        sa.Column("until", sa.Double),
        sa.Column("weekly", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("muted_by", sa.Text, nullable=False),
    )
    op.create_index("mutes_by_rule", "mutes", ["rule_id", "account_sid"])
