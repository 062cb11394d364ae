"""Notices that every page shows to every visitor, read once however many there are."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from shiny import reactive
from shiny.session import Session

from alerts import Desk
from alerts.broadcast import Approval
from alerts.opening import Opening
from dashboard.background import in_background, show

if TYPE_CHECKING:
    from alerts.emergency_stop import EmergencyStop
    from alerts.refusals import Refusals

log = logging.getLogger(__name__)

SECONDS_BETWEEN_READINGS = 2.0
# A page that is being opened shows notices that were read for others within this time, until it has
# read them itself.
SHOWN_AT_ONCE_SECONDS = 10.0
REFUSALS_WITHIN = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Notices:
    """The emergency stop, the requests for a second person's yes, and who asked for too much."""

    stop: EmergencyStop | None = None
    approvals: tuple[Approval, ...] = ()
    refusals: tuple[Refusals, ...] = ()


class NoticesReader:
    """Reads the notices for all visitors of this process."""

    def __init__(self, opening: Opening) -> None:
        # This desk acts for the process; the page decides what a visitor may see.
        self._desk = Desk(opening.services, opening=opening)
        self._reading = asyncio.Lock()
        self._read_at = 0.0
        self._found = Notices()

    def latest(self) -> Notices:
        """Return the notices read last, or empty ones if they are too old to be shown."""
        age = time.monotonic() - self._read_at
        return self._found if self._read_at and age < SHOWN_AT_ONCE_SECONDS else Notices()

    async def read(self, most_seconds: float = 0) -> Notices:
        """Return the notices, at most `most_seconds` old."""
        asked_at = time.monotonic()
        async with self._reading:
            # Another visitor may have read them while this one waited.
            if not self._read_at or self._read_at < asked_at - most_seconds:
                began_at = time.monotonic()
                self._found = Notices(
                    await self._desk.emergency_stop(),
                    tuple(await self._desk.approvals(timedelta(hours=12))),
                    tuple(await self._desk.refusals(REFUSALS_WITHIN)),
                )
                self._read_at = began_at
            return self._found


_READERS: WeakKeyDictionary[Opening, NoticesReader] = WeakKeyDictionary()


class LiveNotices:
    """The notices as a reactive value of one session, which changes by itself."""

    def __init__(self, desk: Desk, session: Session) -> None:
        if desk.opening not in _READERS:
            _READERS[desk.opening] = NoticesReader(desk.opening)
        self._reader = _READERS[desk.opening]
        self._notices: reactive.Value[Notices] = reactive.Value(self._reader.latest())
        self._following: asyncio.Task[None] | None = None
        # The database may take some seconds to open, and the page doesn't wait for it.
        session.on_flushed(self._begin, once=True)
        session.on_ended(self._stop)

    def __call__(self) -> Notices:
        """Return the notices; a reactive read."""
        return self._notices()

    async def look(self) -> None:
        """Read the notices at once, such as after the visitor has done something."""
        await self._show(await self._reader.read())

    def _begin(self) -> None:
        self._following = in_background(self._follow(), "notices")

    def _stop(self) -> None:
        if self._following:
            self._following.cancel()

    async def _follow(self) -> None:
        while True:
            try:
                await self._show(await self._reader.read(SECONDS_BETWEEN_READINGS))
            except Exception as error:  # noqa: BLE001 - the pages themselves say what is wrong
                log.debug("The notices couldn't be read: %s", error)
            await asyncio.sleep(SECONDS_BETWEEN_READINGS)

    async def _show(self, notices: Notices) -> None:
        await show({self._notices: notices})
