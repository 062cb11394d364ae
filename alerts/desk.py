"""The one door through which the dashboard, the command line and scripts send alerts."""

from __future__ import annotations

import asyncio
import importlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from alerts.alert import Alert, AlertRequest, Event, Problem
from alerts.errors import UnusableInput
from alerts.message.compose import compose
from alerts.services import Mode, Services
from alerts.status import Status
from alerts.twilio_status import call_update
from settings import Settings
from storage import S3Storage
from twilio_client import TwilioError

if TYPE_CHECKING:
    from alerts.history import History
    from alerts.runtime import Runtime

# A sender waits this long for Twilio's answer: an alert that is in trouble goes on without them.
LONGEST_SEND_SECONDS = 30.0


class Desk:
    """Sends alerts and knows what became of them.

    An async context manager; leaving it waits for nothing and loses nothing: what is under way
    goes on in the next process that opens a desk. Use it from one event loop.
    """

    def __init__(self, services: Services, mode: Mode = "app") -> None:
        self.services = services
        self._mode = mode
        self._opening: asyncio.Task[Runtime] | None = None
        self._saving: set[asyncio.Task[tuple[list[str], list[Alert]]]] = set()
        self._closed = False

    @classmethod
    def from_settings(cls, settings: Settings, mode: Mode = "app") -> Desk:
        """A desk with everything that the settings ask for. Opens no connection yet."""

        if not settings.simulated:
            return cls(Services.from_settings(settings), mode)
        # An app that has an account doesn't wait for this import.
        from alerts.simulation import simulated_services  # noqa: PLC0415

        async def history() -> History:
            return await desk.history()

        # The simulator reports to the desk that is built here.
        desk = cls(simulated_services(settings, history), mode)
        return desk

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
        """Stop what is under way, to be resumed, and close every connection."""
        await asyncio.gather(*self._saving, return_exceptions=True)
        self._closed = True
        if opening := self._opening:
            # If it couldn't be opened, its callers have been told.
            await asyncio.wait({opening})
            if not opening.cancelled() and not opening.exception():
                await opening.result().close()
        await self.services.close()

    async def open(self) -> None:
        """Reach the database and begin to deliver what is waiting there.

        The first use does the same. Raises `DatabaseError`, one sentence, if it can't be used.
        """
        await self._runtime()

    def warm_up(self) -> asyncio.Task[Runtime]:
        """Open in the background, before anyone waits for it."""
        if self._closed:
            raise RuntimeError("This desk is closed.")
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._forget_failure)
        return self._opening

    def _forget_failure(self, opening: asyncio.Task[Runtime]) -> None:
        """The next caller tries again: perhaps the database is back."""
        if opening.cancelled() or opening.exception():
            self._opening = None

    async def history(self) -> History:
        """The history, for pages and webhooks."""
        return (await self._runtime()).history

    async def workers(self) -> int:
        """How many processes are alive that only deliver."""
        return await (await self._runtime()).workers()

    async def send(self, request: AlertRequest) -> Alert:
        """Send an alert; returns once Twilio has it, or it has failed (see `alert.error`).

        Returns earlier only if it has to wait: for the morning, or because Twilio is in trouble.
        It is safe from the moment that it is written down, and the caller may stop waiting. A
        `request.id` that is known already returns that alert and sends nothing.

        Raises `UnusableInput` if nothing was sent, and `DatabaseError`.
        """
        [alert_id], added = await self._save([request])
        return await self._until_accepted(alert_id, next(iter(added), None))

    async def send_all(self, requests: Sequence[AlertRequest]) -> list[Alert]:
        """Send many alerts; returns once they are all written down, before they are on their way.

        Raises `UnusableInput` for the first that can't be sent; then none is.
        """
        ids, _ = await self._save(requests)
        found = await (await self.history()).get_all(ids)
        return [found[each] for each in ids]

    def check(self, request: AlertRequest) -> None:
        """Raise `UnusableInput` if `send` would."""
        self._normalized(request)

    async def status(self, alert_id: str) -> Alert | None:
        """The alert as it stands, or None if it was never sent."""
        if self._saving:
            # Perhaps just that one is waiting for the database.
            await asyncio.wait(self._saving)
        return await (await self.history()).get(alert_id)

    async def cancel(self, alert_id: str, by: str = "") -> Alert | None:
        """Keep an alert from being sent, end its call, and make no more tries.

        Returns the alert, which may take a moment to end; one that is over stays as it is, and so
        does a text that Twilio has already. None for an id that was never sent.
        """
        history = await self.history()
        alert = await history.get(alert_id)
        if alert is None or alert.status.final:
            return alert
        note = f"Canceled by {by}" if by else "Canceled"
        wish = Event(
            datetime.now(UTC), None, note, "sender", try_number=alert.try_number, canceling=True
        )
        alert = await history.record(alert_id, wish)
        if alert and alert.sid and alert.channel == "call" and not alert.status.final:
            # The worker that follows the call would do the same, if one does.
            event = await self._hang_up(alert, alert.sid)
            alert = await history.record(alert_id, event) if event else alert
        return alert

    async def _hang_up(self, alert: Alert, sid: str) -> Event | None:
        """End the alert's call; returns what happened to it, or None if it was over already."""
        from alerts.steps.following import end_call  # noqa: PLC0415

        try:
            call = await end_call(self.services.twilio, sid)
        except TwilioError as problem:
            return Event(
                datetime.now(UTC),
                None,
                "The call couldn't be ended",
                try_number=alert.try_number,
                error=Problem.of(problem),
            )
        return call_update(call).as_event(alert.try_number, "poll", sid) if call else None

    async def watch(self, alert_id: str) -> AsyncGenerator[Alert]:
        """The alert as it stands, then each change, up to a final status. Waits for unsent ids."""
        async with aclosing((await self.history()).watch(alert_id)) as changes:
            async for alert in changes:
                yield alert

    async def _save(self, requests: Sequence[AlertRequest]) -> tuple[list[str], list[Alert]]:
        """Write the alerts down, and have them delivered; returns their ids, and the new ones."""
        normalized = [self._normalized(request) for request in requests]
        saving = asyncio.create_task(self._add(normalized))
        self._saving.add(saving)
        saving.add_done_callback(self._saving.discard)
        return await asyncio.shield(saving)

    async def _add(self, requests: Sequence[AlertRequest]) -> tuple[list[str], list[Alert]]:
        runtime = await self._runtime()
        from alerts.tables import NewAlert  # noqa: PLC0415

        ids = [request.id or secrets.token_hex(8) for request in requests]
        new = [
            NewAlert(each, request, self.services.sender(request.channel))
            for each, request in zip(ids, requests, strict=True)
        ]
        # Without a worker here, one in another process claims them.
        worker = runtime.worker
        if worker and worker.has_room_for(len(new)):
            added = await runtime.history.add(new, worker.id)
            worker.deliver(added)
        else:
            added = await runtime.history.add(new)
        return ids, added

    def _normalized(self, request: AlertRequest) -> AlertRequest:
        if request.acknowledge and self.services.callbacks is None:
            raise UnusableInput(
                "acknowledge",
                "Nobody could press 1: set PUBLIC_URL, so that Twilio can tell this app of it.",
            )
        return compose(request, self.services.regions)

    async def _until_accepted(self, alert_id: str, known: Alert | None) -> Alert:
        """Wait for Twilio's answer, or for the reason why it isn't asked yet."""
        history, alert = await self.history(), known
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(LONGEST_SEND_SECONDS),
                aclosing(history.watch(alert_id, known)) as changes,
            ):
                async for alert in changes:
                    if _is_answered(alert):
                        break
        return alert or (await history.get_all([alert_id]))[alert_id]

    async def _runtime(self) -> Runtime:
        opening = self.warm_up()
        return opening.result() if opening.done() else await asyncio.shield(opening)

    async def _open(self) -> Runtime:
        await asyncio.to_thread(_import_for_sending, self.services)
        from alerts.runtime import Runtime  # noqa: PLC0415

        runtime = Runtime(self.services, self._mode)
        try:
            await runtime.open()
        except BaseException:
            await runtime.close()
            raise
        return runtime


def _import_for_sending(services: Services) -> None:
    """Import what the first page needn't wait for, and what nobody should wait for while sending.

    Takes up to half a second, so not in the event loop.
    """
    modules = ["phonenumbers.geocoder", "alerts.runtime"]
    if services.simulator is None:
        modules.append("twilio_client.transport")
    if isinstance(services.storage, S3Storage):
        modules.append("boto3")
    for name in modules:
        importlib.import_module(name)


def _is_answered(alert: Alert) -> bool:
    """Whether the sender need not wait: Twilio has it, it is over, or it is for later."""
    last = alert.events[-1]
    for_later = alert.status is Status.QUEUED and last.status is None and last.error is None
    return bool(alert.sid) or alert.status.final or for_later
