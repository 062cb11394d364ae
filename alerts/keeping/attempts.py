"""Requests to Twilio, written down before they are made. In a transaction of the caller's."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from alerts.alert import Channel
from alerts.database.tables import attempts, pace
from alerts.keeping.records import insert_new

# Each text and call goes through these: building them anew takes as long as carrying them out.
BUSY = sa.select(attempts.c.id).where(
    attempts.c.account_sid == sa.bindparam("account"),
    attempts.c.channel == sa.bindparam("of"),
    attempts.c.to_number == sa.bindparam("to"),
    attempts.c.outcome.is_(None),
    attempts.c.id != sa.bindparam("ours"),
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
    sa.update(attempts)
    .where(attempts.c.id == sa.bindparam("ours"))
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
class Attempt:
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
        attempts.c.account_sid == account_sid,
        attempts.c.alert_id == alert_id,
        attempts.c.try_number == try_number,
    )


def _is_unsettled(account_sid: str, alert_id: str, try_number: int) -> sa.ColumnElement[bool]:
    its_try = is_of_try(account_sid, alert_id, try_number)
    return sa.and_(its_try, attempts.c.outcome.is_(None))


def unsettled(
    connection: sa.Connection, account_sid: str, alert_id: str, try_number: int
) -> Attempt | None:
    """The request of this try that may have gone through, if there is one."""
    chosen = sa.select(attempts).where(_is_unsettled(account_sid, alert_id, try_number))
    row = connection.execute(chosen).mappings().one_or_none()
    if row is None:
        return None
    return Attempt(
        id=row["id"],
        alert_id=row["alert_id"],
        try_number=row["try_number"],
        account_sid=row["account_sid"],
        channel=row["channel"],
        to=row["to_number"],
        at=datetime.fromtimestamp(row["at"], UTC),
    )


def is_settled(connection: sa.Connection, attempt_id: str) -> bool:
    """Whether it is known what became of a request."""
    chosen = sa.select(attempts.c.outcome).where(attempts.c.id == attempt_id)
    return connection.scalar(chosen) is not None


def is_busy(connection: sa.Connection, attempt: Attempt) -> bool:
    """Whether another request to the number may have gone through."""
    ours = {
        "account": attempt.account_sid,
        "of": attempt.channel,
        "to": attempt.to,
        "ours": attempt.id,
    }
    return connection.scalar(BUSY, ours) is not None


def begin(connection: sa.Connection, attempt: Attempt) -> None:
    """Write a request down. Raises IntegrityError while another to the number is unsettled."""
    row = {
        "id": attempt.id,
        "alert_id": attempt.alert_id,
        "try_number": attempt.try_number,
        "account_sid": attempt.account_sid,
        "channel": attempt.channel,
        "to_number": attempt.to,
        "at": attempt.at.timestamp(),
    }
    insert_new(connection, attempts, [row], key=["id"])


def settle(
    connection: sa.Connection, attempt_id: str, outcome: Outcome, sid: str | None = None
) -> None:
    """Write down what became of a request."""
    connection.execute(SETTLED, {"ours": attempt_id, "outcome": outcome, "sid": sid})


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
        sa.update(attempts)
        .where(_is_unsettled(account_sid, alert_id, try_number))
        .values(outcome=outcome, sid=sid)
    )


def taken(connection: sa.Connection, sids: Sequence[str]) -> Collection[str]:
    """Those of the SIDs that are known to be some request's."""
    return set(connection.scalars(sa.select(attempts.c.sid).where(attempts.c.sid.in_(sids))))


def take_turn(
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
