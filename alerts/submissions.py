"""Submissions: requests to Twilio, saved before they are made, and the rates they keep.

Twilio has no idempotency key, so this is how a process knows what was requested before. Each
function works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from alerts.alert import Channel
from alerts.cost import Price
from alerts.tables import Row, rate_limits, sending, submissions
from database.tables import insert_new
from database.transactions import database_time

# Every call and text needs these statements. They are built once, because building one takes as
# long as running it.
TO_NUMBERS: sa.BindParameter[str] = sa.bindparam("numbers", expanding=True)
SETTLE = (
    sa.update(submissions)
    .where(
        submissions.c.id == sa.bindparam("ours"),
        sa.or_(submissions.c.outcome.is_(None), sa.bindparam("is_placed", type_=sa.Boolean)),
    )
    .values(outcome=sa.bindparam("outcome"), sid=sa.bindparam("sid"))
)
# Submissions that may have reached Twilio. They count toward limits.
MAY_HAVE_GONE_OUT = sa.or_(
    submissions.c.outcome.is_(None), submissions.c.outcome.in_(["placed", "unknown"])
)
RECENT_COLUMNS = tuple(submissions.c[name] for name in ("id", "channel", "to_number", "at"))
# In two parts, because each has an index of its own.
RECENT = sa.union_all(
    sa.select(*RECENT_COLUMNS, sa.true().label("is_unsettled")).where(
        submissions.c.account_sid == sa.bindparam("account"),
        submissions.c.to_number.in_(TO_NUMBERS),
        submissions.c.outcome.is_(None),
    ),
    sa.select(*RECENT_COLUMNS, sa.false().label("is_unsettled")).where(
        submissions.c.account_sid == sa.bindparam("account"),
        submissions.c.to_number.in_(TO_NUMBERS),
        submissions.c.at > sa.bindparam("since"),
        submissions.c.outcome.in_(["placed", "unknown"]),
    ),
)
STOPPED_ACCOUNTS = sa.select(sending.c.account_sid).where(sending.c.stopped_at.is_not(None))
RENEWALS = sa.values(
    sa.column("id", sa.Text), sa.column("known", sa.Double), sa.column("new", sa.Double)
)
NOW = sa.bindparam("now", type_=sa.Double)
SECONDS = sa.bindparam("seconds", type_=sa.Double)
FARTHEST = sa.bindparam("farthest", type_=sa.Double)
RESERVE = (
    sa.update(rate_limits)
    .where(
        rate_limits.c.account_sid == sa.bindparam("account"),
        rate_limits.c.channel == sa.bindparam("of"),
    )
    # Slots are reserved shortly before they are used, so one farther off came from a wrong clock.
    .values(
        next_at=sa.case(
            (rate_limits.c.next_at.between(NOW, NOW + FARTHEST), rate_limits.c.next_at), else_=NOW
        )
        + SECONDS
    )
    .returning(rate_limits.c.next_at)
)
UNPRICED = (
    sa.select(submissions.c.sid, submissions.c.channel, submissions.c.at)
    .where(
        submissions.c.account_sid == sa.bindparam("account"),
        submissions.c.price.is_(None),
        submissions.c.sid.is_not(None),
        submissions.c.at > sa.bindparam("after"),
    )
    .order_by(submissions.c.at.desc())
    .limit(sa.bindparam("most"))
)
SET_PRICE = (
    sa.update(submissions)
    .where(submissions.c.sid == sa.bindparam("of"))
    .values(price=sa.bindparam("amount"), price_unit=sa.bindparam("unit"))
)


class Outcome(StrEnum):
    """What became of a submission. As long as it has no outcome, it may have gone through."""

    PLACED = "placed"
    REFUSED = "refused"
    NEVER_SENT = "never sent"
    NEVER_ARRIVED = "never arrived"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Submission:
    """One request to Twilio for try `try_number` of an alert, made at `at` or shortly after.

    `at` is by Twilio's clock, which was taken to be `clock_offset` ahead of this machine's, and
    `estimate` what it may cost. Both are None for a submission read from the database.
    """

    id: str
    alert_id: str
    try_number: int
    account_sid: str
    channel: Channel
    to: str
    at: datetime
    clock_offset: timedelta | None = None
    estimate: float | None = None


@dataclass(frozen=True, slots=True)
class RecentSubmission:
    """A submission that counts toward its number's limit: `at` is in seconds since 1970."""

    id: str
    channel: Channel
    to: str
    at: float
    is_unsettled: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcome of a submission, and the SID if Twilio accepted it."""

    submission_id: str
    outcome: Outcome
    sid: str | None = None


def begin(connection: sa.Connection, begun: Sequence[Submission]) -> None:
    """Save submissions. Raises IntegrityError while another one to the number is unsettled."""
    rows = [
        {
            "id": each.id,
            "alert_id": each.alert_id,
            "try_number": each.try_number,
            "account_sid": each.account_sid,
            "channel": each.channel,
            "to_number": each.to,
            "at": each.at.timestamp(),
            "estimate": each.estimate,
        }
        for each in begun
    ]
    connection.execute(sa.insert(submissions), rows)


def recent_submissions(
    connection: sa.Connection, account_sid: str, numbers: Collection[str], since: datetime
) -> list[RecentSubmission]:
    """Return what may have gone out to these numbers since then, and what is unsettled yet."""
    wanted = {"account": account_sid, "numbers": sorted(numbers), "since": since.timestamp()}
    return [RecentSubmission(*row) for row in connection.execute(RECENT, wanted)]


def settle(connection: sa.Connection, settlements: Iterable[Settlement]) -> None:
    """Record outcomes; a submission that has one keeps it, unless Twilio is known to have it.

    Raises IntegrityError if a SID belongs to another submission.
    """
    rows = [
        {
            "ours": each.submission_id,
            "outcome": each.outcome,
            "sid": each.sid,
            "is_placed": each.outcome is Outcome.PLACED,
        }
        for each in settlements
    ]
    connection.execute(SETTLE, rows)


def settle_try(
    connection: sa.Connection, alert: Row, try_number: int, outcome: Outcome, sid: str | None = None
) -> None:
    """Record the outcome of a try's unsettled submission, if it has one."""
    connection.execute(
        sa.update(submissions)
        .where(_is_unsettled(alert["account_sid"], alert["id"], try_number))
        .values(outcome=outcome, sid=sid)
    )


def unsettled(
    connection: sa.Connection, account_sid: str, alert_id: str, try_number: int
) -> Submission | None:
    """Return the try's unsettled submission, if it has one."""
    return _find(connection, _is_unsettled(account_sid, alert_id, try_number))


def blocking(
    connection: sa.Connection, account_sid: str, channel: Channel, to: str
) -> Submission | None:
    """Return the unsettled submission to a number, if there is one."""
    return _find(
        connection,
        submissions.c.account_sid == account_sid,
        submissions.c.channel == channel,
        submissions.c.to_number == to,
        submissions.c.outcome.is_(None),
    )


def unless_settled(connection: sa.Connection, submission_id: str) -> Submission | None:
    """Return a submission as it is now, None if its outcome is known."""
    return _find(connection, submissions.c.id == submission_id, submissions.c.outcome.is_(None))


def those_unsettled(connection: sa.Connection, submission_ids: Sequence[str]) -> set[str]:
    """Return those of the submissions whose outcome isn't known yet."""
    chosen = sa.select(submissions.c.id).where(
        submissions.c.id.in_(submission_ids), submissions.c.outcome.is_(None)
    )
    return set(connection.scalars(chosen))


def renew(connection: sa.Connection, renewals: Sequence[tuple[Submission, datetime]]) -> list[bool]:
    """Move the time of each submission to the one beside it.

    Returns whether each has that time now. If not, its request must not be made any more: it is
    settled, another process was faster, or everything was stopped since it was saved.
    """
    # All in one statement. On a slow database, one after the other could take so long that the
    # first are too old again at the end, and then none would ever be sent.
    first: dict[str, tuple[Submission, datetime]] = {}
    for submission, at in renewals:
        first.setdefault(submission.id, (submission, at))
    rows = [
        (submission.id, submission.at.timestamp(), at.timestamp())
        for submission, at in first.values()
    ]
    wanted = RENEWALS.data(rows).cte("renewals")
    renewed = set(
        connection.scalars(
            sa.update(submissions)
            .where(
                submissions.c.id == wanted.c.id,
                submissions.c.outcome.is_(None),
                submissions.c.account_sid.not_in(STOPPED_ACCOUNTS),
                # If the transaction went through and runs again, it has the new time already.
                submissions.c.at.in_([wanted.c.known, wanted.c.new]),
            )
            .values(at=wanted.c.new)
            .returning(submissions.c.id)
        )
    )
    # In the rare case that two want different times for one submission, the second comes too late.
    return [
        submission.id in renewed and at == first[submission.id][1] for submission, at in renewals
    ]


def taken(connection: sa.Connection, sids: Sequence[str]) -> Collection[str]:
    """Return those of the SIDs that belong to a submission."""
    return set(connection.scalars(sa.select(submissions.c.sid).where(submissions.c.sid.in_(sids))))


def claim_sid(connection: sa.Connection, alert: Row, try_number: int, sid: str) -> bool:
    """Whether `sid` is the SID of the alert's try. It becomes that if the try has none yet.

    The try's unsettled submission, if there is one, is then settled as placed.
    """
    if alert["try_number"] == try_number and alert["sid"] is not None:
        return bool(alert["sid"] == sid)
    its_try = _is_of_try(alert["account_sid"], alert["id"], try_number)
    chosen = sa.select(submissions.c.sid, its_try.label("is_its_try")).where(
        sa.or_(submissions.c.sid == sid, sa.and_(its_try, submissions.c.sid.is_not(None)))
    )
    known = [(row.sid, bool(row.is_its_try)) for row in connection.execute(chosen)]
    if known:
        return (sid, True) in known
    settle_try(connection, alert, try_number, Outcome.PLACED, sid)
    return True


def reserve_slots(
    connection: sa.Connection, account_sid: str, channel: Channel, per_second: float, count: int = 1
) -> list[float]:
    """Reserve the account's next `count` slots; returns the seconds until each, 0 for one now.

    All processes that share the database keep to the rate together this way.
    """
    now, gap = database_time(connection), 1 / per_second
    wanted = {
        "account": account_sid,
        "of": channel,
        "now": now,
        "seconds": count * gap,
        "farthest": 100 * gap + 60,
    }
    next_at = connection.scalar(RESERVE, wanted)
    if next_at is None:
        first = {"account_sid": account_sid, "channel": channel, "next_at": 0.0}
        insert_new(connection, rate_limits, [first])
        next_at = connection.scalar(RESERVE, wanted) or now
    first_at = float(next_at) - count * gap
    return [max(0.0, first_at + number * gap - now) for number in range(count)]


def unpriced(
    connection: sa.Connection, account_sid: str, after: datetime, most: int
) -> dict[str, tuple[Channel, datetime]]:
    """Return the channel and time of the calls and texts without a price, by SID, newest first."""
    wanted = {"account": account_sid, "after": after.timestamp(), "most": most}
    return {
        row.sid: (row.channel, datetime.fromtimestamp(row.at, UTC))
        for row in connection.execute(UNPRICED, wanted)
    }


def set_prices(connection: sa.Connection, prices: Mapping[str, Price]) -> None:
    """Save what Twilio charged for calls and texts, by SID."""
    rows = [{"of": sid, "amount": each.amount, "unit": each.unit} for sid, each in prices.items()]
    connection.execute(SET_PRICE, rows)


def _find(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Submission | None:
    row = connection.execute(sa.select(submissions).where(*conditions)).mappings().one_or_none()
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


def _is_of_try(account_sid: str, alert_id: str, try_number: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        submissions.c.account_sid == account_sid,
        submissions.c.alert_id == alert_id,
        submissions.c.try_number == try_number,
    )


def _is_unsettled(account_sid: str, alert_id: str, try_number: int) -> sa.ColumnElement[bool]:
    its_try = _is_of_try(account_sid, alert_id, try_number)
    return sa.and_(its_try, submissions.c.outcome.is_(None))
