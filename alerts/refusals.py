"""What was refused because somebody had asked for too many alerts in an hour.

Kept for the owner, who should hear of it even if nobody tells them: the pages show it to
administrators, and the log and the audit trail have a line an hour for each person. Each function
works inside the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from access.actor import Actor
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts.tables import refusals
from database.tables import insert_new

HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many alerts of a person ("" for a program) were refused, and when the last time."""

    person: str
    alerts: int
    last_at: datetime


def count_refusal(
    connection: sa.Connection, account_sid: str, person: str, alerts: int, at: datetime
) -> bool:
    """Count refused alerts; returns whether they are a person's first in this hour.

    Then the audit trail tells of it too. If this runs again, they may count twice: the number is
    there to tell few from many.
    """
    key = {
        "account_sid": account_sid,
        "person": person,
        "hour": int(at.timestamp()) // HOUR_SECONDS,
    }
    insert_new(connection, refusals, [key | {"alerts": 0, "last_at": at.timestamp()}])
    counted = (
        sa.update(refusals)
        .where(*(refusals.c[name] == value for name, value in key.items()))
        .values(alerts=refusals.c.alerts + alerts, last_at=at.timestamp())
        .returning(refusals.c.alerts)
    )
    is_first = bool(connection.scalar(counted) == alerts)
    if is_first:
        actor = Actor(person or "A program", frozenset())
        about = f"{alerts:,} alerts: more than an hour allows"
        write_entries(connection, [AuditEntry.by(actor, Action.REFUSED, Kind.ALERTS, about)])
    return is_first


def read_refusals(connection: sa.Connection, account_sid: str, since: datetime) -> list[Refusals]:
    """Return what was refused since then, by person, the last first."""
    last = sa.func.max(refusals.c.last_at)
    chosen = (
        sa.select(refusals.c.person, sa.func.sum(refusals.c.alerts), last)
        .where(refusals.c.account_sid == account_sid, refusals.c.last_at >= since.timestamp())
        .group_by(refusals.c.person)
        .order_by(last.desc())
    )
    return [
        Refusals(person, count, datetime.fromtimestamp(at, UTC))
        for person, count, at in connection.execute(chosen)
    ]
