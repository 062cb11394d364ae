"""News of the history, read from the database once, however many visitors look at it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from alerts import DatabaseError, Desk
from alerts.opening import Opening
from dashboard.background import in_background
from dashboard.shared_reading import SharedReading
from database import NewerDatabase

if TYPE_CHECKING:
    from alerts.filters import Overview

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0
# Clock times and "waits until" change without any news.
SECONDS_WITHOUT_NEWS = 30.0
OVERVIEW_SECONDS = 5.0


class Pulse:
    """Looks for news of a history once a second while any page watches."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._watching = 0
        self._changed = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._overviews: dict[tuple[datetime, datetime], SharedReading[Overview]] = {}

    async def beats(self) -> AsyncGenerator[None]:
        """Yield at once, then after each change, and every SECONDS_WITHOUT_NEWS at the latest."""
        self._watching += 1
        try:
            if self._looking is None or self._looking.done():
                self._looking = in_background(self._look(), "news of the history")
            while True:
                changed = self._changed
                yield
                try:
                    async with asyncio.timeout(SECONDS_WITHOUT_NEWS):
                        await changed.wait()
                except TimeoutError:
                    pass
        finally:
            self._watching -= 1
            if not self._watching and self._looking:
                self._looking.cancel()
                # A page that begins to watch before the task has ended needs another one.
                self._looking = None

    async def overview(self, hours: tuple[datetime, ...], month: datetime) -> Overview:
        """Return the senders, hourly counts and costs, at most OVERVIEW_SECONDS old."""
        key = (hours[0], month)
        if key not in self._overviews:
            # Forget those of other days and time zones that no one has looked at for a while.
            self._overviews = {
                each: kept
                for each, kept in self._overviews.items()
                if not kept.was_read or kept.latest(60) is not None
            } | {key: SharedReading()}

        async def read() -> Overview:
            return await (await self._opening.runtime()).history.overview(hours, month)

        return await self._overviews[key].read(read, OVERVIEW_SECONDS)

    async def _look(self) -> None:
        last: object = None
        while True:
            try:
                newest = await (await self._opening.runtime()).history.pulse()
            except NewerDatabase:
                newest = None  # the desk has logged it
            except DatabaseError as problem:
                log.warning("Looking for news failed; trying again in a moment. %s", problem)
                newest = None
            except Exception:
                log.exception("Looking for news failed; trying again in a moment")
                newest = None
            if newest != last:
                last = newest
                self._changed.set()
                self._changed = asyncio.Event()
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


_PULSES: WeakKeyDictionary[Opening, Pulse] = WeakKeyDictionary()


def pulse_of(desk: Desk) -> Pulse:
    """Return the one pulse for all desks that share a history."""
    return _PULSES.setdefault(desk.opening, Pulse(desk.opening))
