"""The tables of the history. How rows become alerts is in records.py.

A change to a table needs a migration, see database/migrations. Times are seconds since 1970 in UTC:
SQLite has no type for times, and both databases compare and index numbers alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from database.tables import metadata

Row = Mapping[Any, Any]

# Alerts: what was asked for, and the state that follows from the events.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    # The Twilio account. The simulator has its own, so its alerts are never sent to real people,
    # and a script that was tried out in a simulation can use the same ids again for real.
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("from_number", sa.Text, nullable=False),
    # Later than `created_at` if its sender gets time to undo it.
    sa.Column("not_before", sa.Double, nullable=False),
    # The sender's and the recipient's name, for pages that search by them.
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    # The id of the worker that delivers it. While it is null, a worker may claim it from `due_at`.
    sa.Column("claimed_by", sa.Text),
    sa.Column("due_at", sa.Double, nullable=False),
    # The number of the alert's last event.
    sa.Column("revision", sa.Integer, nullable=False),
    # The alert's AlertState, and what follows from it.
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
    # The broadcast that it belongs to, if any, and its place there, from 0.
    sa.Column("broadcast_id", sa.Text),
    sa.Column("place_in_broadcast", sa.Integer),
    # Part of the AlertState too.
    sa.Column("send_now", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("asks_reply", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reply_until", sa.Double),
    # Its place in lists, newest last: see `position_at` in records.py.
    sa.Column("position", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # Its Stage, which follows from its status and from what was asked for.
    sa.Column("stage", sa.Text, nullable=False, server_default=sa.text("'queued'")),
    # The rule whose alert it is, if any.
    sa.Column("rule_id", sa.Text),
    # Part of the AlertState too.
    sa.Column("held_until", sa.Double),
    sa.Column("held_for", sa.Text, nullable=False, server_default=sa.text("''")),
    # No index begins with the account. As long as there are few rows, PostgreSQL takes such an
    # index to be as good as the primary key, and then reads all of the account's alerts.
    sa.Index("alerts_by_time", "created_at", "account_sid"),
    sa.Index("alerts_by_number", "to_number", "account_sid", "created_at"),
    # For lists, see search.py: they read the alerts of each stage and channel in order.
    sa.Index("alerts_by_stage", "stage", "account_sid", "channel", "position", "broadcast_id"),
    sa.Index(
        "alerts_by_sender", "sender", "account_sid", "stage", "channel", "position", "broadcast_id"
    ),
)

# A partial index: few alerts are open at any time, however many there are in all.
sa.Index(
    "alerts_open",
    alerts.c.account_sid,
    alerts.c.claimed_by,
    alerts.c.due_at,
    # SQLite uses a partial index only if a query has this very condition.
    sqlite_where=sa.text("is_open = 1"),
    postgresql_where=alerts.c.is_open,
)

sa.Index(
    "alerts_by_broadcast",
    alerts.c.broadcast_id,
    alerts.c.account_sid,
    alerts.c.stage,
    alerts.c.position,
    sqlite_where=alerts.c.broadcast_id.is_not(None),
    postgresql_where=alerts.c.broadcast_id.is_not(None),
)

sa.Index(
    "alerts_by_rule",
    alerts.c.rule_id,
    alerts.c.account_sid,
    alerts.c.stage,
    alerts.c.channel,
    alerts.c.position,
    sqlite_where=alerts.c.rule_id.is_not(None),
    postgresql_where=alerts.c.rule_id.is_not(None),
)

# Many alerts with one title.
broadcasts = sa.Table(
    "broadcasts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

# What happened to alerts. Rows are only ever added.
events = sa.Table(
    "events",
    metadata,
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
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("answered_by", sa.Text),
    sa.Column("canceling", sa.Boolean, nullable=False),
    sa.Column("news", sa.Boolean, nullable=False),
    sa.Column("duration", sa.Integer),
    sa.Column("send_now", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("held_until", sa.Double),
    sa.Column("held_for", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.ForeignKeyConstraint(["alert_id", "account_sid"], [alerts.c.id, alerts.c.account_sid]),
)

# Requests to Twilio, saved before they are made. While its outcome is null, one may have gone
# through. A number may have only one such at a time, so that a new call in Twilio's list must be
# that one.
submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("account_sid", sa.Text, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("sid", sa.Text, unique=True),
    # What Twilio charged for it, as a positive number, once that is known.
    sa.Column("price", sa.Double),
    sa.Column("price_unit", sa.Text),
    # What it is estimated to cost until then, in the same currency.
    sa.Column("estimate", sa.Double),
    sa.ForeignKeyConstraint(["alert_id", "account_sid"], [alerts.c.id, alerts.c.account_sid]),
    sa.Index("submissions_by_alert", "alert_id", "account_sid", "try_number"),
    sa.Index("submissions_by_number", "to_number", "account_sid", "at"),
    sa.Index("submissions_by_time", "at"),
)
sa.Index(
    "submissions_open",
    submissions.c.to_number,
    submissions.c.channel,
    submissions.c.account_sid,
    unique=True,
    sqlite_where=submissions.c.outcome.is_(None),
    postgresql_where=submissions.c.outcome.is_(None),
)
sa.Index(
    "submissions_unpriced",
    submissions.c.at,
    submissions.c.account_sid,
    # SQLite uses a partial index only if a query has this very condition.
    sqlite_where=submissions.c.price.is_(None),
    postgresql_where=submissions.c.price.is_(None),
)

sa.Index(
    "submissions_of_later_tries",
    submissions.c.at,
    submissions.c.account_sid,
    sqlite_where=submissions.c.try_number > 1,
    postgresql_where=submissions.c.try_number > 1,
)

# Texts that came in at one of the account's numbers.
incoming_texts = sa.Table(
    "incoming_texts",
    metadata,
    sa.Column("sid", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    sa.Column("from_number", sa.Text, nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    # The alert that it replies to, if any.
    sa.Column("alert_id", sa.Text),
    sa.Index("incoming_texts_by_number", "from_number", "at"),
    sa.Index("incoming_texts_by_alert", "alert_id", "account_sid"),
)

# Numbers that texts can't go to: "stop" or "landline", and since when.
texting_states = sa.Table(
    "texting_states",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
)

# When an account may make its next call and send its next text.
rate_limits = sa.Table(
    "rate_limits",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("next_at", sa.Double, nullable=False),
)

# Whether an account sends at all: see emergency_stop.py. A transaction that begins a submission or
# saves alerts locks its row, so that no two of them count toward a limit at the same time.
sending = sa.Table(
    "sending",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    # Since when everything is stopped, or null.
    sa.Column("stopped_at", sa.Double),
    sa.Column("stopped_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

# How many alerts were refused because a person asked for too many, by the hour since 1970.
refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("alerts", sa.Integer, nullable=False),
    sa.Column("last_at", sa.Double, nullable=False),
)

# Broadcasts that need a second person's yes, and what became of them: see approvals.py.
approvals = sa.Table(
    "approvals",
    metadata,
    # Once it is sent, the broadcast has the same id.
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("requests", sa.JSON, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    # waiting, sent, refused or stopped
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Double),
    sa.Index("approvals_by_time", "asked_at", "account_sid"),
)

# The workers, dead or alive: see claims.py.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    # A Mode: "worker" or "app".
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    # When it was last known to be alive, by the database's clock.
    sa.Column("seen_at", sa.Double, nullable=False, server_default=sa.text("0")),
)

# Joins submissions with their alerts: two accounts may use the same ids.
SUBMISSION_OF_ALERT = sa.and_(
    alerts.c.id == submissions.c.alert_id,
    alerts.c.account_sid == submissions.c.account_sid,
)
