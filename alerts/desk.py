"""Desk: how the dashboard, the command line and scripts send alerts and ask about them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from access.actor import Permission
from access.audit_entry import Action, AuditEntry, Kind
from alerts.alert import Alert, AlertRequest, Event, Problem
from alerts.broadcast import (
    Approval,
    Broadcast,
    UnusableRequest,
    check_broadcast,
    title_from,
    with_ids,
)
from alerts.errors import UnusableInput
from alerts.phone_numbers import shortened
from alerts.sending_desk import SendingDesk, label_of, save_and_deliver
from alerts.twilio_status import call_update
from twilio_client import TwilioError

if TYPE_CHECKING:
    from alerts.emergency_stop import EmergencyStop, StopCounts
    from alerts.refusals import Refusals
    from alerts.runtime import Runtime
    from alerts.sent_before import RecentAlerts, SentBefore

HANG_UPS_AT_ONCE = 20
# A mistake in one of these fields concerns one request of many; in any other, all of them.
FIELDS_OF_EACH = ("phone_number", "name", "then_to", "variables")


class Desk(SendingDesk):
    """Sends alerts and knows what became of them.

    An async context manager. Leaving it waits for nothing and loses nothing: deliveries under way
    go on in the next process that opens a desk. Use it from one event loop.

    It acts for its `actor`. Methods raise `NotAllowed`, and do nothing, where the actor lacks the
    permission: sending and canceling take SEND, and everything that shows alerts takes LOOK.
    """

    async def broadcast(
        self,
        requests: Sequence[AlertRequest],
        title: str = "",
        id: str | None = None,
        *,
        confirmed: bool = False,
    ) -> Broadcast:
        """Send many alerts under one title; returns once all are saved, before Twilio has them.

        All are saved, or none. Without a `title`, it has the first words of the message. The same
        `id` sent twice is one broadcast: each recipient is told once, and recipients who weren't
        there the first time are added. The requests' `user` is its sender. `confirmed` is as in
        `send_all`.

        Raises `UnusableRequest` for the first that can't be sent, or `UnusableInput`.
        """
        self.actor.require(Permission.SEND, "send a broadcast")
        broadcast, composed = await self._composed_broadcast(requests, title, id)
        if id is not None and await (await self._history()).get_all([id]):
            raise UnusableInput(
                "id",
                f"An alert to one recipient has the id {shortened(id)}, so a broadcast can't have "
                "it. Leave that recipient out, and give the broadcast another id.",
            )
        return await self.opening.finished(
            partial(self._add_broadcast, broadcast, composed, confirmed=confirmed)
        )

    async def _composed_broadcast(
        self, requests: Sequence[AlertRequest], title: str, id: str | None
    ) -> tuple[Broadcast, list[AlertRequest]]:
        """Check a broadcast; returns it and its requests as they would be saved."""
        requests = self._in_own_name(requests)
        broadcast_id = secrets.token_hex(8) if id is None else id
        check_broadcast(requests, title, broadcast_id)
        # In a thread, because composing hundreds of requests takes long.
        composed = await asyncio.to_thread(lambda: list(self._composed(requests)))
        broadcast = Broadcast(
            broadcast_id,
            title.strip() or title_from(requests[0]),
            requests[0].user,
            datetime.now(UTC),
        )
        return broadcast, with_ids(composed, broadcast_id)

    def _composed(self, requests: Sequence[AlertRequest]) -> Iterator[AlertRequest]:
        """Check many requests; raises `UnusableRequest` for the first that can't be sent."""
        for place, each in enumerate(requests):
            try:
                yield self._normalized(each)
            except UnusableInput as problem:
                is_of_all = (
                    place == 0
                    and problem.field not in FIELDS_OF_EACH
                    and self._fails_alike(requests[-1], problem)
                )
                if len(requests) == 1 or is_of_all:
                    raise
                raise UnusableRequest(place, each, problem) from None

    def _fails_alike(self, request: AlertRequest, problem: UnusableInput) -> bool:
        try:
            self._normalized(request)
        except UnusableInput as other:
            return str(other) == str(problem)
        return False

    async def _add_broadcast(
        self,
        broadcast: Broadcast,
        requests: Sequence[AlertRequest],
        runtime: Runtime,
        *,
        confirmed: bool,
    ) -> Broadcast:
        new = self._new(requests)
        audit = self._done(Action.SENT, broadcast.title, broadcast.id, alerts=len(new))
        add = partial(runtime.broadcasts.add, broadcast, new, audit=audit, confirmed=confirmed)
        return await save_and_deliver(runtime, len(new), add)

    async def broadcast_of(self, broadcast_id: str) -> tuple[Broadcast, list[Alert]] | None:
        """A broadcast and its alerts as they stand, in their order; None if it was never sent."""
        self.actor.require(Permission.LOOK)
        return await self._broadcast_of(broadcast_id)

    async def _broadcast_of(self, broadcast_id: str) -> tuple[Broadcast, list[Alert]] | None:
        await self.opening.until_saved()
        return await (await self.opening.runtime()).broadcasts.get(broadcast_id)

    async def watch_broadcast(self, broadcast_id: str) -> AsyncGenerator[list[Alert]]:
        """Yield all alerts of a broadcast, then those that changed, until all of them have ended.

        Yields a few times a second at most. If the broadcast hasn't been sent yet, waits for it.
        """
        self.actor.require(Permission.LOOK)
        runtime = await self.opening.runtime()
        async with aclosing(runtime.broadcasts.watch(broadcast_id)) as changes:
            async for alerts in changes:
                yield alerts

    async def cancel_broadcast(self, broadcast_id: str) -> tuple[Broadcast, list[Alert]] | None:
        """Cancel all alerts of a broadcast that haven't ended; returns what `broadcast_of` does."""
        self.actor.require(Permission.SEND, "cancel a broadcast")
        found = await self._broadcast_of(broadcast_id)
        if found is None:
            return None
        hang_ups = asyncio.Semaphore(HANG_UPS_AT_ONCE)
        under_way = [each for each in found[1] if not each.status.final]
        sent, _ = found
        done = self._done(Action.CANCELED, sent.title, sent.id, alerts=len(under_way))
        # Side by side, so that they share a few transactions.
        await asyncio.gather(
            *(
                self._cancel(each, hang_ups, None if place else done)
                for place, each in enumerate(under_way)
            )
        )
        return await self._broadcast_of(broadcast_id)

    async def sent_before(
        self, requests: Sequence[AlertRequest], within: timedelta = timedelta(hours=1)
    ) -> list[SentBefore]:
        """Return those recipients whose number was sent the same words a short while ago.

        Requests whose number can't be used are left out.
        """
        recent = await self.recent_alerts(requests, within)
        return await asyncio.to_thread(recent.with_words_of, requests)

    async def recent_alerts(
        self, requests: Sequence[AlertRequest], within: timedelta = timedelta(hours=1)
    ) -> RecentAlerts:
        """Return what was sent to the requests' numbers, to be compared with what they say.

        Requests whose number can't be used are left out.
        """
        self.actor.require(Permission.LOOK)
        from alerts.sent_before import read_recent  # noqa: PLC0415

        account_sid, since = self.services.twilio.account_sid, datetime.now(UTC) - within
        return await (await self.database()).read(
            lambda connection: read_recent(
                connection, account_sid, requests, self.services.regions, since
            )
        )

    # --- Ending alerts, and sending them at once -------------------------------------------------

    async def cancel(self, alert_id: str) -> Alert | None:
        """Keep an alert from being sent, end its call, and make no more tries.

        Returns the alert, which may take a moment to end, or None for an id that was never sent.
        An alert that has ended stays as it is. A text that Twilio has accepted can't be stopped.
        """
        self.actor.require(Permission.SEND, "cancel an alert")
        history = await self._history()
        alert = await history.get(alert_id)
        if alert is None or alert.status.final:
            return alert
        done = self._done(Action.CANCELED, label_of(alert.request), alert.id)
        return await self._cancel(alert, asyncio.Semaphore(), done)

    async def send_now(self, alert_id: str) -> Alert | None:
        """End a try's wait: for quiet hours, the number's hour, its turn or the time to undo it.

        The process that delivers it sends it at once, unless another request to the number is under
        way. Returns the alert, or None for an id that was never sent. An alert that has ended,
        whose try Twilio already has, or that the day's spend limit holds, stays as it is.
        """
        self.actor.require(Permission.SEND, "let an alert wait no longer")
        history = await self._history()
        # Other processes may have changed it, so ask the database.
        alert = (await history.get_all([alert_id])).get(alert_id)
        if alert is None or alert.status.final or alert.sid or alert.send_now or alert.canceling:
            return alert
        if alert.held_for == "spend":
            return alert
        note = f"Sent now anyway, by {self.actor.name}"
        number = alert.try_number
        wish = Event(datetime.now(UTC), None, note, "sender", try_number=number, send_now=True)
        done = self._done(Action.SENT_NOW, label_of(alert.request), alert.id)
        return await history.record(alert_id, wish, done)

    async def _cancel(
        self, alert: Alert, hang_ups: asyncio.Semaphore, audit: AuditEntry | None
    ) -> Alert | None:
        """Cancel an alert that hasn't ended, as it was read; hangs up when `hang_ups` allows it."""
        history = await self._history()
        note = f"Canceled by {self.actor.name}"
        wish = Event(
            datetime.now(UTC), None, note, "sender", try_number=alert.try_number, canceling=True
        )
        after = await history.record(alert.id, wish, audit)
        return await self._end_live_call(after, hang_ups) if after else None

    async def _end_live_call(self, alert: Alert, hang_ups: asyncio.Semaphore) -> Alert | None:
        """End the call of a canceled alert, if it is live, once `hang_ups` allows it."""
        if not alert.sid or alert.channel != "call" or alert.status.final:
            return alert
        # A worker that follows the call does the same, but perhaps none is running.
        async with hang_ups:
            event = await self._hang_up(alert, alert.sid)
        return await (await self._history()).record(alert.id, event) if event else alert

    async def _hang_up(self, alert: Alert, sid: str) -> Event | None:
        """End the alert's call; returns the event to record, or None if it was over already."""
        from alerts.steps.following import CALL_NOT_ENDED, end_call  # noqa: PLC0415

        try:
            call = await end_call(self.services.twilio, sid)
        except TwilioError as problem:
            return Event(
                datetime.now(UTC),
                None,
                CALL_NOT_ENDED,
                try_number=alert.try_number,
                error=Problem.of(problem),
            )
        return call_update(call).as_event(alert.try_number, "poll", sid) if call else None

    # --- A second person's yes -------------------------------------------------------------------

    async def ask_for_approval(
        self, requests: Sequence[AlertRequest], title: str = "", id: str | None = None
    ) -> Approval:
        """Save a broadcast that a second person has to say yes to; nothing is sent before.

        Raises what `broadcast` does.
        """
        self.actor.require(Permission.SEND, "ask a second person about a broadcast")
        broadcast, composed = await self._composed_broadcast(requests, title, id)
        audit = self._done(Action.ASKED, broadcast.title, broadcast.id, alerts=len(composed))
        return await (await self.opening.runtime()).approvals.ask(broadcast, composed, audit)

    async def approvals(self, within: timedelta = timedelta(hours=24)) -> list[Approval]:
        """Return the requests of the last `within` and what became of them, newest first."""
        self.actor.require(Permission.LOOK)
        since = datetime.now(UTC) - within
        return await (await self.opening.runtime()).approvals.since(since)

    async def approve(self, approval_id: str) -> Broadcast:
        """Say yes, and send just what was asked for, once. The person who asked can't.

        Raises `UnusableInput` for what can't be sent any more.
        """
        self.actor.require(Permission.SEND, "say yes to a broadcast")
        return await self.opening.finished(partial(self._approve, approval_id))

    async def _approve(self, approval_id: str, runtime: Runtime) -> Broadcast:
        asked = await runtime.approvals.get(approval_id)
        new = self._new(asked.requests)
        audit = self._done(Action.APPROVED, asked.title, asked.id, alerts=len(new))
        approve = partial(runtime.approvals.approve, approval_id, self.actor.name, new, audit=audit)
        return await save_and_deliver(runtime, len(new), approve)

    async def refuse(self, approval_id: str) -> Approval:
        """Say no, or take it back: it is never sent. Raises `UnusableInput` if it is over."""
        self.actor.require(Permission.SEND, "say no to a broadcast")
        approvals = (await self.opening.runtime()).approvals
        asked = await approvals.get(approval_id)
        audit = self._done(Action.DENIED, asked.title, asked.id, alerts=len(asked.requests))
        return await approvals.refuse(approval_id, self.actor.name, audit)

    # --- The emergency stop ----------------------------------------------------------------------

    async def emergency_stop(self) -> EmergencyStop | None:
        """Return who stopped everything and when, None if nothing is stopped."""
        return await (await self._history()).emergency_stop()

    async def would_stop(self) -> StopCounts:
        """Count the alerts that `stop_everything` would cancel, and the calls it would end."""
        self.actor.require(Permission.LOOK)
        return await (await self._history()).stop_counts()

    async def stop_everything(self, reason: str = "") -> list[Alert]:
        """Send nothing from now on, in any process: cancel all that waits and end live calls.

        Returns the alerts that this canceled, in whichever process. Until the stop is lifted,
        nothing can be sent, and rules tell no one. Raises `UnusableInput` for an unusable `reason`.
        """
        self.actor.require(Permission.SEND, "stop everything", Kind.EMERGENCY_STOP)
        from alerts.emergency_stop import EmergencyStop, checked_reason  # noqa: PLC0415

        stop = EmergencyStop(datetime.now(UTC), self.actor.name, checked_reason(reason))
        return await self.opening.finished(partial(self._stop, stop))

    async def _stop(self, stop: EmergencyStop, runtime: Runtime) -> list[Alert]:
        history = runtime.history
        details = {"reason": stop.reason} if stop.reason else {}
        audit = AuditEntry.by(
            self.actor, Action.STOPPED, Kind.EMERGENCY_STOP, "everything", **details
        )
        ended_by_it = await history.set_stop(stop, audit)
        await history.cancel_all()
        known = (await history.get_all(ended_by_it)).values()
        canceled = [each for each in known if each.canceling]
        hang_ups = asyncio.Semaphore(HANG_UPS_AT_ONCE)
        ended = await asyncio.gather(*(self._end_live_call(each, hang_ups) for each in canceled))
        return [each for each in ended if each]

    async def lift_stop(self) -> None:
        """Let alerts be sent again. What was canceled stays canceled."""
        self.actor.require(Permission.ADMINISTER, "lift the emergency stop", Kind.EMERGENCY_STOP)
        audit = AuditEntry.by(self.actor, Action.LIFTED, Kind.EMERGENCY_STOP, "the emergency stop")
        await (await self._history()).lift_stop(audit)

    async def refusals(self, within: timedelta = timedelta(hours=24)) -> list[Refusals]:
        """Return who asked for more alerts than an hour allows in this time, newest first."""
        self.actor.require(Permission.ADMINISTER, "see who asked for too many alerts")
        return await (await self._history()).refusals(datetime.now(UTC) - within)
