"""A history that tests write by hand, without delivering anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts import AlertRequest, Desk, Event, Status
from alerts.alert import NewAlert
from alerts.history import History
from alerts.records import position_at
from alerts.submissions import Outcome, Submission
from alerts.tables import alerts, broadcasts
from database.database import Database
from tests.support.alerts_by_hand import CALLER

ACCOUNT = "AC" + "1" * 32


class WrittenHistory(History):
    """A history together with its `database`, where tests write what no alert would by itself."""

    def __init__(self, database: Database, account_sid: str) -> None:
        super().__init__(database, account_sid)
        self.database = database


@asynccontextmanager
async def written_history(url: str, account_sid: str = ACCOUNT) -> AsyncIterator[WrittenHistory]:
    """An empty history in a database."""
    database = Database(url)
    await database.open()
    history = WrittenHistory(database, account_sid)
    yield history
    await history.close()
    await database.close()


async def history_behind(desk: Desk) -> WrittenHistory:
    """The history of a desk as another process has it open, to write into it."""
    return WrittenHistory(await desk.database(), (await desk.history()).account_sid)


async def write(history: History, alert_id: str, request: AlertRequest, *statuses: Status) -> None:
    """Save an alert, and an event for each status."""
    await history.add([NewAlert(alert_id, request, CALLER)])
    for status in statuses:
        await history.record(alert_id, Event(datetime.now(UTC), status, str(status)))


async def write_old(
    history: WrittenHistory,
    alert_id: str,
    request: AlertRequest,
    *statuses: Status,
    days_ago: float,
) -> None:
    """Save an alert as if it were some days ago, and an event of now for each status."""
    await write(history, alert_id, request, *statuses)
    await move(history, alert_id, datetime.now(UTC) - timedelta(days=days_ago))


async def write_with_sid(history: History, alert_id: str, request: AlertRequest, sid: str) -> None:
    """Save an alert whose first try Twilio has accepted as `sid`."""
    await write(history, alert_id, request)
    submission = Submission(
        f"submission-{alert_id}",
        alert_id,
        1,
        history.account_sid,
        request.channel,
        request.to,
        datetime.now(UTC),
    )
    event = Event(datetime.now(UTC), Status.SENDING, "On its way to Twilio")
    begun = await history.begin(submission, event, 100, has_slot=True)
    assert begun.is_begun
    await history.settle(submission, Outcome.PLACED, None, sid)


async def move(history: WrittenHistory, alert_id: str, to: datetime) -> None:
    """Let an alert have been saved at another time."""
    of_alert = (alerts.c.id == alert_id, alerts.c.account_sid == history.account_sid)

    def work(connection: sa.Connection) -> None:
        old = connection.scalar(sa.select(alerts.c.position).where(*of_alert))
        table = sa.table("alert_words", sa.column("rowid"), sa.column("position"))
        place = table.c.rowid if connection.dialect.name == "sqlite" else table.c.position
        new = position_at(to) + (old or 0) % 4096
        connection.execute(
            sa.update(table).where(place == old).values({place.name: new})  # its words move along
        )
        connection.execute(
            sa.update(alerts).where(*of_alert).values(created_at=to.timestamp(), position=new)
        )

    await history.database.write(work)


async def broadcast(
    history: WrittenHistory,
    broadcast_id: str,
    title: str,
    requests: Sequence[AlertRequest],
    sender: str,
) -> list[str]:
    """Save a broadcast and its alerts; returns their ids."""
    row = {
        "id": broadcast_id,
        "account_sid": history.account_sid,
        "title": title,
        "sender": sender,
        "created_at": datetime.now(UTC).timestamp(),
    }

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(broadcasts).values(row))

    await history.database.write(work)
    ids = [f"{broadcast_id}-{number}" for number in range(len(requests))]
    await history.add(
        [
            NewAlert(each, replace(request, broadcast=broadcast_id, user=sender), CALLER)
            for each, request in zip(ids, requests, strict=True)
        ]
    )
    return ids
