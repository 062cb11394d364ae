"""What one process delivers alerts with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from alerts.alert import Alert, Channel
from alerts.history import History
from alerts.services import Services
from alerts.steps.polling import StatusPoller

# Requests to Twilio under way at the same time.
MOST_REQUESTS = 100


@dataclass(frozen=True)
class Courier:
    """The means, the history that everything is written to, and the eye on Twilio.

    `turns` keeps those who wait for the account's rate in line, so that a process takes turns only
    shortly before it uses them.
    """

    services: Services
    history: History
    follower: StatusPoller
    requests: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_REQUESTS))
    turns: dict[Channel, asyncio.Semaphore] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for channel in ("call", "text"):
            ahead = max(1, int(self.services.per_second(channel) / 4))
            self.turns[channel] = asyncio.Semaphore(ahead)

    async def alert(self, alert_id: str) -> Alert:
        """The alert, which surely exists."""
        alert = await self.history.get(alert_id)
        if alert is None:
            raise LookupError(f"Alert {alert_id} isn't in the history.")
        return alert
