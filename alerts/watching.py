"""Alerts read from the history, once or at each change.

Changes made in this process are passed on at once; other processes' are read from the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from alerts import records
from alerts.alert import Alert
from alerts.reports import Reports
from database import NewerDatabase
from database.tables import in_parts

if TYPE_CHECKING:
    import sqlalchemy as sa

    from database.database import Database

log = logging.getLogger(__name__)

# None when nothing more will come.
News = asyncio.Queue[Alert | None]

# The database is asked this often for news from other processes, less often while there is none.
FIRST_LOOK_SECONDS = 0.25
LONGEST_LOOK_SECONDS = 1.0
# Looking at more would slow down the sending of thousands of alerts.
MOST_LOOKED_AT_PER_SECOND = 2000


class Watching(Reports):
    """The alerts of one Twilio account, to be read and watched. Use it from one event loop."""

    def __init__(self, database: Database, account_sid: str) -> None:
        super().__init__(database, account_sid)
        self._watchers = Watchers()
        self._looking: asyncio.Task[None] | None = None
        self._look_seconds = FIRST_LOOK_SECONDS
        self._look_now = asyncio.Event()

    async def close(self) -> None:
        """End all watching, and stop looking for news. The database stays open."""
        self._watchers.close()
        if self._looking:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def get(self, alert_id: str) -> Alert | None:
        """The alert as it stands, or None if it was never sent."""
        known = self._watchers.newest.get(alert_id)
        if known is not None:
            return known
        return (await self.get_all([alert_id])).get(alert_id)

    def newest(self, alert: Alert) -> Alert:
        """Return the newest state that this process knows, without asking the database.

        That is `alert` itself unless the alert is watched.
        """
        return self._watchers.newest.get(alert.id) or alert

    async def get_all(self, alert_ids: Sequence[str]) -> dict[str, Alert]:
        """The alerts as they stand, by id; unknown ids are left out."""
        found = await self._database.read(
            partial(records.read, account_sid=self.account_sid, alert_ids=alert_ids)
        )
        for alert in found.values():
            self._watchers.notify(alert)
        return found

    async def watch(self, alert_id: str, known: Alert | None = None) -> AsyncGenerator[Alert]:
        """Yield the alert as it stands, then its newest state after changes, up to the final one.

        An id that hasn't been sent yet is waited for. Ends early if the history is closed. `known`
        is the alert if the caller has just read it.
        """
        with self.news_of(alert_id, known) as news:
            while alert := await news.get():
                if not news.empty():
                    continue  # the next state has all of this one's events too
                yield alert
                if alert.status.final:
                    return

    async def until(
        self, alert_id: str, is_so: Callable[[Alert], bool], seconds: float | None = None
    ) -> Alert:
        """Wait until `is_so(alert)` and return the alert.

        Raises TimeoutError after `seconds`, or when the history is closed.
        """
        with self.news_of(alert_id) as news:
            async with asyncio.timeout(seconds):
                while alert := await news.get():
                    if is_so(alert):
                        return alert
        raise TimeoutError

    @contextmanager
    def news_of(self, alert_id: str, known: Alert | None = None) -> Iterator[News]:
        """A queue that receives the alert as it stands, then each change while the block lasts.

        Meanwhile `get` needs no database. `known` is the alert if the caller has just read it.
        """
        with self._watchers.news_of(alert_id) as news:
            if known is not None:
                self._watchers.notify(known)
            self._look_seconds = FIRST_LOOK_SECONDS
            if self._watchers.newest.get(alert_id) is None:
                self._look_now.set()
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="news of alerts")
            yield news

    async def _look(self) -> None:
        """Look for news from other processes while any alert is watched."""
        while self._watchers.ids:
            with contextlib.suppress(TimeoutError):
                pause = len(self._watchers.ids) / MOST_LOOKED_AT_PER_SECOND
                async with asyncio.timeout(max(self._look_seconds, pause)):
                    await self._look_now.wait()
            self._look_now.clear()
            try:
                found = [await self._look_at(some) for some in in_parts(self._watchers.ids)]
            except NewerDatabase:
                found = []  # the runtime has logged it
            except Exception:
                log.exception("Looking for news failed; trying again in a moment")
                found = []
            grown = FIRST_LOOK_SECONDS if any(found) else self._look_seconds * 1.25
            self._look_seconds = min(grown, LONGEST_LOOK_SECONDS)

    async def _look_at(self, alert_ids: Sequence[str]) -> bool:
        """Pass on news of these alerts; returns whether there was any."""

        def look(connection: sa.Connection) -> dict[str, Alert]:
            newest = records.revisions(connection, self.account_sid, alert_ids)
            changed = [each for each in newest if self._is_news(each, newest[each])]
            return records.read(connection, self.account_sid, changed) if changed else {}

        found = await self._database.read(look)
        return sum(self._watchers.notify(alert) for alert in found.values()) > 0

    def _is_news(self, alert_id: str, revision: int) -> bool:
        known = self._watchers.newest.get(alert_id)
        return known is None or len(known.events) < revision


class Watchers:
    """The watched alerts of this process: the newest state of each, and the queues for its news.

    Use it from one event loop. Nothing here waits.
    """

    def __init__(self) -> None:
        # The newest state of each watched alert.
        self.newest: dict[str, Alert] = {}
        self._queues: defaultdict[str, set[News]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def news_of(self, alert_id: str) -> Iterator[News]:
        """A queue that receives the newest known state, if any, then each change."""
        queue: News = asyncio.Queue()
        self._queues[alert_id].add(queue)
        if alert_id in self.newest:
            queue.put_nowait(self.newest[alert_id])
        if self._closed:
            queue.put_nowait(None)
        try:
            yield queue
        finally:
            self._queues[alert_id].discard(queue)
            if not self._queues[alert_id]:
                del self._queues[alert_id]
                self.newest.pop(alert_id, None)

    @property
    def ids(self) -> list[str]:
        """The alerts that are watched."""
        return list(self._queues)

    def notify(self, alert: Alert) -> bool:
        """Pass a state on to the alert's watchers; false if they have it already."""
        known = self.newest.get(alert.id)
        if alert.id not in self._queues or (known and len(known.events) >= len(alert.events)):
            return False
        self.newest[alert.id] = alert
        for queue in self._queues[alert.id]:
            queue.put_nowait(alert)
        return True

    def close(self) -> None:
        """Tell every watcher that nothing more will come."""
        self._closed = True
        for queues in self._queues.values():
            for queue in queues:
                queue.put_nowait(None)
