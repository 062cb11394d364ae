"""How much may be sent: to a number and by a person in an hour, and for how much money in a day.

A person's hour is checked when they ask for alerts, a number's hour when a call or text is about to
be requested, and the day's money at both. Each function works inside the caller's transaction,
which holds the lock of `lock_sending`, so several processes together keep each limit exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts.alert import Alert, Channel, Event, HeldFor, NewAlert, tries_of
from alerts.cost import UNESTIMATED, Costs
from alerts.emergency_stop import Stopped, lock_sending
from alerts.errors import UnusableInput
from alerts.records import position_at
from alerts.state import WHY_HELD, waiting_note
from alerts.status import Stage, Status
from alerts.submissions import MAY_HAVE_GONE_OUT, Submission, recent_submissions
from alerts.tables import SUBMISSION_OF_ALERT, alerts, submissions
from alerts.time_zones import clock_time, midnight
from database.tables import in_parts

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# An alert that waits for its turn tries again a little later, because clocks differ.
CLOCK_TOLERANCE = timedelta(seconds=1)
MOST_PRICES = 1_000

# These statements are built once, because building one takes as long as running it. This one finds
# alerts that wait for the same number's hour. They are few: most alerts ended long ago.
WAITING_FOR_NUMBER = sa.select(alerts.c.to_number, alerts.c.held_until).where(
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.is_open,
    alerts.c.to_number.in_(sa.bindparam("numbers", expanding=True)),
    alerts.c.held_for == "number",
    alerts.c.held_until > sa.bindparam("now"),
    alerts.c.id != sa.bindparam("but"),
)
# Names every column of the index of senders up to the position, so that the database goes straight
# to the last hour.
ASKED_FOR = sa.select(alerts.c.created_at).where(
    alerts.c.sender == sa.bindparam("person"),
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.stage.in_([each.value for each in Stage]),
    alerts.c.channel.in_(["call", "text"]),
    alerts.c.position >= sa.bindparam("position"),
    # Alerts that were canceled before anything went out don't count.
    sa.or_(
        alerts.c.stage != Stage.CANCELED.value, alerts.c.try_number > 1, alerts.c.sid.is_not(None)
    ),
)
LATER_TRIES = (
    sa.select(submissions.c.at)
    .select_from(submissions.join(alerts, SUBMISSION_OF_ALERT))
    .where(
        submissions.c.account_sid == sa.bindparam("account"),
        submissions.c.at > sa.bindparam("since"),
        # SQLite uses a partial index only if a query has this very condition.
        sa.text("submissions.try_number > 1"),
        MAY_HAVE_GONE_OUT,
        alerts.c.sender == sa.bindparam("person"),
    )
)
COUNTED = sa.union_all(ASKED_FOR, LATER_TRIES)
KNOWN = sa.select(alerts.c.id, alerts.c.created_at).where(
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.id.in_(sa.bindparam("ids", expanding=True)),
)
SPENT = sa.select(
    sa.func.sum(
        sa.func.coalesce(submissions.c.price, submissions.c.estimate, sa.bindparam("unknown"))
    )
).where(
    submissions.c.account_sid == sa.bindparam("account"),
    submissions.c.at >= sa.bindparam("since"),
    MAY_HAVE_GONE_OUT,
)
OWN_PRICES = (
    sa.select(
        submissions.c.channel,
        submissions.c.to_number,
        submissions.c.price,
        submissions.c.price_unit,
    )
    .where(
        submissions.c.account_sid == sa.bindparam("account"),
        submissions.c.at >= sa.bindparam("since"),
        submissions.c.price > 0,
    )
    .order_by(submissions.c.at.desc())
    .limit(MOST_PRICES)
)
WAITING_TODAY = (
    sa.select(alerts.c.channel, alerts.c.to_number, sa.func.count().label("how_many"))
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.is_open,
        alerts.c.status == Status.QUEUED.value,
        alerts.c.due_at < sa.bindparam("until"),
    )
    .group_by(alerts.c.channel, alerts.c.to_number)
)


class LimitReached(UnusableInput):
    """A limit keeps alerts from being asked for; nothing was saved."""


class TooMany(LimitReached):
    """`person` asked for `count` alerts: `most` an hour are allowed, and `left` of them now."""

    def __init__(self, person: str, count: int, sentence: str, *, most: int, left: int) -> None:
        super().__init__("phone_number", sentence)
        self.person = person
        self.count = count
        self.most = most
        self.left = left


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an account; None where there is none.

    `per_number` is how many calls and texts a number gets in an hour, and `per_person` how many a
    person may ask for. `daily_spend` is in the account's currency, from midnight in `time_zone`
    ("" for this machine's). `costs` estimates what isn't priced yet.
    """

    per_number: int = 20
    per_person: int | None = 100
    daily_spend: float | None = None
    time_zone: str = ""
    costs: Costs = field(default_factory=Costs)

    def midnight(self, now: datetime) -> datetime:
        """Return when the day that `now` belongs to began."""
        return midnight(now, self.time_zone).astimezone(UTC)

    def next_midnight(self, now: datetime) -> datetime:
        """Return when the next day begins."""
        # A day may have 25 hours.
        return self.midnight(self.midnight(now) + DAY + timedelta(hours=12))


UNLIMITED = Limits(per_number=1_000_000, per_person=None)


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when a try may not begin, and why."""

    until: datetime
    why: HeldFor

    def event(self, alert: Alert, at: datetime) -> Event:
        """Return the event for the alert's story that says so."""
        return Event(
            at,
            None,
            waiting_note(alert, self.until, WHY_HELD[self.why]),
            try_number=alert.try_number,
            held_until=self.until,
            held_for=self.why,
        )


# --- When a person asks for alerts ---------------------------------------------------------------


def check_asking(
    connection: sa.Connection,
    account_sid: str,
    limits: Limits,
    asked: Sequence[NewAlert],
    now: datetime,
    *,
    confirmed: bool = False,
) -> dict[str, float]:
    """Raise `UnusableInput` unless all of these alerts may be saved.

    Returns when the already known ones were saved (seconds since 1970), by id. Those don't count.
    With `confirmed` (a person said that they really want this many) the alerts count toward the
    person's hour, but that doesn't refuse them.
    """
    if stop := lock_sending(connection, account_sid):
        raise Stopped(stop, asked[0].request.time_zone if asked else "")
    known = _known(connection, account_sid, asked)
    new = [each for each in asked if each.id not in known]
    if not new:
        return known
    people = Counter(each.request.user for each in new)
    if limits.per_person is not None and not confirmed:
        for person, count in people.items():
            zone = next(each.request.time_zone for each in new if each.request.user == person)
            times = _asked_for(connection, account_sid, person, now - HOUR)
            _check_person(person, times, count, most=limits.per_person, now=now, zone=zone)
    if limits.daily_spend is not None:
        _check_money(connection, account_sid, limits, limits.daily_spend, new=new, now=now)
    return known


def _known(
    connection: sa.Connection, account_sid: str, asked: Sequence[NewAlert]
) -> dict[str, float]:
    known: dict[str, float] = {}
    for ids in in_parts([each.id for each in asked]):
        found = connection.execute(KNOWN, {"account": account_sid, "ids": ids})
        known |= {row.id: row.created_at for row in found}
    return known


def _asked_for(
    connection: sa.Connection, account_sid: str, person: str, since: datetime
) -> list[datetime]:
    """Return when each call and text that counts for a person was asked for or made, in order."""
    wanted = {
        "account": account_sid,
        "person": person,
        "position": position_at(since),
        "since": since.timestamp(),
    }
    times = sorted(connection.scalars(COUNTED, wanted))
    return [datetime.fromtimestamp(each, UTC) for each in times]


def _check_person(
    person: str, times: Sequence[datetime], count: int, *, most: int, now: datetime, zone: str
) -> None:
    left = max(most - len(times), 0)
    if count <= left:
        return
    alerts = "1 call or text" if count == 1 else f"{count:,} calls and texts"
    sentence = f"{person or 'This program'} asked for {alerts}. {allowance_words(most, left)}."
    if count > most:
        to_do = f"Send them in parts of {most:,} at most"
    else:
        again = clock_time(times[len(times) + count - most - 1] + HOUR + CLOCK_TOLERANCE, now, zone)
        them = "it" if count == 1 else "them"
        some = f"{left:,} of them now, or all" if left else them
        to_do = f"Send {some} from {again} on"
    sentence = f"{sentence} {to_do}, or raise ALERTS_PER_PERSON_PER_HOUR."
    raise TooMany(person, count, sentence, most=most, left=left)


def allowance_words(most: int, left: int) -> str:
    """Say what a person's hour allows: "100 an hour are allowed, and 2 are left now"."""
    are_left = f"{left:,} {'is' if left == 1 else 'are'}" if left else "none is"
    return f"{most:,} an hour {'is' if most == 1 else 'are'} allowed, and {are_left} left now"


def left_of_hour(
    connection: sa.Connection, account_sid: str, most: int, person: str, now: datetime
) -> int:
    """Return how many more calls and texts a person may ask for now, of `most` an hour."""
    return max(most - len(_asked_for(connection, account_sid, person, now - HOUR)), 0)


def _check_money(
    connection: sa.Connection,
    account_sid: str,
    limits: Limits,
    most: float,
    *,
    new: Sequence[NewAlert],
    now: datetime,
) -> None:
    costs = limits.costs
    spent = spent_since(connection, account_sid, limits.midnight(now))
    until = limits.next_midnight(now)
    rows = connection.execute(WAITING_TODAY, {"account": account_sid, "until": until.timestamp()})
    spent += sum(each.how_many * costs.careful(each.channel, each.to_number) for each in rows)
    more = 0.0
    for each in new:
        first = tries_of(each.request)[0]
        more += costs.careful(first.channel, first.to)
    if spent + more > most:
        again = clock_time(until, now, limits.time_zone)
        to_do = f"Send it from {again} on" if more <= most else "Send it in parts, a day each"
        raise LimitReached(
            "phone_number",
            f"This would cost about {more:,.2f} {costs.currency}. {most:,.2f} a day are allowed, "
            f"and about {max(most - spent, 0):,.2f} are left today. {to_do}, or raise "
            "DAILY_SPEND_LIMIT.",
        )


# --- When a call or text is about to be requested -----------------------------------------------


@dataclass(slots=True)
class Allowance:
    """What the limits leave for the submissions that one transaction begins.

    `busy` has the id of the unsettled submission to a number, if there is one. It can be one of
    those that are to begin, if the transaction went through and runs again.
    """

    connection: sa.Connection
    account_sid: str
    limits: Limits
    busy: dict[tuple[Channel, str], str]
    times: dict[str, list[float]]
    spent: float

    @classmethod
    def read(
        cls,
        connection: sa.Connection,
        account_sid: str,
        limits: Limits,
        wanted: Sequence[Submission],
    ) -> Allowance:
        """Read what was sent lately, to these submissions' numbers and for money."""
        oldest = min(each.at for each in wanted)
        numbers = {each.to for each in wanted}
        busy: dict[tuple[Channel, str], str] = {}
        times: dict[str, list[float]] = {}
        for each in recent_submissions(connection, account_sid, numbers, oldest - HOUR):
            times.setdefault(each.to, []).append(each.at)
            if each.is_unsettled:
                busy[each.channel, each.to] = each.id
        spent = 0.0
        if limits.daily_spend is not None:
            spent = spent_since(connection, account_sid, limits.midnight(oldest))
        return cls(connection, account_sid, limits, busy, times, spent)

    def hold(self, alert: Alert, submission: Submission) -> Hold | None:
        """Return how long the alert's try has to wait, None if it may begin."""
        # Submissions' times are by Twilio's clock, alerts' by this machine's.
        offset, limits = submission.clock_offset or timedelta(), self.limits
        now = submission.at - offset
        if (
            limits.daily_spend is not None
            and self.spent + (submission.estimate or 0) > limits.daily_spend
        ):
            return Hold(limits.next_midnight(now), "spend")
        if alert.send_now:
            return None
        times = [each for each in self._times(submission) if each > submission.at - HOUR]
        if len(times) < limits.per_number:
            return None
        return self._turn(alert, submission, times, offset)

    def take(self, submission: Submission) -> None:
        """Count a submission that begins."""
        self.busy[submission.channel, submission.to] = submission.id
        self.times.setdefault(submission.to, []).append(submission.at.timestamp())
        self.spent += submission.estimate or 0

    def _times(self, submission: Submission) -> list[datetime]:
        known = self.times.get(submission.to, [])
        return [datetime.fromtimestamp(each, UTC) for each in known]

    def _turn(
        self, alert: Alert, submission: Submission, times: Sequence[datetime], offset: timedelta
    ) -> Hold:
        """Return when it is this alert's turn, after the others that wait for the number."""
        wanted = {
            "account": self.account_sid,
            "numbers": [submission.to],
            "now": (submission.at - offset).timestamp(),
            "but": alert.id,
        }
        waiting = [
            datetime.fromtimestamp(each.held_until, UTC) + offset
            for each in self.connection.execute(WAITING_FOR_NUMBER, wanted)
        ]
        nth_last = sorted([*times, *waiting])[-self.limits.per_number]
        return Hold(nth_last + HOUR - offset + CLOCK_TOLERANCE, "number")


def spent_since(connection: sa.Connection, account_sid: str, since: datetime) -> float:
    """Return what calls and texts cost since then: prices, and estimates where none is known."""
    wanted = {
        "account": account_sid,
        "since": since.timestamp(),
        "unknown": UNESTIMATED,
    }
    return float(connection.scalar(SPENT, wanted) or 0.0)


def own_prices(
    connection: sa.Connection, account_sid: str, since: datetime
) -> list[tuple[Channel, str, float, str]]:
    """Return what the account's last calls and texts cost: channel, number, price and currency."""
    wanted = {"account": account_sid, "since": since.timestamp()}
    return [
        (row.channel, row.to_number, row.price, row.price_unit or "")
        for row in connection.execute(OWN_PRICES, wanted)
    ]
