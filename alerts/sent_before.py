"""Whether the same words went to the same number a short while ago: perhaps a second press."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from alerts.alert import Alert, AlertRequest, tries_of
from alerts.broadcast import written_words
from alerts.phone_numbers import international
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


def sent_before(
    connection: sa.Connection,
    account_sid: str,
    requests: Sequence[AlertRequest],
    since: datetime,
) -> list[SentBefore]:
    """Return the requests whose words went to the same number since `since`, and when last.

    The requests' numbers are as in `PhoneNumber.dialed`. What never left for Twilio doesn't count,
    nor do alerts of the broadcast that a request belongs to.
    """
    recent = _recent(connection, account_sid, requests, since)
    found: list[SentBefore] = []
    for request in requests:
        known = [
            (at, alert)
            for number in _numbers(request)
            for at, alert in recent.get(number, ())
            if _says_the_same(request, alert)
        ]
        if known:
            at, alert = max(known, key=lambda each: each[0])
            found.append(SentBefore(request.to, at, request.name or alert.request.name))
    return found


def _recent(
    connection: sa.Connection, account_sid: str, requests: Iterable[AlertRequest], since: datetime
) -> dict[str, list[tuple[datetime, Alert]]]:
    """Return what was sent to the numbers of the requests, by number."""
    numbers = sorted({number for each in requests for number in _numbers(each)})
    recent: dict[str, list[tuple[datetime, Alert]]] = {}
    for some in in_parts(numbers):
        wanted = {"account": account_sid, "numbers": some, "since": since.timestamp()}
        for row in connection.execute(RECENT, wanted).mappings():
            alert = alert_of(row)
            if _left(alert):
                at = datetime.fromtimestamp(row["created_at"], since.tzinfo)
                recent.setdefault(row["to_number"], []).append((at, alert))
    return recent


def _numbers(request: AlertRequest) -> set[str]:
    """All numbers that the request's tries go to: an earlier alert may be at any of them."""
    # Once each: the request isn't checked yet, and may name any number of tries.
    return {each.to for each in tries_of(replace(request, tries=1))}


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
