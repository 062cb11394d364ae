"""Notices that every page shows to every visitor, read once however many there are."""

from __future__ import annotations

import asyncio
import logging
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
from dashboard.shared_reading import SharedReading

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


_READINGS: WeakKeyDictionary[Opening, SharedReading[Notices]] = WeakKeyDictionary()


async def read_notices(desk: Desk) -> Notices:
    """Return the notices as they are now."""
    return Notices(
        await desk.emergency_stop(),
        tuple(await desk.approvals(timedelta(hours=12))),
        tuple(await desk.refusals(REFUSALS_WITHIN)),
    )


class LiveNotices:
    """The notices as a reactive value of one session, which changes by itself."""

    def __init__(self, desk: Desk, session: Session) -> None:
        # This desk acts for the process; the page decides what a visitor may see.
        self._desk = Desk(desk.services, opening=desk.opening)
        self._reading = _READINGS.setdefault(desk.opening, SharedReading())
        known = self._reading.latest(SHOWN_AT_ONCE_SECONDS) or Notices()
        self._notices: reactive.Value[Notices] = reactive.Value(known)
        self._following: asyncio.Task[None] | None = None
        # The database may take some seconds to open, and the page doesn't wait for it.
        session.on_flushed(self._begin, once=True)
        session.on_ended(self._stop)

    def __call__(self) -> Notices:
        """Return the notices; a reactive read."""
        return self._notices()

    async def look(self) -> None:
        """Read the notices at once, such as after the visitor has done something."""
        await self._read(most_seconds=0)

    def _begin(self) -> None:
        self._following = in_background(self._follow(), "notices")

    def _stop(self) -> None:
        if self._following:
            self._following.cancel()

    async def _follow(self) -> None:
        while True:
            try:
                await self._read(SECONDS_BETWEEN_READINGS)
            except Exception as error:  # noqa: BLE001 - the pages themselves say what is wrong
                log.debug("The notices couldn't be read: %s", error)
            await asyncio.sleep(SECONDS_BETWEEN_READINGS)

    async def _read(self, most_seconds: float) -> None:
        notices = await self._reading.read(lambda: read_notices(self._desk), most_seconds)
        await show({self._notices: notices})
