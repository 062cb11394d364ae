"""Desk: how the dashboard, the command line and scripts send alerts and ask about them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from access.actor import Actor, Permission
from access.audit_entry import Action, AuditEntry, Kind
from alerts.alert import Alert, AlertRequest, Event, Problem
from alerts.approval import Approval
from alerts.broadcast import (
    Broadcast,
    UnusableRequest,
    check_broadcast,
    title_from,
    with_ids,
)
from alerts.errors import UnusableInput
from alerts.message.compose import compose
from alerts.opening import Opening
from alerts.phone_numbers import read_number
from alerts.services import Mode, Services
from alerts.status import Status
from alerts.twilio_status import call_update
from settings import Settings
from twilio_client import TwilioError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from access.audit import Audit
    from alerts.emergency_stop import EmergencyStop, Sweep
    from alerts.history import History
    from alerts.refusals import Refusals
    from alerts.runtime import Runtime
    from alerts.sent_before import SentBefore
    from alerts.tables import NewAlert
    from database.database import Database

Result = TypeVar("Result")

# `send` returns after this long even without Twilio's answer; the delivery goes on.
LONGEST_SEND_SECONDS = 30.0
HANG_UPS_AT_ONCE = 20
# What is wrong with these fields is wrong with one request of many, and not with all of them.
FIELDS_OF_EACH = ("phone_number", "name", "then_to", "variables")


class AddAlerts(Protocol):
    """Saves alerts within the caller's transaction, and returns those that are new."""

    def __call__(
        self, requests: Sequence[AlertRequest], *, confirmed: bool = False
    ) -> Sequence[Alert]:
        """`confirmed` is as in `Desk.send_all`."""


class Desk:
    """Sends alerts and knows what became of them.

    An async context manager. Leaving it waits for nothing and loses nothing: deliveries under way
    go on in the next process that opens a desk. Use it from one event loop.

    It acts for its `actor`. Methods raise `NotAllowed`, and do nothing, where the actor lacks the
    permission: sending and canceling take SEND, and everything that shows alerts takes LOOK.
    """

    def __init__(
        self, services: Services, mode: Mode = "app", *, opening: Opening | None = None
    ) -> None:
        """Build the desk of a process, which acts for the user that runs it.

        With `opening`, what is open is shared with another desk.
        """
        self.opening = opening or Opening(services, mode)
        self.services = services
        self.actor = Actor.of_process()

    def acting_as(self, actor: Actor) -> Desk:
        """Return this desk as it is for `actor`: the same alerts, database and deliveries.

        Its methods raise `NotAllowed` for what the actor may not do, and what is done is done in
        the actor's name.
        """
        desk = Desk(self.services, opening=self.opening)
        desk.actor = actor
        return desk

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
        """Interrupt deliveries, to be resumed by another process, and close every connection.

        So it ends for all desks that share them.
        """
        await self.opening.close()

    async def open(self) -> None:
        """Connect to the database and begin to deliver the alerts that are waiting there.

        The first use does the same. Raises `DatabaseError` if the database can't be used.
        """
        await self.opening.runtime()

    def warm_up(self) -> asyncio.Task[Runtime]:
        """Start opening in the background, so that the first use needn't wait for it."""
        return self.opening.warm_up()

    async def history(self) -> History:
        """The history, for pages to read and for webhooks to write what Twilio reports."""
        self.actor.require(Permission.LOOK)
        return (await self.opening.runtime()).history

    async def audit(self) -> Audit:
        """The audit trail: what was done, by whom. Reading it takes ADMINISTER."""
        from access.audit import Audit  # noqa: PLC0415 - needs SQLAlchemy

        return Audit((await self.opening.runtime()).database, self.actor)

    async def database(self) -> Database:
        """The database that the history is in, for what else is kept there."""
        self.actor.require(Permission.LOOK)
        return (await self.opening.runtime()).database

    @property
    def delivers(self) -> bool:
        """Whether this process delivers alerts now: it is open, and no worker does instead."""
        return self.opening.delivers

    async def check_database(self) -> None:
        """Raise `DatabaseError` unless the database can be read and written right now."""
        await (await self.opening.runtime()).check_database()

    async def until_newer_version(self) -> None:
        """Wait until this process has found that a newer Callboard has changed the tables.

        It then neither saves nor delivers: `send` and all else that writes raise `DatabaseError`.
        """
        await (await self.database()).until_newer()

    async def is_delivered(self) -> bool:
        """Whether some process is alive that delivers: a worker, or an app."""
        return await (await self.opening.runtime()).is_delivered()

    async def workers(self) -> int:
        """Return how many worker processes (which only deliver) are alive."""
        self.actor.require(Permission.LOOK)
        return await (await self.opening.runtime()).workers()

    async def send(self, request: AlertRequest) -> Alert:
        """Send an alert; returns once Twilio has accepted it or it has failed (see `alert.error`).

        Returns earlier if the alert has to wait, such as for the end of quiet hours, or if Twilio
        hasn't answered after LONGEST_SEND_SECONDS. The alert is saved first, so the caller may stop
        waiting at any time. If `request.id` is known already, returns that alert and sends nothing.

        Raises `UnusableInput` if nothing was sent, and `DatabaseError`.
        """
        self.actor.require(Permission.SEND)
        [alert_id], added = await self._save([request])
        return await self._until_accepted(alert_id, next(iter(added), None))

    async def send_all(
        self, requests: Sequence[AlertRequest], *, confirmed: bool = False
    ) -> list[Alert]:
        """Send many alerts; returns once all of them are saved, before Twilio has them.

        Somebody has `confirmed` that it is meant to be so many: then it may be more than
        ALERTS_PER_PERSON_PER_HOUR. Raises `UnusableInput` for the first that can't be sent; none of
        them is sent then.
        """
        self.actor.require(Permission.SEND)
        ids, _ = await self._save(requests, confirmed=confirmed)
        found = await (await self._history()).get_all(ids)
        return [found[each] for each in ids]

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
        `id` sent twice is one broadcast: each recipient is told once, and who wasn't
        there the first time is added. The requests' `user` is its sender. `confirmed` is as in
        `send_all`.

        Raises `UnusableRequest` for the first that can't be sent, or `UnusableInput`.
        """
        self.actor.require(Permission.SEND)
        broadcast, composed = await self._composed_broadcast(requests, title, id)
        saved: Broadcast = await self.opening.finished(
            self._add_broadcast(broadcast, composed, confirmed=confirmed)
        )
        return saved

    async def _composed_broadcast(
        self, requests: Sequence[AlertRequest], title: str, id: str | None
    ) -> tuple[Broadcast, list[AlertRequest]]:
        """Check a broadcast; returns it and its requests as they would be saved."""
        requests = self._in_own_name(requests)
        broadcast_id = secrets.token_hex(8) if id is None else id
        check_broadcast(requests, title, broadcast_id)
        # In a thread, because composing hundreds of them takes long.
        composed = await asyncio.to_thread(lambda: list(self._composed(requests)))
        broadcast = Broadcast(
            broadcast_id,
            title.strip() or title_from(requests[0]),
            requests[0].user,
            datetime.now(UTC),
        )
        return broadcast, with_ids(composed, broadcast_id)

    async def broadcast_of(self, broadcast_id: str) -> tuple[Broadcast, list[Alert]] | None:
        """A broadcast and its alerts as they stand, in their order; None if it was never sent."""
        self.actor.require(Permission.LOOK)
        return await self._broadcast_of(broadcast_id)

    async def watch_broadcast(self, broadcast_id: str) -> AsyncGenerator[list[Alert]]:
        """Yield all alerts of a broadcast, then those that changed, until all of them have ended.

        A few times a second at most. One that hasn't been sent yet is waited for.
        """
        self.actor.require(Permission.LOOK)
        runtime = await self.opening.runtime()
        async with aclosing(runtime.broadcasts.watch(broadcast_id)) as changes:
            async for alerts in changes:
                yield alerts

    async def cancel_broadcast(self, broadcast_id: str) -> tuple[Broadcast, list[Alert]] | None:
        """Cancel all alerts of a broadcast that haven't ended; returns what `broadcast_of` does."""
        self.actor.require(Permission.SEND)
        found = await self._broadcast_of(broadcast_id)
        if found is None:
            return None
        hang_ups = asyncio.Semaphore(HANG_UPS_AT_ONCE)
        under_way = [each for each in found[1] if not each.status.final]
        sent, _ = found
        done = self._done(Action.CANCELED, sent.title, sent.id, alerts=len(under_way))
        # Recorded side by side, they share a few transactions.
        await asyncio.gather(
            *(
                self._cancel(each, hang_ups, None if place else done)
                for place, each in enumerate(under_way)
            )
        )
        return await self._broadcast_of(broadcast_id)

    async def _broadcast_of(self, broadcast_id: str) -> tuple[Broadcast, list[Alert]] | None:
        await self.opening.until_saved()
        return await (await self.opening.runtime()).broadcasts.get(broadcast_id)

    async def sent_before(
        self, requests: Sequence[AlertRequest], within: timedelta = timedelta(hours=1)
    ) -> list[SentBefore]:
        """Return those recipients whose number was sent the same words a short while ago.

        Requests whose number can't be used are left out.
        """
        self.actor.require(Permission.LOOK)
        from alerts.sent_before import sent_before  # noqa: PLC0415

        known = list[AlertRequest]()
        for each in requests:
            with suppress(UnusableInput):
                numbers = [
                    read_number(to, self.services.regions).dialed for to in (each.to, *each.then_to)
                ]
                known.append(replace(each, to=numbers[0], then_to=tuple(numbers[1:])))
        if not known:
            return []
        account_sid, since = self.services.twilio.account_sid, datetime.now(UTC) - within
        return await (await self.database()).read(
            lambda connection: sent_before(connection, account_sid, known, since)
        )

    async def write_with_alerts(
        self,
        work: Callable[[sa.Connection, AddAlerts], Result],
        most: int,
        rule_id: str | None = None,
    ) -> Result:
        """Do `work` in one transaction, which can add `most` alerts at most, and return its result.

        `work` gets the connection and a function that adds alerts, of a rule if there is one; each
        needs an `id` and must be as `composed` returns it. Like all work of `Database.write` it may
        run more than once, and all of it is saved or nothing. Then the alerts are delivered as if
        they had been sent.
        """
        self.actor.require(Permission.SEND)
        runtime = await self.opening.runtime()
        await runtime.history.learn_prices()
        worker = runtime.worker if runtime.worker and runtime.worker.has_room_for(most) else None
        worker_id = worker.id if worker else None
        added: list[Alert] = []

        def write(connection: sa.Connection) -> Result:
            added.clear()

            def add(
                requests: Sequence[AlertRequest], *, confirmed: bool = False
            ) -> Sequence[Alert]:
                new = runtime.history.added(
                    connection, self._new(requests, rule_id), worker_id, confirmed=confirmed
                )
                added.extend(new)
                return new

            return work(connection, add)

        async def save() -> Result:
            result = await runtime.database.write(write)
            if worker:
                worker.deliver(added)
            return result

        saved: Result = await self.opening.finished(save())
        return saved

    def check(self, request: AlertRequest) -> None:
        """Raise `UnusableInput` if `send` would."""
        self._normalized(request)

    def composed(self, request: AlertRequest) -> AlertRequest:
        """Return the request as it would be saved, its numbers read. Raises `UnusableInput`."""
        return self._normalized(request)

    async def status(self, alert_id: str) -> Alert | None:
        """The alert as it stands, or None if it was never sent."""
        self.actor.require(Permission.LOOK)
        await self.opening.until_saved()
        return await (await self._history()).get(alert_id)

    async def cancel(self, alert_id: str) -> Alert | None:
        """Keep an alert from being sent, end its call, and make no more tries.

        Returns the alert, which may take a moment to end, or None for an id that was never sent.
        An alert that has ended stays as it is. A text that Twilio has accepted can't be stopped.
        """
        self.actor.require(Permission.SEND)
        history = await self._history()
        alert = await history.get(alert_id)
        if alert is None or alert.status.final:
            return alert
        done = self._done(Action.CANCELED, label_of(alert.request), alert.id)
        return await self._cancel(alert, asyncio.Semaphore(), done)

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
        # A worker that follows the call does the same, but none may be running.
        async with hang_ups:
            event = await self._hang_up(alert, alert.sid)
        return await (await self._history()).record(alert.id, event) if event else alert

    async def send_now(self, alert_id: str) -> Alert | None:
        """Let a try wait no longer: for quiet hours, the number's hour, its turn or its undoing.

        Whichever process delivers it sends it at once, unless another request to the number is
        under way. Returns the alert, or None for an id that was never sent. An alert that has
        ended, whose try Twilio already has, or that the day's spend limit holds, stays as it is.
        """
        self.actor.require(Permission.SEND)
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
        self.actor.require(Permission.LOOK)
        async with aclosing((await self._history()).watch(alert_id)) as changes:
            async for alert in changes:
                yield alert

    async def _save(
        self, requests: Sequence[AlertRequest], *, confirmed: bool = False
    ) -> tuple[list[str], list[Alert]]:
        """Save the alerts and have them delivered; returns all ids, and the alerts that are new."""
        normalized = [self._normalized(request) for request in self._in_own_name(requests)]
        saved: tuple[list[str], list[Alert]] = await self.opening.finished(
            self._add(normalized, confirmed=confirmed)
        )
        return saved

    async def _add(
        self, requests: Sequence[AlertRequest], *, confirmed: bool
    ) -> tuple[list[str], list[Alert]]:
        runtime = await self.opening.runtime()
        new = self._new(requests)
        audit = self._sent(new)
        # Without a worker in this process, or room in it, another process claims them.
        worker = runtime.worker
        if worker and worker.has_room_for(len(new)):
            added = await runtime.history.add(new, worker.id, audit, confirmed=confirmed)
            worker.deliver(added)
        else:
            added = await runtime.history.add(new, audit=audit, confirmed=confirmed)
        return [each.id for each in new], added

    async def _add_broadcast(
        self, broadcast: Broadcast, requests: Sequence[AlertRequest], *, confirmed: bool
    ) -> Broadcast:
        runtime = await self.opening.runtime()
        new, worker = self._new(requests), runtime.worker
        audit = self._done(Action.SENT, broadcast.title, broadcast.id, alerts=len(new))
        if worker and worker.has_room_for(len(new)):
            broadcast, added = await runtime.broadcasts.add(
                broadcast, new, worker.id, audit, confirmed=confirmed
            )
            worker.deliver(added)
        else:
            broadcast, _ = await runtime.broadcasts.add(
                broadcast, new, audit=audit, confirmed=confirmed
            )
        return broadcast

    # --- A second person's yes ------------------------------------------------------------------

    async def ask_for_approval(
        self, requests: Sequence[AlertRequest], title: str = "", id: str | None = None
    ) -> Approval:
        """Save a broadcast that a second person has to say yes to; nothing is sent before.

        Raises what `broadcast` does.
        """
        self.actor.require(Permission.SEND)
        broadcast, composed = await self._composed_broadcast(requests, title, id)
        audit = self._done(Action.ASKED, broadcast.title, broadcast.id, alerts=len(composed))
        return await (await self.opening.runtime()).approvals.ask(broadcast, composed, audit)

    async def approvals(self, within: timedelta = timedelta(hours=24)) -> list[Approval]:
        """Return what was asked for lately, and what became of it, the newest first."""
        self.actor.require(Permission.LOOK)
        since = datetime.now(UTC) - within
        return await (await self.opening.runtime()).approvals.lately(since)

    async def approve(self, approval_id: str) -> Broadcast:
        """Say yes, and send just what was asked for, once. Whoever asked for it can't.

        Raises `UnusableInput` for what can't be sent any more.
        """
        self.actor.require(Permission.SEND)
        approved: Broadcast = await self.opening.finished(self._approve(approval_id))
        return approved

    async def _approve(self, approval_id: str) -> Broadcast:
        runtime = await self.opening.runtime()
        asked = await runtime.approvals.get(approval_id)
        new, worker = self._new(asked.requests), runtime.worker
        worker = worker if worker and worker.has_room_for(len(new)) else None
        audit = self._done(Action.APPROVED, asked.title, asked.id, alerts=len(new))
        broadcast, added = await runtime.approvals.approve(
            approval_id, self.actor.name, new, worker.id if worker else None, audit
        )
        if worker:
            worker.deliver(added)
        return broadcast

    async def refuse(self, approval_id: str) -> Approval:
        """Say no: it is never sent. Whoever asked may too. Raises `UnusableInput` if it is over."""
        self.actor.require(Permission.SEND)
        approvals = (await self.opening.runtime()).approvals
        asked = await approvals.get(approval_id)
        audit = self._done(Action.DENIED, asked.title, asked.id, alerts=len(asked.requests))
        return await approvals.refuse(approval_id, self.actor.name, audit)

    # --- The emergency stop ---------------------------------------------------------------------

    async def emergency_stop(self) -> EmergencyStop | None:
        """Return who stopped everything and when, None if nothing is stopped."""
        return await (await self._history()).stop()

    async def would_stop(self) -> Sweep:
        """Count the alerts that `stop_everything` would cancel, and the calls it would end."""
        self.actor.require(Permission.LOOK)
        return await (await self._history()).sweep()

    async def stop_everything(self, reason: str = "") -> list[Alert]:
        """Send nothing from now on, in any process: cancel all that waits and end live calls.

        Returns the alerts that were canceled by that, by whichever process. Until somebody lifts
        it, nothing can be sent, and rules tell nobody. Raises `UnusableInput` for an unusable
        `reason`.
        """
        self.actor.require(Permission.SEND)
        from alerts.emergency_stop import EmergencyStop, checked_reason  # noqa: PLC0415

        stop = EmergencyStop(datetime.now(UTC), self.actor.name, checked_reason(reason))
        canceled: list[Alert] = await self.opening.finished(self._stop(stop))
        return canceled

    async def _stop(self, stop: EmergencyStop) -> list[Alert]:
        history = await self._history()
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
        """Let alerts be sent again. What was canceled stays so."""
        self.actor.require(Permission.ADMINISTER)
        audit = AuditEntry.by(self.actor, Action.LIFTED, Kind.EMERGENCY_STOP, "the emergency stop")
        await (await self._history()).lift_stop(audit)

    async def refusals(self, within: timedelta = timedelta(hours=24)) -> list[Refusals]:
        """Return who asked for more alerts lately than an hour lets them, the last first."""
        self.actor.require(Permission.ADMINISTER)
        return await (await self._history()).refusals(datetime.now(UTC) - within)

    async def _history(self) -> History:
        return (await self.opening.runtime()).history

    def _in_own_name(self, requests: Sequence[AlertRequest]) -> Sequence[AlertRequest]:
        """Return the requests as the actor's own, whatever name they bear.

        The process's own user has everybody's means, and may name whom it sends for.
        """
        if self.actor == Actor.of_process():
            return requests
        return [replace(each, user=self.actor.name) for each in requests]

    def _done(
        self, action: Action, about: str, about_id: str = "", **details: str | int
    ) -> AuditEntry:
        """Return the entry of the audit trail for what the actor does to alerts now."""
        return AuditEntry.by(self.actor, action, Kind.ALERTS, about, about_id, **details)

    def _sent(self, new: Sequence[NewAlert]) -> AuditEntry | None:
        """Return the one entry for all alerts that are sent together."""
        if len(new) != 1:
            return self._done(Action.SENT, f"{len(new):,} alerts", alerts=len(new)) if new else None
        request = new[0].request
        return self._done(
            Action.SENT, label_of(request), new[0].id, channel=request.channel, to=request.to
        )

    def _new(self, requests: Sequence[AlertRequest], rule_id: str | None = None) -> list[NewAlert]:
        """Return what is to be saved; those without an id get one."""
        from alerts.tables import NewAlert  # noqa: PLC0415

        return [
            NewAlert(
                each.id or secrets.token_hex(8),
                each,
                self.services.sender(each.channel),
                place if each.broadcast else None,
                rule_id,
            )
            for place, each in enumerate(requests)
        ]

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
        history, alert = await self._history(), known
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(LONGEST_SEND_SECONDS),
                aclosing(history.watch(alert_id, known)) as changes,
            ):
                async for alert in changes:
                    if is_answered(alert):
                        break
        return alert or (await history.get_all([alert_id]))[alert_id]


def label_of(request: AlertRequest) -> str:
    """Return whom a request is for: the name, or the number where there is none."""
    return request.name or request.to


def is_answered(alert: Alert) -> bool:
    """Whether `send` can return: Twilio has the alert, it has ended, or it is due later."""
    last = alert.events[-1]
    for_later = alert.status is Status.QUEUED and last.status is None and last.error is None
    return bool(alert.sid) or alert.status.final or for_later
