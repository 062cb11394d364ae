"""Following an alert from a page, without making the page wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shiny import reactive
from shiny.session import Session

from alerts import Alert, AlertRequest, DatabaseError, Desk, UnusableInput
from alerts.message.compose import check_labels

log = logging.getLogger(__name__)

LOOKING = "Looking for this alert…"
NO_SUCH_ALERT = "No alert has this id. Send a new one, or check the address."


class LiveAlert:
    """The alert that a page shows, as a reactive value that changes by itself.

    Shiny holds one lock over every flush of every session, so waiting inside a flush would freeze
    all visitors. A task waits instead, and takes the lock only to hand over a change.
    """

    def __init__(self, desk: Desk, session: Session) -> None:
        self._desk = desk
        self._alert: reactive.Value[Alert | None] = reactive.Value(None)
        self._note: reactive.Value[str] = reactive.Value("")
        self._following: asyncio.Task[None] | None = None
        session.on_ended(self.stop)

    def __call__(self) -> Alert | None:
        """Return the alert as it stands; a reactive read."""
        return self._alert()

    def note(self) -> str:
        """Return why there is no alert, or "" if none was asked for; a reactive read."""
        return self._note()

    def follow(self, alert_id: str) -> None:
        """Show this alert from now on; it is just being sent."""
        self._begin(lambda: self._follow(alert_id), "")

    def find(self, alert_id: str) -> None:
        """Show this alert from now on, or say that there is none with this id."""
        self._begin(lambda: self._find(alert_id), LOOKING)

    def stop(self) -> None:
        """Stop following; the alert itself goes on."""
        if self._following:
            self._following.cancel()

    def _begin(self, following: Callable[[], Awaitable[None]], note: str) -> None:
        self.stop()
        if note:
            self._alert.set(None)
        self._note.set(note)
        self._following = asyncio.create_task(self._until_it_ends(following))

    async def _until_it_ends(self, following: Callable[[], Awaitable[None]]) -> None:
        try:
            await following()
        except Exception as error:  # noqa: BLE001 - shown on the page, whatever it is
            await self._show(None, failure_sentence(error))

    async def _follow(self, alert_id: str) -> None:
        async for alert in self._desk.watch(alert_id):
            await self._show(alert, "")

    async def _find(self, alert_id: str) -> None:
        if not _could_be_an_id(alert_id) or await self._desk.status(alert_id) is None:
            await self._show(None, NO_SUCH_ALERT)
        else:
            await self._follow(alert_id)

    async def _show(self, alert: Alert | None, note: str) -> None:
        async with reactive.lock():
            self._alert.set(alert)
            self._note.set(note)
            await reactive.flush()


def failure_sentence(error: BaseException) -> str:
    """Say in a sentence that the desk failed at something, and log what only its owner can mend."""
    if isinstance(error, DatabaseError):
        return str(error)
    log.error("Callboard failed", exc_info=error)
    return "Callboard failed. Its log says why."


def _could_be_an_id(text: str) -> bool:
    """Return whether an alert can have this id: an address may hold what no database takes."""
    try:
        check_labels(AlertRequest("call", "", "", id=text))
    except UnusableInput:
        return False
    return True
