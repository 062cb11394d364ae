"""The tables of the history. Changes to them are migrations: see migrations/.

Times are seconds since 1970 in UTC: SQLite has no type for them, and both databases compare and
index numbers alike.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

# An alert: what was asked for, and where it stands, which its events decide.
alerts = sa.Table(
    "alerts",
    metadata,
    # The Twilio account it belongs to: the simulator's alerts are never sent to real people. Each
    # account has ids of its own, so that a script that was tried in a simulation can run for real.
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("from_number", sa.Text, nullable=False),
    # Not before: where the number has had its most alerts an hour.
    sa.Column("not_before", sa.Double, nullable=False),
    # Who sent it and who is at the number, for the pages that look for them.
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    # The workflow that delivers it; null while none does, which one may begin at `due_at`.
    sa.Column("workflow_id", sa.Text),
    sa.Column("due_at", sa.Double, nullable=False),
    # Where it stands. `revision` is the number of its last event.
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("sid", sa.Text),
    sa.Column("twiml_url", sa.Text),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("answered_by", sa.Text),
    sa.Column("canceling", sa.Boolean, nullable=False),
    sa.Index("alerts_by_time", "account_sid", "created_at"),
    sa.Index("alerts_by_number", "account_sid", "to_number", "created_at"),
    sa.Index("alerts_by_person", "account_sid", "person", "created_at"),
    sa.Index("alerts_by_sender", "account_sid", "sender", "created_at"),
    sa.Index("alerts_by_status", "account_sid", "status", "created_at"),
)

# Few alerts are open at any time, however many there are in all.
sa.Index(
    "alerts_open",
    alerts.c.account_sid,
    alerts.c.workflow_id,
    alerts.c.due_at,
    sqlite_where=alerts.c.is_open,
    postgresql_where=alerts.c.is_open,
)

# What happened to an alert. Rows are only ever added.
events = sa.Table(
    "events",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("status", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("sid", sa.Text),
    sa.Column("twiml_url", sa.Text),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("answered_by", sa.Text),
    sa.Column("canceling", sa.Boolean, nullable=False),
    sa.Column("news", sa.Boolean, nullable=False),
    sa.ForeignKeyConstraint(["account_sid", "alert_id"], [alerts.c.account_sid, alerts.c.id]),
)

# A request to Twilio, written down before it is made. While its outcome is null it may have gone
# through; only one such may be about a number, so that whatever Twilio has then is surely ours.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("sid", sa.Text, unique=True),
    sa.ForeignKeyConstraint(["account_sid", "alert_id"], [alerts.c.account_sid, alerts.c.id]),
    sa.Index("attempts_by_alert", "account_sid", "alert_id", "try_number"),
)
sa.Index(
    "attempts_open",
    attempts.c.account_sid,
    attempts.c.channel,
    attempts.c.to_number,
    unique=True,
    sqlite_where=attempts.c.outcome.is_(None),
    postgresql_where=attempts.c.outcome.is_(None),
)

# When an account may next call, and next text.
pace = sa.Table(
    "pace",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("next_at", sa.Double, nullable=False),
)

# The processes that deliver, or did until they died: see presence.py.
executors = sa.Table(
    "executors",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    # "worker" for one that is there to deliver, "desk" for one that does so beside its pages.
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
)
