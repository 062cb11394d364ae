"""Alerts that were refused because a person asked for more than an hour allows.

Kept so that the people in charge learn of it: pages show it to administrators, and the log and the
audit trail have a line an hour for each person. Each function works inside the caller's
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from access.actor import Actor
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts.limits import TooMany, allowance_words, left_of_hour
from alerts.tables import refusals
from database.tables import insert_new

HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many alerts of a person ("" for a program) were refused, and when the last one.

    `most` is how many an hour are allowed, and `left` how many of them now; None without a limit.
    """

    person: str
    alerts: int
    last_at: datetime
    most: int | None = None
    left: int | None = None

    @property
    def allowance(self) -> str:
        """What an hour allows now, as a sentence; "" without a limit."""
        if self.most is None or self.left is None:
            return ""
        return f"{allowance_words(self.most, self.left)}."


def count_refusal(
    connection: sa.Connection, account_sid: str, refused: TooMany, at: datetime
) -> bool:
    """Count refused alerts; returns whether they are a person's first in this hour.

    If they are, it is recorded in the audit trail too. If this runs again, they may count twice,
    which does no harm: the number is there to tell few from many.
    """
    key = {
        "account_sid": account_sid,
        "person": refused.person,
        "hour": int(at.timestamp()) // HOUR_SECONDS,
    }
    insert_new(connection, refusals, [key | {"alerts": 0, "last_at": at.timestamp()}])
    counted = (
        sa.update(refusals)
        .where(*(refusals.c[name] == value for name, value in key.items()))
        .values(alerts=refusals.c.alerts + refused.count, last_at=at.timestamp())
        .returning(refusals.c.alerts)
    )
    is_first = bool(connection.scalar(counted) == refused.count)
    if is_first:
        actor = Actor(refused.person or "A program", frozenset())
        about = (
            f"{refused.count:,} alerts: {refused.most:,} an hour may be sent, and {refused.left:,} "
            "were left"
        )
        write_entries(connection, [AuditEntry.by(actor, Action.REFUSED, Kind.ALERTS, about)])
    return is_first


def read_refusals(
    connection: sa.Connection, account_sid: str, most: int | None, since: datetime, now: datetime
) -> list[Refusals]:
    """Return what was refused since then, by person, newest first.

    `most` is how many alerts an hour are allowed, None for any number.
    """
    last = sa.func.max(refusals.c.last_at)
    chosen = (
        sa.select(refusals.c.person, sa.func.sum(refusals.c.alerts), last)
        .where(refusals.c.account_sid == account_sid, refusals.c.last_at >= since.timestamp())
        .group_by(refusals.c.person)
        .order_by(last.desc())
    )
    found = list[Refusals]()
    for person, count, at in connection.execute(chosen).all():
        left = None if most is None else left_of_hour(connection, account_sid, most, person, now)
        found.append(Refusals(person, count, datetime.fromtimestamp(at, UTC), most, left))
    return found
