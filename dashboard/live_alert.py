"""Following an alert, or all alerts of a broadcast, from a page, without making the page wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from shiny import reactive
from shiny.session import Session

from alerts import Alert, AlertRequest, Desk, Status, UnusableInput
from alerts.broadcast import Broadcast
from alerts.message.compose import check_labels
from dashboard.background import failure_sentence, in_background, show, show_newest

if TYPE_CHECKING:
    from alerts.history import History

LOOKING = "Looking for this alert…"
NO_SUCH_ALERT = "No alert has this id. Send a new one, or check the address."
NO_SUCH_BROADCAST = "No broadcast has this id. Send a new one, or check the address."
# Drawing an alert takes as long as preparing its next request, and would delay that.
PREPARE_REQUEST_SECONDS = 0.01


class LiveAlert:
    """What a page shows, one alert or a broadcast, as reactive values that change by themselves.

    Shiny holds one lock over every flush of every session, so waiting inside a flush would freeze
    all visitors. A task waits instead, and takes the lock only to hand over a change.
    """

    def __init__(self, desk: Desk, session: Session) -> None:
        self._desk = desk
        self._alerts: reactive.Value[tuple[Alert, ...]] = reactive.Value(())
        self._broadcast: reactive.Value[Broadcast | None] = reactive.Value(None)
        self._note: reactive.Value[str] = reactive.Value("")
        self._following: asyncio.Task[None] | None = None
        self._followed = ""
        session.on_ended(self.stop)

    def __call__(self) -> Alert | None:
        """Return the alert as it stands, None if it is a broadcast's; a reactive read."""
        alerts = self._alerts()
        return alerts[0] if alerts and self._broadcast() is None else None

    def all(self) -> tuple[Alert, ...]:
        """Return the alert, or all alerts of the broadcast, as they stand; a reactive read."""
        return self._alerts()

    def broadcast(self) -> Broadcast | None:
        """Return the broadcast, if it is one; a reactive read."""
        return self._broadcast()

    def note(self) -> str:
        """Return why there is no alert, or "" if none was asked for; a reactive read."""
        return self._note()

    def is_following(self, alert_id: str) -> bool:
        """Return whether this page has followed the alert since it was asked to send it."""
        return self._followed == alert_id

    def follow(self, alert_id: str) -> None:
        """Show this alert from now on; it is just being sent."""
        self._begin(lambda: self._follow(alert_id), "")
        self._followed = alert_id

    def follow_broadcast(self, broadcast: Broadcast) -> None:
        """Show this broadcast from now on."""
        self._begin(lambda: self._follow_broadcast(broadcast), "")

    def find(self, alert_id: str) -> None:
        """Show this alert from now on, or say that there is none with this id."""
        self._begin(lambda: self._find(alert_id), LOOKING)

    def find_broadcast(self, broadcast_id: str) -> None:
        """Show this broadcast from now on, or say that there is none with this id."""
        self._begin(lambda: self._find_broadcast(broadcast_id), LOOKING)

    def stop(self) -> None:
        """Stop following; the alerts themselves go on."""
        if self._following:
            self._following.cancel()

    def _begin(self, following: Callable[[], Awaitable[None]], note: str) -> None:
        self.stop()
        self._followed = ""
        if note:
            self._alerts.set(())
            self._broadcast.set(None)
        self._note.set(note)
        self._following = in_background(self._until_it_ends(following), "following an alert")

    async def _until_it_ends(self, following: Callable[[], Awaitable[None]]) -> None:
        try:
            await following()
        except Exception as error:  # noqa: BLE001 - shown on the page, whatever it is
            await self._show((), failure_sentence(error))

    async def _follow(self, alert_id: str) -> None:
        history = await self._desk.history()
        async with aclosing(self._desk.watch(alert_id)) as changes:
            async for alert in changes:
                if alert.status in {Status.QUEUED, Status.SENDING}:
                    await asyncio.sleep(PREPARE_REQUEST_SECONDS)
                    if history.newest(alert) is not alert:
                        continue  # the newer state comes next, with a wait of its own
                await show_newest(partial(self._newest, history, alert))

    async def _follow_broadcast(self, broadcast: Broadcast) -> None:
        known: dict[str, Alert] = {}
        async with aclosing(self._desk.watch_broadcast(broadcast.id)) as changes:
            async for changed in changes:
                known |= {alert.id: alert for alert in changed}
                await self._show(tuple(known.values()), "", broadcast)

    async def _find(self, alert_id: str) -> None:
        if not _could_be_an_id(alert_id) or await self._desk.status(alert_id) is None:
            await self._show((), NO_SUCH_ALERT)
        else:
            await self._follow(alert_id)

    async def _find_broadcast(self, broadcast_id: str) -> None:
        known = _could_be_an_id(broadcast_id) and await self._desk.broadcast_of(broadcast_id)
        if not known:
            await self._show((), NO_SUCH_BROADCAST)
        else:
            await self._follow_broadcast(known[0])

    async def _show(
        self, alerts: tuple[Alert, ...], note: str, broadcast: Broadcast | None = None
    ) -> None:
        await show(self._values(alerts, note, broadcast))

    def _newest(self, history: History, alert: Alert) -> dict[reactive.Value[Any], object]:
        # It may have changed again while others were shown.
        return self._values((history.newest(alert),), "")

    def _values(
        self, alerts: tuple[Alert, ...], note: str, broadcast: Broadcast | None = None
    ) -> dict[reactive.Value[Any], object]:
        return {self._alerts: alerts, self._broadcast: broadcast, self._note: note}


def _could_be_an_id(text: str) -> bool:
    """Return whether an alert can have this id: an address may hold text that no database takes."""
    try:
        check_labels(AlertRequest("call", "", "", id=text))
    except UnusableInput:
        return False
    return True
