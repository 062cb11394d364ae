"""Requests to Twilio, written down before they are made. In a transaction of the caller's."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from alerts.alert import Channel
from alerts.records import insert_new
from alerts.tables import Row, pace, submissions

# Each text and call goes through these: building them anew takes as long as carrying them out.
BUSY = sa.select(submissions.c.id).where(
    submissions.c.account_sid == sa.bindparam("account"),
    submissions.c.channel == sa.bindparam("of"),
    submissions.c.to_number == sa.bindparam("to"),
    submissions.c.outcome.is_(None),
    submissions.c.id != sa.bindparam("ours"),
)
NOW, GAP = sa.bindparam("now", type_=sa.Double), sa.bindparam("gap", type_=sa.Double)
# Processes take turns shortly before they use them: one that is farther off was by a wrong clock.
FARTHEST = 100 * GAP + 60
DATABASE_CLOCK = sa.select(sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double))
TURN = (
    sa.update(pace)
    .where(pace.c.account_sid == sa.bindparam("account"), pace.c.channel == sa.bindparam("of"))
    .values(
        next_at=sa.case(
            (pace.c.next_at.between(NOW, NOW + FARTHEST), pace.c.next_at),
            else_=NOW,
        )
        + GAP
    )
    .returning(pace.c.next_at)
)
SETTLED = (
    sa.update(submissions)
    .where(submissions.c.id == sa.bindparam("ours"))
    .values(outcome=sa.bindparam("outcome"), sid=sa.bindparam("sid"))
)


class Outcome(StrEnum):
    """What became of a request; none yet means that it may have gone through."""

    PLACED = "placed"
    REFUSED = "refused"
    NEVER_SENT = "never sent"
    NEVER_ARRIVED = "never arrived"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Submission:
    """One request for the try `try_number` of an alert; `at` is when it was about to be made.

    That is by Twilio's clock, taken to be `clock_offset` ahead of this machine's; None for a
    request that was read from the database.
    """

    id: str
    alert_id: str
    try_number: int
    account_sid: str
    channel: Channel
    to: str
    at: datetime
    clock_offset: timedelta | None = None


def is_of_try(account_sid: str, alert_id: str, try_number: int) -> sa.ColumnElement[bool]:
    """Whether a request is one for this try of an alert."""
    return sa.and_(
        submissions.c.account_sid == account_sid,
        submissions.c.alert_id == alert_id,
        submissions.c.try_number == try_number,
    )


def _is_unsettled(account_sid: str, alert_id: str, try_number: int) -> sa.ColumnElement[bool]:
    its_try = is_of_try(account_sid, alert_id, try_number)
    return sa.and_(its_try, submissions.c.outcome.is_(None))


def unsettled(
    connection: sa.Connection, account_sid: str, alert_id: str, try_number: int
) -> Submission | None:
    """The request of this try that may have gone through, if there is one."""
    chosen = sa.select(submissions).where(_is_unsettled(account_sid, alert_id, try_number))
    row = connection.execute(chosen).mappings().one_or_none()
    if row is None:
        return None
    return Submission(
        id=row["id"],
        alert_id=row["alert_id"],
        try_number=row["try_number"],
        account_sid=row["account_sid"],
        channel=row["channel"],
        to=row["to_number"],
        at=datetime.fromtimestamp(row["at"], UTC),
    )


def is_settled(connection: sa.Connection, submission_id: str) -> bool:
    """Whether it is known what became of a request."""
    chosen = sa.select(submissions.c.outcome).where(submissions.c.id == submission_id)
    return connection.scalar(chosen) is not None


def is_busy(connection: sa.Connection, submission: Submission) -> bool:
    """Whether another request to the number may have gone through."""
    ours = {
        "account": submission.account_sid,
        "of": submission.channel,
        "to": submission.to,
        "ours": submission.id,
    }
    return connection.scalar(BUSY, ours) is not None


def begin(connection: sa.Connection, submission: Submission) -> None:
    """Write a request down. Raises IntegrityError while another to the number is unsettled."""
    row = {
        "id": submission.id,
        "alert_id": submission.alert_id,
        "try_number": submission.try_number,
        "account_sid": submission.account_sid,
        "channel": submission.channel,
        "to_number": submission.to,
        "at": submission.at.timestamp(),
    }
    insert_new(connection, submissions, [row], key=["id"])


def settle(
    connection: sa.Connection, submission_id: str, outcome: Outcome, sid: str | None = None
) -> None:
    """Write down what became of a request."""
    connection.execute(SETTLED, {"ours": submission_id, "outcome": outcome, "sid": sid})


def settle_try(
    connection: sa.Connection,
    account_sid: str,
    alert_id: str,
    try_number: int,
    outcome: Outcome,
    *,
    sid: str | None = None,
) -> None:
    """The same of whichever request of a try isn't settled yet, if there is one."""
    connection.execute(
        sa.update(submissions)
        .where(_is_unsettled(account_sid, alert_id, try_number))
        .values(outcome=outcome, sid=sid)
    )


def taken(connection: sa.Connection, sids: Sequence[str]) -> Collection[str]:
    """Those of the SIDs that are known to be some request's."""
    return set(connection.scalars(sa.select(submissions.c.sid).where(submissions.c.sid.in_(sids))))


def reserve_slot(
    connection: sa.Connection, account_sid: str, channel: Channel, per_second: float
) -> float:
    """How long to wait for the account's next turn, in seconds: 0 if the last is long enough ago.

    The turn is then taken, so that any number of processes keep the rate together.
    """
    # Of PostgreSQL, for the machines that share it may differ; a file's are one.
    shared = connection.dialect.name == "postgresql"
    now = float(connection.scalar(DATABASE_CLOCK) or 0.0) if shared else time.time()
    key = {"account_sid": account_sid, "channel": channel}
    turn = {"account": account_sid, "of": channel, "now": now, "gap": 1 / per_second}
    next_at = connection.scalar(TURN, turn)
    if next_at is None:
        insert_new(connection, pace, [key | {"next_at": 0.0}])
        next_at = connection.scalar(TURN, turn) or now
    return max(0.0, float(next_at) - 1 / per_second - now)


def claim(connection: sa.Connection, alert: Row, try_number: int, sid: str) -> bool:
    """Whether `sid` is that of a try of the alert, which it becomes if the try has none yet.

    The request that may have gone through is then known to have done so.
    """
    if alert["try_number"] == try_number and alert["sid"] is not None:
        return bool(alert["sid"] == sid)
    key = alert["account_sid"], alert["id"], try_number
    its_try = is_of_try(*key)
    chosen = sa.select(submissions.c.sid, its_try.label("is_its_try")).where(
        sa.or_(submissions.c.sid == sid, sa.and_(its_try, submissions.c.sid.is_not(None)))
    )
    known = [(row.sid, bool(row.is_its_try)) for row in connection.execute(chosen)]
    if known:
        return (sid, True) in known
    settle_try(connection, *key, Outcome.PLACED, sid=sid)
    return True
