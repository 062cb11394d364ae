"""What became of every alert: written down event by event, read by whoever asks or watches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from alerts import adding, records
from alerts.alert import Alert, Event
from alerts.recording import Recording
from alerts.records import Entry, Provided
from alerts.submissions import claim
from alerts.tables import NewAlert, Row
from alerts.watching import News, Watching

if TYPE_CHECKING:
    import sqlalchemy as sa

    from database.database import Database

T = TypeVar("T")

# How long news from another process may take; our own is told at once.
SECONDS_BETWEEN_LOOKS = 0.25
AT_ONCE = 500


class History:
    """The alerts of one Twilio account; another's may have the same ids.

    Use it from one event loop. `most_an_hour` is how many alerts a number may have in an hour; more
    of them wait.
    """

    def __init__(self, database: Database, account_sid: str, most_an_hour: int) -> None:
        self.database = database
        self.account_sid = account_sid
        self._most_an_hour = most_an_hour
        self._watching = Watching()
        self._recording = Recording(database, account_sid, self._watching)
        self._looking: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Let watchers go, and stop looking for news; the database stays open."""
        self._watching.close()
        if self._looking:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        await self._recording.close()

    async def add(self, new: Sequence[NewAlert]) -> set[str]:
        """Write down new alerts; those whose id is known already stay. Gives the ids of the new."""
        now, added = datetime.now(UTC), set[str]()
        for some in in_parts(new):
            add = partial(
                adding.add,
                account_sid=self.account_sid,
                new=some,
                now=now,
                most_an_hour=self._most_an_hour,
            )
            added |= await self.database.write(add)
        return added

    async def get(self, alert_id: str) -> Alert | None:
        """The alert as it stands, or None if nobody has sent it."""
        known = self._watching.known(alert_id)
        if known is not None:
            return known
        return (await self.get_all([alert_id])).get(alert_id)

    async def get_all(self, alert_ids: Sequence[str]) -> dict[str, Alert]:
        """The alerts as they stand, by id; unknown ids are left out."""
        found: dict[str, Alert] = {}
        for some in in_parts(alert_ids):
            reading = partial(records.read, account_sid=self.account_sid, alert_ids=some)
            found |= await self.read(reading)
        for alert in found.values():
            self._watching.tell(alert)
        return found

    async def record(
        self, alert_id: str, event: Event, provided: Provided | None = None
    ) -> Alert | None:
        """Keep an event; gives the alert after it.

        None, and nothing is kept, for an unknown alert and where `provided` says no.
        """

        alert = await self._recording.keep(Entry(alert_id, event, provided))
        if alert is not None:
            self._watching.tell(alert)
        return alert

    async def record_callback(
        self, alert_id: str, event: Event, sid: str | None = None
    ) -> Alert | None:
        """Keep an event that Twilio reports about a try which was made.

        With `sid` only if that is the SID of the try's call or text. None if it isn't kept.
        """

        def was_made(connection: sa.Connection, row: Row) -> bool:
            number = event.try_number
            return 1 <= number <= row["try_number"] and (
                sid is None or claim(connection, row, number, sid)
            )

        return await self.record(alert_id, event, was_made)

    async def watch(self, alert_id: str) -> AsyncGenerator[Alert]:
        """The alert as it stands, then each change, up to the final one. Waits for unsent ids.

        Ends early if the history is closed.
        """
        with self.news_of(alert_id) as news:
            while alert := await news.get():
                yield alert
                if alert.status.final:
                    return

    async def until(
        self, alert_id: str, is_so: Callable[[Alert], bool], seconds: float | None = None
    ) -> Alert:
        """Wait until something is so of an alert; gives the alert.

        Raises TimeoutError after `seconds`, or when the history is closed.
        """
        with self.news_of(alert_id) as news:
            async with asyncio.timeout(seconds):
                while alert := await news.get():
                    if is_so(alert):
                        return alert
        raise TimeoutError

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Read anything; see `Database.read`."""
        return await self.database.read(work)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Write what is no event; see `Database.write`."""
        return await self.database.write(work)

    @contextmanager
    def news_of(self, alert_id: str) -> Iterator[News]:
        """A queue that gets the alert as it stands and each change, for as long as the block lasts.

        Meanwhile `get` costs nothing.
        """
        with self._watching.news_of(alert_id) as news:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="news of alerts")
            yield news

    async def _look(self) -> None:
        while ids := self._watching.ids:
            for some in in_parts(ids):
                await self._look_at(some)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def _look_at(self, alert_ids: Sequence[str]) -> None:
        def look(connection: sa.Connection) -> dict[str, Alert]:
            newest = records.revisions(connection, self.account_sid, alert_ids)
            news = [each for each in newest if self._is_news(each, newest)]
            return records.read(connection, self.account_sid, news)

        for alert in (await self.database.read(look)).values():
            self._watching.tell(alert)

    def _is_news(self, alert_id: str, newest: dict[str, int]) -> bool:
        known = self._watching.known(alert_id)
        return known is None or len(known.events) < newest[alert_id]


def in_parts(many: Sequence[T]) -> Iterator[Sequence[T]]:
    """The same in parts that one statement can hold."""
    for start in range(0, len(many), AT_ONCE):
        yield many[start : start + AT_ONCE]
