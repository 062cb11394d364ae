"""Status pollers for tests: on any Twilio over HTTP, with a list of everything they report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from alerts.alert import Channel, Event
from alerts.steps.polling import PlacedTry, StatusPoller
from tests.support.desks import twilio_client
from tests.support.scripted_twilio import CALL_SID, MESSAGE_SID


@dataclass
class Reports:
    """What a poller reports, in order.

    Reporting fails for the alerts in `failing`, that often each, and never ends for those in
    `hanging`.
    """

    events: list[tuple[str, Event]] = field(default_factory=list)
    failing: dict[str, int] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)

    async def __call__(self, alert_id: str, event: Event) -> None:
        if self.failing.get(alert_id):
            self.failing[alert_id] -= 1
            raise RuntimeError("the database said no")
        if alert_id in self.hanging:
            await asyncio.Event().wait()
        self.events.append((alert_id, event))

    def of(self, alert_id: str) -> list[Event]:
        return [event for reported_id, event in self.events if reported_id == alert_id]

    def words(self, alert_id: str = "one") -> list[str | None]:
        return [event.status for event in self.of(alert_id)]


@asynccontextmanager
async def poller_at(
    url: str, reports: Reports, callbacks: bool = False
) -> AsyncIterator[StatusPoller]:
    async with twilio_client(url) as twilio:
        poller = StatusPoller(twilio, reports, callbacks=callbacks)
        try:
            yield poller
        finally:
            await poller.close()


def one(
    alert_id: str = "one",
    channel: Channel = "call",
    sid: str | None = None,
    ago: timedelta = timedelta(),
) -> PlacedTry:
    """A call or text that was placed some time ago."""
    sid = sid or (CALL_SID if channel == "call" else MESSAGE_SID)
    return PlacedTry(alert_id, 1, channel, sid, datetime.now(UTC) - ago)


def polling_tasks() -> list[str]:
    """The names of the pollers' tasks that are under way in this event loop."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name == "polling"]
