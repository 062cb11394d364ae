"""Letting a page follow an alert without waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shiny import reactive
from shiny.session import Session

from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.message.compose import check_labels
from dashboard import breakdown

LOOKING = "Looking for this alert…"
UNKNOWN = "No alert has this id. Send a new one, or look at the address again."


class LiveAlert:
    """The alert that a page is about, as a reactive value that changes by itself.

    Shiny holds one lock over every flush of every session: the waiting happens in a task of its
    own, which takes that lock only to hand over a change.
    """

    def __init__(self, desk: Desk, session: Session) -> None:
        self._desk = desk
        self._alert: reactive.Value[Alert | None] = reactive.Value(None)
        self._note: reactive.Value[str] = reactive.Value("")
        self._following: asyncio.Task[None] | None = None
        session.on_ended(self.stop)

    def __call__(self) -> Alert | None:
        """The alert as it stands; a reactive read."""
        return self._alert()

    def note(self) -> str:
        """Why there is no alert, in a sentence; "" if none was asked for. A reactive read."""
        return self._note()

    def follow(self, alert_id: str) -> None:
        """From now on show this alert, which is just being sent."""
        self._begin(lambda: self._follow(alert_id), "")

    def find(self, alert_id: str) -> None:
        """From now on show this alert, if anybody has sent it."""
        self._begin(lambda: self._find(alert_id), LOOKING)

    def stop(self) -> None:
        """Stop looking; the alert itself goes on."""
        if self._following:
            self._following.cancel()

    def _begin(self, following: Callable[[], Awaitable[None]], note: str) -> None:
        self.stop()
        self._alert.set(None)
        self._note.set(note)
        self._following = asyncio.create_task(self._until_it_ends(following))

    async def _until_it_ends(self, following: Callable[[], Awaitable[None]]) -> None:
        try:
            await following()
        except Exception as error:  # noqa: BLE001 - whatever it is, people read of it
            await self._show(None, breakdown.in_words(error))

    async def _follow(self, alert_id: str) -> None:
        async for alert in self._desk.watch(alert_id):
            await self._show(alert, "")

    async def _find(self, alert_id: str) -> None:
        if not _could_be_an_id(alert_id) or await self._desk.status(alert_id) is None:
            await self._show(None, UNKNOWN)
        else:
            await self._follow(alert_id)

    async def _show(self, alert: Alert | None, note: str) -> None:
        async with reactive.lock():
            self._alert.set(alert)
            self._note.set(note)
            await reactive.flush()


def _could_be_an_id(text: str) -> bool:
    """Whether an alert can have this id: an address may hold what no database takes."""
    try:
        check_labels(AlertRequest("call", "", "", id=text))
    except UnusableInput:
        return False
    return True
