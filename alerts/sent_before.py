"""Whether the same words went to the same number a short while ago: perhaps a second press."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from alerts.alert import Alert, AlertRequest
from alerts.broadcast import written_words
from alerts.errors import UnusableInput
from alerts.phone_numbers import Regions, international, read_number, split_dialed
from alerts.records import alert_of
from alerts.status import Status
from alerts.tables import alerts
from database.tables import in_parts

RECENT = (
    sa.select(alerts)
    .where(
        alerts.c.to_number.in_(sa.bindparam("numbers", expanding=True)),
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.created_at >= sa.bindparam("since"),
    )
    .order_by(alerts.c.created_at)
)


@dataclass(frozen=True, slots=True)
class SentBefore:
    """Words that were sent `to` a number `at` some time; `name` is the recipient's, or ""."""

    to: str
    at: datetime
    name: str

    @property
    def label(self) -> str:
        """The name, or the number where there is none."""
        return self.name or international(self.to)


@dataclass(frozen=True, slots=True)
class RecentAlerts:
    """What was sent to some numbers a short while ago: each alert and when, by number."""

    by_number: Mapping[str, Sequence[tuple[datetime, Alert]]]
    regions: Regions

    def with_words_of(self, requests: Iterable[AlertRequest]) -> list[SentBefore]:
        """Return the requests whose words went to the same number, and when last.

        Requests whose number can't be used are left out. Alerts of the broadcast that a request
        belongs to don't count.
        """
        if not self.by_number:
            return []  # as usual
        found: list[SentBefore] = []
        for request in readable(requests, self.regions):
            known = [
                (at, alert)
                for number in numbers_of([request])
                for at, alert in self.by_number.get(number, ())
                if _says_the_same(request, alert)
            ]
            if known:
                at, alert = max(known, key=lambda each: each[0])
                found.append(SentBefore(request.to, at, request.name or alert.request.name))
        return found


def readable(requests: Iterable[AlertRequest], regions: Regions) -> list[AlertRequest]:
    """Return the requests with numbers as in `PhoneNumber.dialed`, without those that have none."""
    found: list[AlertRequest] = []
    for each in requests:
        with suppress(UnusableInput):
            to, *then_to = [read_number(to, regions).dialed for to in (each.to, *each.then_to)]
            found.append(replace(each, to=to, then_to=tuple(then_to)))
    return found


def numbers_of(requests: Iterable[AlertRequest]) -> set[str]:
    """All numbers that the tries of readable requests go to: an alert may be at any of them."""
    return {split_dialed(to)[0] for each in requests for to in (each.to, *each.then_to)}


def read_recent(
    connection: sa.Connection,
    account_sid: str,
    requests: Iterable[AlertRequest],
    regions: Regions,
    since: datetime,
) -> RecentAlerts:
    """Return what was sent to the requests' numbers since `since`.

    Requests whose number can't be used are left out, and so is what never left for Twilio.
    """
    recent: dict[str, list[tuple[datetime, Alert]]] = {}
    for some in in_parts(sorted(numbers_of(readable(requests, regions)))):
        wanted = {"account": account_sid, "numbers": some, "since": since.timestamp()}
        for row in connection.execute(RECENT, wanted).mappings():
            alert = alert_of(row)
            if _left(alert):
                at = datetime.fromtimestamp(row["created_at"], since.tzinfo)
                recent.setdefault(row["to_number"], []).append((at, alert))
    return RecentAlerts(recent, regions)


def _left(alert: Alert) -> bool:
    """Whether anything went to Twilio, or still will."""
    never = alert.status in {Status.CANCELED, Status.FAILED}
    return not never or alert.sid is not None or alert.try_number > 1


def _says_the_same(request: AlertRequest, alert: Alert) -> bool:
    """Whether an alert was for the request's first number and had its words, as written."""
    other = alert.request
    if other.broadcast and other.broadcast == request.broadcast:
        return False
    same_number = request.to in {other.to, *other.then_to}
    return same_number and written_words(request) == written_words(other)
