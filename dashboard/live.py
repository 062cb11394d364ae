"""Letting a page follow an alert without waiting for it."""

from __future__ import annotations

import asyncio

from shiny import reactive
from shiny.session import Session

from alerts import Alert, Desk


class LiveAlert:
    """The alert that a page is about, as a reactive value that changes by itself.

    Shiny holds one lock over every flush of every session: the waiting happens in a task of its
    own, which takes that lock only to hand over a change.
    """

    def __init__(self, desk: Desk, session: Session) -> None:
        self._desk = desk
        self._alert: reactive.Value[Alert | None] = reactive.Value(None)
        self._following: asyncio.Task[None] | None = None
        session.on_ended(self.stop)

    def __call__(self) -> Alert | None:
        """The alert as it stands; a reactive read."""
        return self._alert()

    def follow(self, alert_id: str) -> None:
        """From now on show this alert, which need not have been sent yet."""
        self.stop()
        self._alert.set(None)
        self._following = asyncio.create_task(self._follow(alert_id))

    def stop(self) -> None:
        """Stop looking; the alert itself goes on."""
        if self._following:
            self._following.cancel()

    async def _follow(self, alert_id: str) -> None:
        async for alert in self._desk.watch(alert_id):
            async with reactive.lock():
                self._alert.set(alert)
                await reactive.flush()
