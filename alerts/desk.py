"""The one door through which the dashboard, the command line and scripts send alerts."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Self

from alerts.alert import Alert, AlertRequest, Problem
from alerts.compose import compose
from alerts.delivery import deliver
from alerts.history import History
from alerts.means import Means
from alerts.status import Status
from alerts.warm_up import import_what_sending_needs
from settings import Settings

log = logging.getLogger(__name__)


class Desk:
    """Sends alerts and knows what became of them.

    An async context manager; leaving it waits for nothing. Use it from one event loop.
    """

    def __init__(self, means: Means) -> None:
        self.means = means
        self._history = History()
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._warm = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Desk:
        """A desk with everything that the settings ask for. Opens no connection yet."""
        return cls(Means.from_settings(settings))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop following what is under way, and close every connection."""
        deliveries = list(self._deliveries.values())
        for delivery in deliveries:
            delivery.cancel()
        await asyncio.gather(*deliveries, return_exceptions=True)
        await self.means.close()

    async def send(self, request: AlertRequest) -> Alert:
        """Send an alert; returns once Twilio has it, or it has failed (see `alert.error`).

        A `request.id` that is known already returns that alert and sends nothing. Whoever waits
        here may stop waiting: the delivery goes on. Raises `UnusableInput` if nothing was sent.
        """
        alert_id = request.id or secrets.token_hex(8)
        if alert_id not in self._deliveries and self.status(alert_id) is None:
            self._deliver(alert_id, request)
        return await self._until_accepted(alert_id)

    def warm_up(self) -> None:
        """Import what sending needs, in a thread, before somebody waits for it.

        For a process of our own: it changes how Python collects garbage.
        """
        if not self._warm:
            self._warm = True
            asyncio.get_running_loop().run_in_executor(None, import_what_sending_needs, self.means)

    def check(self, request: AlertRequest) -> None:
        """Raise `UnusableInput` if `send` would."""
        compose(request, self.means.regions)

    def status(self, alert_id: str) -> Alert | None:
        """The alert as it stands, or None if nobody has sent it."""
        return self._history.get(alert_id)

    def watch(self, alert_id: str) -> AsyncGenerator[Alert]:
        """The alert as it stands, then after each change, up to a final status."""
        return self._history.watch(alert_id)

    def _deliver(self, alert_id: str, request: AlertRequest) -> None:
        delivery = asyncio.create_task(
            deliver(alert_id, request, self.means, self._history.record), name=f"alert {alert_id}"
        )
        self._deliveries[alert_id] = delivery
        delivery.add_done_callback(lambda done: self._delivered(alert_id, done))

    def _delivered(self, alert_id: str, delivery: asyncio.Task[None]) -> None:
        """Forget a finished delivery; one that broke is in the log and the alert says so."""
        del self._deliveries[alert_id]
        alert = self.status(alert_id)
        broken = None if delivery.cancelled() else delivery.exception()
        if broken is None or alert is None:
            return
        log.error("The delivery of alert %s broke", alert_id, exc_info=broken)
        problem = Problem(None, "Callboard itself failed while sending this.", "See its log.")
        self._history.record(alert.with_event(Status.UNKNOWN, "Interrupted", error=problem))

    async def _until_accepted(self, alert_id: str) -> Alert:
        """Wait for Twilio's answer, or for the reason why it was never asked."""
        accepted = asyncio.create_task(self._accepted(alert_id))
        delivery = self._deliveries.get(alert_id)
        try:
            waiting = {accepted, delivery} if delivery else {accepted}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if accepted.done() or delivery is None:
                return await accepted
            delivered = self.status(alert_id)
            if delivered is None:
                delivery.result()  # raises what was wrong with the request
                raise AssertionError("a delivery leaves an alert, or raises")
            return delivered
        finally:
            accepted.cancel()

    async def _accepted(self, alert_id: str) -> Alert:
        async with aclosing(self.watch(alert_id)) as changes:
            async for alert in changes:
                if alert.sid or alert.status.final:
                    return alert
        raise AssertionError("a watched alert ends with a final status")
