"""Desk: how the dashboard, the command line and scripts send alerts and ask about them."""

from __future__ import annotations

import asyncio
import importlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
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
    from database.database import Database

# `send` returns after this long even without Twilio's answer; the delivery goes on.
LONGEST_SEND_SECONDS = 30.0


class Desk:
    """Sends alerts and knows what became of them.

    An async context manager. Leaving it waits for nothing and loses nothing: deliveries under way
    go on in the next process that opens a desk. Use it from one event loop.
    """

    def __init__(self, services: Services, mode: Mode = "app") -> None:
        self.services = services
        self._mode = mode
        self._opening: asyncio.Task[Runtime] | None = None
        self._saving: set[asyncio.Task[tuple[list[str], list[Alert]]]] = set()
        self._closed = False

    @classmethod
    def from_settings(cls, settings: Settings, mode: Mode = "app") -> Desk:
        """Build a desk with the services that the settings ask for. Opens no connection yet."""

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
        """Interrupt deliveries, to be resumed by another process, and close every connection."""
        await asyncio.gather(*self._saving, return_exceptions=True)
        self._closed = True
        if opening := self._opening:
            # If opening failed, the callers that waited for it have had the error.
            await asyncio.wait({opening})
            if not opening.cancelled() and not opening.exception():
                await opening.result().close()
        await self.services.close()

    async def open(self) -> None:
        """Connect to the database and begin to deliver the alerts that are waiting there.

        The first use does the same. Raises `DatabaseError` if the database can't be used.
        """
        await self._runtime()

    def warm_up(self) -> asyncio.Task[Runtime]:
        """Start opening in the background, so that the first use needn't wait for it."""
        if self._closed:
            raise RuntimeError("This desk is closed.")
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._forget_failure)
        return self._opening

    def _forget_failure(self, opening: asyncio.Task[Runtime]) -> None:
        """Let the next caller try to open again: the database may be back by then."""
        if opening.cancelled() or opening.exception():
            self._opening = None

    async def history(self) -> History:
        """The history, for pages and webhooks."""
        return (await self._runtime()).history

    async def database(self) -> Database:
        """The database that the history is in, for what else is kept there."""
        return (await self._runtime()).database

    async def check_database(self) -> None:
        """Raise `DatabaseError` unless the database can be read and written right now."""
        await (await self._runtime()).check_database()

    async def workers(self) -> int:
        """Return how many worker processes (which only deliver) are alive."""
        return await (await self._runtime()).workers()

    async def send(self, request: AlertRequest) -> Alert:
        """Send an alert; returns once Twilio has accepted it or it has failed (see `alert.error`).

        Returns earlier if the alert has to wait, such as for the end of quiet hours, or if Twilio
        hasn't answered after LONGEST_SEND_SECONDS. The alert is saved first, so the caller may stop
        waiting at any time. If `request.id` is known already, returns that alert and sends nothing.

        Raises `UnusableInput` if nothing was sent, and `DatabaseError`.
        """
        [alert_id], added = await self._save([request])
        return await self._until_accepted(alert_id, next(iter(added), None))

    async def send_all(self, requests: Sequence[AlertRequest]) -> list[Alert]:
        """Send many alerts; returns once all of them are saved, before Twilio has them.

        Raises `UnusableInput` for the first that can't be sent; none of them is sent then.
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
            # The alert may be one that is just being saved.
            await asyncio.wait(self._saving)
        return await (await self.history()).get(alert_id)

    async def cancel(self, alert_id: str, by: str = "") -> Alert | None:
        """Keep an alert from being sent, end its call, and make no more tries.

        Returns the alert, which may take a moment to end, or None for an id that was never sent.
        An alert that has ended stays as it is. A text that Twilio has accepted can't be stopped.
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
            # A worker that follows the call does the same, but none may be running.
            event = await self._hang_up(alert, alert.sid)
            alert = await history.record(alert_id, event) if event else alert
        return alert

    async def send_now(self, alert_id: str, by: str = "") -> Alert | None:
        """Let a try wait no longer: for quiet hours, the number's hour, its turn or its undoing.

        Whichever process delivers it sends it at once, unless another request to the number is
        under way. Returns the alert, or None for an id that was never sent. An alert that has
        ended, or whose try Twilio already has, stays as it is.
        """
        history = await self.history()
        # Other processes may have changed it, so ask the database.
        alert = (await history.get_all([alert_id])).get(alert_id)
        if alert is None or alert.status.final or alert.sid or alert.send_now or alert.canceling:
            return alert
        note = f"Sent now anyway, by {by}" if by else "Sent now anyway"
        number = alert.try_number
        wish = Event(datetime.now(UTC), None, note, "sender", try_number=number, send_now=True)
        return await history.record(alert_id, wish)

    async def _hang_up(self, alert: Alert, sid: str) -> Event | None:
        """End the alert's call; returns the event to record, or None if it was over already."""
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
        """Yield the alert as it stands, then each change up to a final status.

        An id that hasn't been sent yet is waited for.
        """
        async with aclosing((await self.history()).watch(alert_id)) as changes:
            async for alert in changes:
                yield alert

    async def _save(self, requests: Sequence[AlertRequest]) -> tuple[list[str], list[Alert]]:
        """Save the alerts and have them delivered; returns all ids, and the alerts that are new."""
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
        # Without a worker in this process, or room in it, another process claims them.
        worker = runtime.worker
        if worker and worker.has_room_for(len(new)):
            added = await runtime.history.add(new, worker.id)
            worker.deliver(added)
        else:
            added = await runtime.history.add(new)
        return ids, added

    def _normalized(self, request: AlertRequest) -> AlertRequest:
        by_key = request.acknowledge and request.channel == "call"
        if by_key and self.services.callbacks is None:
            raise UnusableInput(
                "acknowledge",
                "Set PUBLIC_URL to ask for a key press: without it Twilio can't report one here.",
            )
        # By name, because the process that delivers it may run on a machine in another zone.
        zone = request.time_zone or self.services.time_zone
        return compose(replace(request, time_zone=zone), self.services.regions)

    async def _until_accepted(self, alert_id: str, known: Alert | None) -> Alert:
        """Wait until Twilio has answered, or until the alert says why it has to wait."""
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
    """Import what sending needs, so that neither the first page nor the first alert waits for it.

    Takes up to half a second, so call it in a thread.
    """
    modules = ["phonenumbers.geocoder", "alerts.runtime"]
    if services.simulator is None:
        modules.append("twilio_client.transport")
    if isinstance(services.storage, S3Storage):
        modules.append("boto3")
    for name in modules:
        importlib.import_module(name)


def _is_answered(alert: Alert) -> bool:
    """Whether `send` can return: Twilio has the alert, it has ended, or it is due later."""
    last = alert.events[-1]
    for_later = alert.status is Status.QUEUED and last.status is None and last.error is None
    return bool(alert.sid) or alert.status.final or for_later
