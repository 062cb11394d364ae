"""SendingDesk: opens the database, sends alerts, and reports what became of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from access.actor import Actor, Permission
from access.audit_entry import Action, AuditEntry, Kind
from alerts.alert import Alert, AlertRequest, NewAlert
from alerts.errors import UnusableInput
from alerts.message.compose import compose
from alerts.opening import Opening
from alerts.services import Mode, Services
from alerts.status import Status
from settings import Settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from access.audit import Audit
    from alerts.history import History
    from alerts.runtime import Runtime
    from database.database import Database

Result = TypeVar("Result")
# Saves alerts, claimed by the worker with this id if there is one. Returns its result, and those of
# the alerts that are new.
SaveAlerts = Callable[[str | None], Awaitable[tuple[Result, Sequence[Alert]]]]

# `send` returns after this long even without Twilio's answer; the delivery goes on.
LONGEST_SEND_SECONDS = 30.0


class AddAlerts(Protocol):
    """Saves alerts within the caller's transaction, and returns those that are new."""

    def __call__(
        self, requests: Sequence[AlertRequest], *, confirmed: bool = False
    ) -> Sequence[Alert]:
        """`confirmed` is as in `Desk.send_all`."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The ids of alerts that were asked for, those of them that are `new`, and where they are."""

    history: History
    ids: list[str]
    new: list[Alert]


class SendingDesk:
    """The part of `Desk` that opens the database, sends alerts, and reports their state.

    `Desk` adds what is done to alerts later, and to many at once.
    """

    def __init__(
        self,
        services: Services,
        mode: Mode = "app",
        *,
        opening: Opening | None = None,
        actor: Actor | None = None,
    ) -> None:
        """Build the desk of a process, which acts for the user that runs it, or for `actor`.

        With `opening`, what is open is shared with another desk.
        """
        self.opening = opening or Opening(services, mode)
        self.services = services
        self._process = Actor.of_process()
        self.actor = actor or self._process

    def acting_as(self, actor: Actor) -> Self:
        """Return this desk as it is for `actor`: the same alerts, database and deliveries.

        Its methods act in the actor's name, and raise `NotAllowed` for what the actor may not do.
        Refused actions are in the audit trail.
        """
        actor = replace(actor, on_refused=self.opening.refused)
        return type(self)(self.services, opening=self.opening, actor=actor)

    @classmethod
    def from_settings(cls, settings: Settings, mode: Mode = "app") -> Self:
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

        It closes all desks that share these.
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
        """The audit trail: what was done, by whom. Reading it takes the permission ADMINISTER."""
        from access.audit import Audit  # noqa: PLC0415 - needs SQLAlchemy

        return Audit((await self.opening.runtime()).database, self.actor)

    async def database(self) -> Database:
        """The database of the history, for callers that keep other things in it."""
        self.actor.require(Permission.LOOK)
        return (await self.opening.runtime()).database

    @property
    def delivers(self) -> bool:
        """Whether this process delivers alerts now: it is open, and no worker process does it."""
        return self.opening.delivers

    async def check_database(self) -> None:
        """Raise `DatabaseError` unless the database can be read and written right now."""
        await (await self.opening.runtime()).check_database()

    async def until_newer_version(self) -> None:
        """Wait until this process has found that a newer Callboard has changed the tables.

        From then on it neither saves nor delivers: `send` and all else that writes raise
        `DatabaseError`.
        """
        await (await self.database()).until_newer()

    async def is_delivered(self) -> bool:
        """Whether some process is alive that delivers: a worker, or an app."""
        return await (await self.opening.runtime()).is_delivered()

    async def workers(self) -> int:
        """Return how many worker processes (which only deliver) are alive."""
        self.actor.require(Permission.LOOK)
        return await (await self.opening.runtime()).workers()

    async def send(self, request: AlertRequest, *, confirmed: bool = False) -> Alert:
        """Send an alert; returns once Twilio has accepted it or it has failed (see `alert.error`).

        Returns earlier if the alert has to wait, such as for the end of quiet hours, or if Twilio
        hasn't answered after LONGEST_SEND_SECONDS. The alert is saved first, so the caller may stop
        waiting at any time. If `request.id` is known already, returns that alert and sends nothing.
        With `confirmed` it is sent even beyond ALERTS_PER_PERSON_PER_HOUR.

        Raises `UnusableInput` if nothing was sent, and `DatabaseError`.
        """
        self.actor.require(Permission.SEND, "send an alert")
        saved = await self._save([request], confirmed=confirmed)
        return await _until_accepted(saved.history, saved.ids[0], next(iter(saved.new), None))

    async def send_all(
        self, requests: Sequence[AlertRequest], *, confirmed: bool = False
    ) -> list[Alert]:
        """Send many alerts; returns once all of them are saved, before Twilio has them.

        With `confirmed` (a person said that they really want this many) there may be more than
        ALERTS_PER_PERSON_PER_HOUR. Raises `UnusableInput` for the first that can't be sent; then
        none is sent.
        """
        self.actor.require(Permission.SEND, "send alerts")
        saved = await self._save(requests, confirmed=confirmed)
        found = {each.id: each for each in saved.new}
        if known := [each for each in saved.ids if each not in found]:
            found |= await saved.history.get_all(known)
        return [found[each] for each in saved.ids]

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
        self.actor.require(Permission.SEND, "send alerts")

        async def save(runtime: Runtime) -> Result:
            await runtime.history.learn_prices()
            return await save_and_deliver(runtime, most, partial(save_for, runtime))

        async def save_for(
            runtime: Runtime, worker_id: str | None
        ) -> tuple[Result, Sequence[Alert]]:
            added: list[Alert] = []

            def write(connection: sa.Connection) -> Result:
                added.clear()

                def add(
                    requests: Sequence[AlertRequest], *, confirmed: bool = False
                ) -> Sequence[Alert]:
                    new = runtime.history.add_within(
                        connection, self._new(requests, rule_id), worker_id, confirmed=confirmed
                    )
                    added.extend(new)
                    return new

                return work(connection, add)

            return await runtime.database.write(write), added

        return await self.opening.finished(save)

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

    async def watch(self, alert_id: str) -> AsyncGenerator[Alert]:
        """Yield the alert as it stands, then each change up to a final status.

        An id that hasn't been sent yet is waited for.
        """
        self.actor.require(Permission.LOOK)
        async with aclosing((await self._history()).watch(alert_id)) as changes:
            async for alert in changes:
                yield alert

    async def _save(self, requests: Sequence[AlertRequest], *, confirmed: bool = False) -> Saved:
        """Save the alerts and have them delivered."""
        normalized = [self._normalized(request) for request in self._in_own_name(requests)]
        return await self.opening.finished(partial(self._add, normalized, confirmed=confirmed))

    async def _add(
        self, requests: Sequence[AlertRequest], runtime: Runtime, *, confirmed: bool
    ) -> Saved:
        history, new = runtime.history, self._new(requests)
        ids, audit = [each.id for each in new], self._sent(new)

        async def add(worker_id: str | None) -> tuple[Saved, Sequence[Alert]]:
            added = await history.add(new, worker_id, audit, confirmed=confirmed)
            return Saved(history, ids, added), added

        return await save_and_deliver(runtime, len(new), add)

    async def _history(self) -> History:
        return (await self.opening.runtime()).history

    def _in_own_name(self, requests: Sequence[AlertRequest]) -> Sequence[AlertRequest]:
        """Return the requests in the actor's name, whatever name they have.

        The process's own user may send in any name, because it could do so anyway.
        """
        if self.actor == self._process:
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

    def _normalized(self, request: AlertRequest) -> AlertRequest:
        by_key = request.acknowledge and request.channel == "call"
        if by_key and self.services.callbacks is None:
            raise UnusableInput(
                "acknowledge",
                "Set PUBLIC_URL to ask for a key press: without it Twilio can't report one here.",
            )
        # Save the zone's name, because the process that delivers it may run on a machine in another
        # zone.
        zone = request.time_zone or self.services.time_zone
        return compose(replace(request, time_zone=zone), self.services.regions)


async def save_and_deliver(runtime: Runtime, most: int, save: SaveAlerts[Result]) -> Result:
    """Save alerts, `most` at most, start delivering those that are new, and return `save`'s result.

    They are claimed by this process's worker. Without one, or without room in it, `save` gets no
    worker's id, and another process claims them.
    """
    worker = runtime.worker
    if worker and not worker.has_room_for(most):
        worker = None
    result, added = await save(worker.id if worker else None)
    if worker:
        worker.deliver(added)
    return result


async def _until_accepted(history: History, alert_id: str, known: Alert | None) -> Alert:
    """Wait until Twilio has answered, or until the alert says why it has to wait."""
    alert = known
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
