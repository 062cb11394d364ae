"""Writing new alerts down, inside a transaction of the caller's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from alerts.alert import Event
from alerts.records import insert_new
from alerts.status import Status
from alerts.tables import NewAlert, alert_row, alerts, event_row, events

HOUR = 3600.0


def add(
    connection: sa.Connection,
    account_sid: str,
    new: Sequence[NewAlert],
    now: datetime,
    most_an_hour: int,
) -> set[str]:
    """Write down new alerts, with the event that says so; those that are there already stay.

    Gives the ids of those that weren't there.
    """
    rows = [alert_row(each, account_sid, now.timestamp()) for each in new]
    for some in _each_number_once(rows):
        free_at = _free_at(
            connection, account_sid, [row["to_number"] for row in some], most_an_hour
        )
        for row in some:
            row["not_before"] = max(row["created_at"], free_at[row["to_number"]])
        insert_new(connection, alerts, some)
    written = Event(now, Status.QUEUED, "Written and checked")
    insert_new(connection, events, [event_row(each, 1, written) for each in rows])
    # By the moment, which stays right if all of this is repeated.
    ours = sa.select(alerts.c.id).where(
        alerts.c.account_sid == account_sid,
        alerts.c.id.in_([each.id for each in new]),
        alerts.c.created_at == now.timestamp(),
    )
    return set(connection.scalars(ours))


def _each_number_once(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows in parts, in order: when a number may have another depends on those before."""
    parts: list[list[dict[str, Any]]] = []
    count: Counter[str] = Counter()
    for row in rows:
        part = count[row["to_number"]]
        count[row["to_number"]] += 1
        if part == len(parts):
            parts.append([])
        parts[part].append(row)
    return parts


def _free_at(
    connection: sa.Connection, account_sid: str, numbers: Sequence[str], most_an_hour: int
) -> dict[str, float]:
    """When each number may have one more alert: an hour after the last but so many."""
    asked = sa.values(sa.column("number", sa.Text)).data([(each,) for each in numbers]).cte("asked")
    nth_last = (
        sa.select(alerts.c.not_before)
        .where(alerts.c.account_sid == account_sid, alerts.c.to_number == asked.c.number)
        .order_by(alerts.c.created_at.desc())
        .limit(1)
        .offset(most_an_hour - 1)
        .scalar_subquery()
    )
    found = connection.execute(sa.select(asked.c.number, nth_last))
    return {number: (before or 0) + HOUR for number, before in found}
