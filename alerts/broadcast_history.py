"""The broadcasts in the history: saving one in a single transaction, reading and watching it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from access.audit_entry import AuditEntry
from alerts import records
from alerts.alert import Alert, NewAlert
from alerts.broadcast import Broadcast
from alerts.history import History
from alerts.limits import TooMany
from alerts.tables import alerts, broadcasts
from database import NewerDatabase
from database.database import Database
from database.tables import insert_new

log = logging.getLogger(__name__)

FIRST_LOOK_SECONDS = 0.3
LONGEST_LOOK_SECONDS = 1.0
# Pause this many times as long as the last look took, because hundreds of alerts take long to read.
PAUSE_PER_LOOK_SECOND = 3

REVISIONS = (
    sa.select(alerts.c.id, alerts.c.revision)
    .where(
        alerts.c.broadcast_id == sa.bindparam("broadcast"),
        alerts.c.account_sid == sa.bindparam("account"),
    )
    .order_by(alerts.c.place_in_broadcast, alerts.c.created_at, alerts.c.id)
)


class BroadcastHistory:
    """The broadcasts in a history. Use it from one event loop."""

    def __init__(self, database: Database, history: History) -> None:
        self._database = database
        self._history = history
        self._account_sid = history.account_sid
        self._looks: dict[str, _BroadcastPoller] = {}
        self._closed = False

    async def close(self) -> None:
        """End all watching. The database stays open."""
        self._closed = True
        for look in list(self._looks.values()):
            await look.end()

    async def add(
        self,
        broadcast: Broadcast,
        new: Sequence[NewAlert],
        worker_id: str | None = None,
        audit: AuditEntry | None = None,
        *,
        confirmed: bool = False,
    ) -> tuple[Broadcast, list[Alert]]:
        """Save a broadcast and its alerts, all or none; returns it and the alerts that are new.

        A known broadcast stays as it is, and so do its known alerts. With `worker_id`, that worker
        has claimed the new alerts and has to deliver them. `audit` is written with them if any is
        new. Limits are those of `History.add`.
        """
        await self._history.learn_prices()
        try:
            return await self._database.write(
                lambda connection: self.add_within(
                    connection, broadcast, new, worker_id, audit, confirmed=confirmed
                )
            )
        except TooMany as refusal:
            await self._history.note_refusal(refusal)
            raise

    def add_within(
        self,
        connection: sa.Connection,
        broadcast: Broadcast,
        new: Sequence[NewAlert],
        worker_id: str | None = None,
        audit: AuditEntry | None = None,
        *,
        confirmed: bool,
    ) -> tuple[Broadcast, list[Alert]]:
        """Do the same as `add` within a transaction of the caller's."""
        row = asdict(broadcast) | {
            "account_sid": self._account_sid,
            "created_at": broadcast.created_at.timestamp(),
        }
        insert_new(connection, broadcasts, [row])
        at = broadcast.created_at
        added = self._history.add_within(
            connection, new, worker_id, confirmed=confirmed, now=at, audit=audit
        )
        return _read(connection, self._account_sid, broadcast.id) or broadcast, added

    async def get(self, broadcast_id: str) -> tuple[Broadcast, list[Alert]] | None:
        """Return a broadcast and its alerts in the order they were given; None if unknown."""

        def get(connection: sa.Connection) -> tuple[Broadcast, list[Alert]] | None:
            found = _read(connection, self._account_sid, broadcast_id)
            if found is None:
                return None
            ids = list(self._revisions(connection, broadcast_id))
            return found, list(self._alerts(connection, ids).values())

        return await self._database.read(get)

    async def watch(self, broadcast_id: str) -> AsyncGenerator[list[Alert]]:
        """Yield all of a broadcast's alerts, then those that changed, until all have ended.

        A few times a second at most, however many change; watchers of one broadcast share the
        looks at the database. A broadcast that isn't there yet is waited for.
        """
        if self._closed:
            return
        look = self._looks.get(broadcast_id)
        if look is None or look.is_over:
            look = self._looks[broadcast_id] = _BroadcastPoller(self, broadcast_id)
        watcher = look.join()
        try:
            while True:
                await watcher.news.wait()
                watcher.news.clear()
                changed, watcher.changed = list(watcher.changed.values()), {}
                if changed:
                    yield changed
                if look.is_over:
                    return
        finally:
            look.watchers.discard(watcher)
            if not look.watchers:
                await look.end()
                if self._looks.get(broadcast_id) is look:
                    del self._looks[broadcast_id]

    async def changed(self, broadcast_id: str, known: dict[str, Alert]) -> dict[str, Alert]:
        """Return those of a broadcast's alerts that are newer than the known ones, by id."""

        def look(connection: sa.Connection) -> dict[str, Alert]:
            newest = self._revisions(connection, broadcast_id)
            ids = [
                each
                for each, revision in newest.items()
                if each not in known or len(known[each].events) < revision
            ]
            return self._alerts(connection, ids)

        return await self._database.read(look)

    def _revisions(self, connection: sa.Connection, broadcast_id: str) -> dict[str, int]:
        """How many events each of a broadcast's alerts has, by id and in their order."""
        wanted = {"broadcast": broadcast_id, "account": self._account_sid}
        return {row.id: row.revision for row in connection.execute(REVISIONS, wanted)}

    def _alerts(self, connection: sa.Connection, ids: Sequence[str]) -> dict[str, Alert]:
        """The alerts with these ids, in this order."""
        found = records.read(connection, self._account_sid, ids)
        return {each: found[each] for each in ids if each in found}


def _read(connection: sa.Connection, account_sid: str, broadcast_id: str) -> Broadcast | None:
    chosen = sa.select(broadcasts).where(
        broadcasts.c.id == broadcast_id, broadcasts.c.account_sid == account_sid
    )
    row = connection.execute(chosen).first()
    if row is None:
        return None
    return Broadcast(row.id, row.title, row.sender, datetime.fromtimestamp(row.created_at, UTC))


@dataclass(eq=False, slots=True)
class _Watcher:
    """What a watcher has yet to be told: the alerts that changed, by id."""

    changed: dict[str, Alert]
    news: asyncio.Event = field(default_factory=asyncio.Event)


class _BroadcastPoller:
    """Looks at one broadcast again and again, for all who watch it in this process."""

    def __init__(self, history: BroadcastHistory, broadcast_id: str) -> None:
        self.watchers: set[_Watcher] = set()
        self.is_over = False
        self._history = history
        self._id = broadcast_id
        self._known: dict[str, Alert] = {}
        self._task = asyncio.create_task(self._run(), name=f"news of broadcast {broadcast_id}")

    def join(self) -> _Watcher:
        """Return a watcher; its first news is everything that is known already."""
        watcher = _Watcher(dict(self._known))
        if self._known:
            watcher.news.set()
        self.watchers.add(watcher)
        return watcher

    async def end(self) -> None:
        """Stop looking, and tell the watchers that nothing more will come."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._be_over()

    async def _run(self) -> None:
        pause = FIRST_LOOK_SECONDS
        while True:
            began = time.monotonic()
            try:
                changed = await self._history.changed(self._id, self._known)
            except NewerDatabase:
                changed = {}  # the runtime has logged it
            except Exception:
                log.exception("Looking at a broadcast failed; trying again in a moment")
                changed = {}
            self._tell(changed)
            if self._known and all(each.status.final for each in self._known.values()):
                self._be_over()
                return
            took = time.monotonic() - began
            pause = FIRST_LOOK_SECONDS if changed else min(pause * 1.25, LONGEST_LOOK_SECONDS)
            await asyncio.sleep(max(pause, took * PAUSE_PER_LOOK_SECOND))

    def _tell(self, changed: dict[str, Alert]) -> None:
        self._known |= changed
        for watcher in self.watchers if changed else ():
            watcher.changed |= changed
            watcher.news.set()

    def _be_over(self) -> None:
        self.is_over = True
        for watcher in self.watchers:
            watcher.news.set()
