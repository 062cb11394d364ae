"""Reports: what pages and lists read from the history. Nothing that sends alerts is in here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from alerts import search
from alerts.alert import CHANNELS
from alerts.cost import CURRENCY, estimate
from alerts.filters import Counts, Filters, Kind, MadeTry, Overview, Page, Spent, kind_at_stage
from alerts.records import position_at
from alerts.status import Stage
from alerts.tables import alerts, submissions

if TYPE_CHECKING:
    from database.database import Database

MOST_SENDERS = 200
MOST_READ = 50_000
# "+1412": the countries that share +1 differ only by area code.
AREA_CHARACTERS = 5
USUAL_CALL_SECONDS = 30.0

# Each step finds the next sender after the one before, instead of reading every alert.
SENDERS = sa.text(
    "WITH RECURSIVE found(sender) AS ("
    " SELECT min(sender) FROM alerts"
    " UNION ALL SELECT (SELECT min(sender) FROM alerts WHERE sender > found.sender)"
    " FROM found WHERE found.sender IS NOT NULL)"
    " SELECT sender FROM found WHERE EXISTS (SELECT 1 FROM alerts"
    " WHERE alerts.sender = found.sender AND account_sid = :account) ORDER BY sender LIMIT :most"
)


class Reports:
    """What became of the alerts of one Twilio account: lists, counts and sums."""

    def __init__(self, database: Database, account_sid: str) -> None:
        self.account_sid = account_sid
        self._database = database

    async def search(
        self,
        filters: Filters,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 25,
    ) -> Page:
        """Return the newest rows older than position `before`, or the oldest newer than `after`."""
        return await self._database.read(
            partial(
                search.page,
                account_sid=self.account_sid,
                filters=filters,
                before=before,
                after=after,
                limit=limit,
            )
        )

    async def counts(self, filters: Filters) -> Counts:
        """Count the alerts of each kind, whatever kind the filters ask for."""
        return await self._database.read(
            partial(search.counts, account_sid=self.account_sid, filters=filters)
        )

    async def overview(self, hours: Sequence[datetime], month: datetime) -> Overview:
        """Return who sends, the alerts between the moments `hours`, and the costs since `month`."""
        return await self._database.read(
            partial(read_overview, account_sid=self.account_sid, hours=hours, month=month)
        )

    async def tries(self, alert_id: str) -> list[MadeTry]:
        """Return the tries that Twilio accepted, with SID and price, in order."""
        return await self._database.read(
            partial(read_tries, account_sid=self.account_sid, alert_id=alert_id)
        )

    async def pulse(self) -> tuple[float, int, int]:
        """Return what differs after every change to an alert that hasn't ended."""
        return await self._database.read(partial(read_pulse, account_sid=self.account_sid))


# --- Inside the caller's transaction; each reads little however many alerts there are -----------


def read_overview(
    connection: sa.Connection, account_sid: str, hours: Sequence[datetime], month: datetime
) -> Overview:
    """Return who sends, the alerts between the moments `hours`, and the costs since `month`."""
    return Overview(
        senders(connection, account_sid),
        by_hour(connection, account_sid, hours),
        spent(connection, account_sid, month),
    )


def read_tries(connection: sa.Connection, account_sid: str, alert_id: str) -> list[MadeTry]:
    """Return the tries of an alert that Twilio accepted, in order."""
    chosen = sa.select(submissions).where(
        submissions.c.alert_id == alert_id,
        submissions.c.account_sid == account_sid,
        submissions.c.sid.is_not(None),
    )
    return [
        MadeTry(row.try_number, row.channel, row.sid, row.price, row.price_unit)
        for row in connection.execute(chosen.order_by(submissions.c.try_number))
    ]


def senders(connection: sa.Connection, account_sid: str) -> list[str]:
    """Return the senders' names in order, up to MOST_SENDERS."""
    found = connection.scalars(SENDERS, {"account": account_sid, "most": MOST_SENDERS})
    return [each for each in found if each]


def by_hour(
    connection: sa.Connection, account_sid: str, hours: Sequence[datetime]
) -> list[Counter[Kind]]:
    """Count the alerts of each kind between one moment of `hours` and the next."""
    first, end = position_at(hours[0]), position_at(hours[-1])
    parts = [
        sa.select(
            sa.select(alerts.c.stage, alerts.c.position, alerts.c.due_at)
            .where(
                alerts.c.stage == stage.value,
                alerts.c.account_sid == account_sid,
                alerts.c.channel == channel,
                alerts.c.position >= first,
                alerts.c.position < end,
            )
            .limit(MOST_READ)
            .subquery()
        )
        for stage in Stage
        for channel in CHANNELS
    ]
    every = sa.union_all(*parts).subquery()
    bounds = [position_at(each) for each in hours]
    place = sa.case(
        *((every.c.position < bound, number) for number, bound in enumerate(bounds[1:])),
        else_=len(bounds) - 2,
    )
    now = datetime.now(hours[0].tzinfo).timestamp()
    waits = every.c.due_at > now
    grouped = sa.select(place, every.c.stage, waits, sa.func.count()).group_by(sa.text("1, 2, 3"))
    found: list[Counter[Kind]] = [Counter() for _ in hours[1:]]
    for number, stage, is_due_later, count in connection.execute(grouped):
        found[number][kind_at_stage(stage, now + 1 if is_due_later else now, now)] += count
    return found


def spent(connection: sa.Connection, account_sid: str, since: datetime) -> Spent:
    """Add up the prices of the calls and texts since a moment, in the unit most are in."""
    priced = (
        sa.select(submissions.c.price_unit, sa.func.sum(submissions.c.price), sa.func.count())
        .where(
            submissions.c.account_sid == account_sid,
            submissions.c.at >= since.timestamp(),
            submissions.c.price.is_not(None),
        )
        .group_by(submissions.c.price_unit)
        .order_by(sa.func.count().desc())
    )
    row = connection.execute(priced).first()
    # Numbers of one area cost the same, so the tries to estimate are counted by area.
    area = sa.func.substr(submissions.c.to_number, 1, AREA_CHARACTERS)
    unpriced = (
        sa.select(submissions.c.channel, sa.func.min(submissions.c.to_number), sa.func.count())
        .where(
            submissions.c.account_sid == account_sid,
            submissions.c.at >= since.timestamp(),
            submissions.c.price.is_(None),
            submissions.c.outcome == "placed",
        )
        .group_by(submissions.c.channel, area)
    )
    estimated, unestimated = 0.0, 0
    for channel, number, count in connection.execute(unpriced):
        one = estimate(channel, number, seconds=USUAL_CALL_SECONDS)
        estimated += (one or 0.0) * count
        unestimated += count if one is None else 0
    return Spent(
        float(row[1]) if row else 0.0,
        (row[0] or CURRENCY) if row else CURRENCY,
        estimated,
        unestimated,
    )


def read_pulse(connection: sa.Connection, account_sid: str) -> tuple[float, int, int]:
    """Return what differs after every change to an alert that people look at.

    That is when the newest alert was saved, how many are open, and how many events those have: an
    alert that has ended doesn't change any more.
    """
    newest = sa.select(sa.func.max(alerts.c.created_at)).where(alerts.c.account_sid == account_sid)
    of_open = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(alerts.c.revision), 0)).where(
        alerts.c.account_sid == account_sid, alerts.c.is_open
    )
    count, revisions = connection.execute(of_open).one()
    return connection.scalar(newest) or 0.0, count, int(revisions)
