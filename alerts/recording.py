"""Events on their way into the history: all that wait are kept together, in few statements."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from alerts import records
from alerts.alert import Alert
from alerts.records import Entry
from alerts.tables import alert_after
from alerts.watching import Watching
from database.group_commit import Failed, WritingQueue

if TYPE_CHECKING:
    import sqlalchemy as sa

    from database.database import Database

CLOSING_SECONDS = 5.0


class Recording:
    """Keeps events of an account's alerts; what `watching` knows needn't be read again."""

    def __init__(self, database: Database, account_sid: str, watching: Watching) -> None:
        self._database = database
        self._account_sid = account_sid
        self._watching = watching
        self._queue = WritingQueue[Entry](self._commit)

    async def keep(self, entry: Entry) -> Alert | None:
        """The alert after the event; None if it wasn't kept."""
        alert: Alert | None = await self._queue.write(entry)
        return alert

    async def close(self) -> None:
        """Finish what was handed in."""
        await self._queue.close(CLOSING_SECONDS)

    async def _commit(self, entries: Sequence[Entry]) -> list[Any]:
        try:
            return await self._database.write(partial(self._write, entries=entries))
        except Exception as error:  # noqa: BLE001 - it is told to whoever waits
            if len(entries) == 1:
                return [Failed(error)]
        # One that fails fails alone.
        return [(await self._commit([each]))[0] for each in entries]

    def _write(self, connection: sa.Connection, entries: Sequence[Entry]) -> list[Alert | None]:
        newest: dict[str, Alert] = {}
        after: list[Alert | None] = []
        kept = records.append(connection, self._account_sid, entries)
        for entry, appended in zip(entries, kept, strict=True):
            if appended is None:
                after.append(None)
                continue
            known = newest.get(entry.alert_id) or self._watching.known(entry.alert_id)
            if known is not None and len(known.events) == appended.number - 1:
                alert = alert_after(known, appended.standing, appended.event)
            else:
                read = records.read(connection, self._account_sid, [entry.alert_id])
                alert = read[entry.alert_id]
            newest[entry.alert_id] = alert
            after.append(alert)
        return after
