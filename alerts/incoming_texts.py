"""Incoming texts in the history: each is saved once, and recorded for the alert it replies to.

Everything here works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts import texting_states
from alerts.alert import Event
from alerts.appending import Entry, append
from alerts.replies import IncomingText, ReplyKind, kind_of, note_of, starts_again
from alerts.status import Status
from alerts.tables import SUBMISSION_OF_ALERT, alerts, incoming_texts, submissions
from database.tables import insert_of_new

# A later text has nothing to do with the alert any more.
LONGEST_TO_REPLY = timedelta(days=14)
# The times in Twilio's list needn't be exact. A text can't reply to what was sent after it.
LIST_TIME_MARGIN = timedelta(minutes=1)
# How many of the last alerts to a number are considered as what a reply belongs to.
MOST_CANDIDATES = 20


def receive(connection: sa.Connection, account_sid: str, text: IncomingText) -> str | None:
    """Save a text, and record it for the alert that it replies to, inside the transaction.

    Returns that alert's id. None if it belongs to no alert, or if it was received before.
    """
    alert_id, try_number = _alert_of(connection, account_sid, text) or (None, 1)
    row = {
        "sid": text.sid,
        "account_sid": account_sid,
        "from_number": text.from_,
        "to_number": text.to,
        "body": text.body,
        "at": text.at.timestamp(),
        "alert_id": alert_id,
    }
    new = insert_of_new(connection, incoming_texts).returning(incoming_texts.c.sid)
    if connection.scalar(new, row) is None:
        return None
    kind = kind_of(text.body)
    if kind is ReplyKind.STOP:
        texting_states.mark(connection, account_sid, text.from_, "stop", text.at)
    elif starts_again(text.body):
        texting_states.clear(connection, account_sid, {text.from_: text.at.timestamp()})
    if alert_id is None:
        return None
    status = Status.ACKNOWLEDGED if kind is ReplyKind.CONFIRMS else None
    event = Event(text.at, status, note_of(text.body), "recipient", try_number)
    append(connection, account_sid, [Entry(alert_id, event)])
    return alert_id


def known(connection: sa.Connection, sids: Sequence[str]) -> set[str]:
    """Return those of the SIDs that were received before."""
    chosen = sa.select(incoming_texts.c.sid).where(incoming_texts.c.sid.in_(sids))
    return set(connection.scalars(chosen))


def awaited(connection: sa.Connection, account_sid: str) -> dict[str, datetime]:
    """Return the numbers that open alerts wait for a reply from, and when each was texted last."""
    chosen = (
        sa.select(submissions.c.to_number, sa.func.max(submissions.c.at).label("at"))
        .join(alerts, SUBMISSION_OF_ALERT)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.is_open,
            alerts.c.asks_reply,
            submissions.c.channel == "text",
            submissions.c.sid.is_not(None),
        )
        .group_by(submissions.c.to_number)
    )
    found = connection.execute(chosen)
    return {row.to_number: datetime.fromtimestamp(row.at, UTC) for row in found}


def _alert_of(
    connection: sa.Connection, account_sid: str, text: IncomingText
) -> tuple[str, int] | None:
    """Return the alert that a text replies to, and the number of the try.

    That is the newest one that is still open and asked for a reply, else the newest that texted
    the number, else the newest that called it.
    """
    # By Twilio's clock. This machine's may be minutes behind it, so a text that came in just now
    # replies to anything that was sent by now, whatever the time.
    sent_at = submissions.c.at
    sent_before = text.listed_at + LIST_TIME_MARGIN if text.listed_at else None
    oldest = (text.listed_at or text.at) - LONGEST_TO_REPLY
    chosen = (
        sa.select(
            submissions.c.alert_id,
            submissions.c.try_number,
            submissions.c.channel,
            alerts.c.is_open,
            alerts.c.asks_reply,
        )
        .join(alerts, SUBMISSION_OF_ALERT)
        .where(
            submissions.c.to_number == text.from_,
            submissions.c.account_sid == account_sid,
            submissions.c.sid.is_not(None),
            sent_at >= oldest.timestamp(),
            sent_at <= sent_before.timestamp() if sent_before else sa.true(),
        )
        .order_by(sent_at.desc())
        .limit(MOST_CANDIDATES)
    )
    found = connection.execute(chosen).all()
    waiting = [row for row in found if row.is_open and row.asks_reply and row.channel == "text"]
    texted = [row for row in found if row.channel == "text"]
    likeliest = next(iter([*waiting, *texted, *found]), None)
    return (likeliest.alert_id, likeliest.try_number) if likeliest else None
