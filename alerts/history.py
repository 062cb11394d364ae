"""The history: what became of every alert, recorded event by event.

Reading and watching it is in watching.py, the lists of pages in reports.py.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from access.audit import delete_old_entries
from alerts import incoming_texts, records, submissions
from alerts.alert import Alert, Channel, Event, NewAlert
from alerts.appending import (
    Abandoned,
    BeginResult,
    BeginSubmission,
    Entry,
    Reported,
    UnlessEnding,
    append_to_known,
)
from alerts.cost import Price
from alerts.emergency_stop import (
    EmergencyStop,
    StopCounts,
    lift_stop,
    read_stop,
    set_stop,
    some_open,
    stop_counts,
)
from alerts.limits import UNLIMITED, Limits, TooMany, check_asking, own_prices
from alerts.log_lines import on_one_line
from alerts.refusals import Refusals, count_refusal, read_refusals
from alerts.replies import IncomingText
from alerts.submissions import Outcome, Settlement, Submission
from alerts.watching import Watching

if TYPE_CHECKING:
    import sqlalchemy as sa

    from access.audit_entry import AuditEntry
    from database.database import Database

log = logging.getLogger(__name__)

SECONDS_BETWEEN_READING_PRICES = 300.0
READ_PRICES_OF = timedelta(days=30)
MOST_CANCELED_AT_ONCE = 200


class History(Watching):
    """The alerts of one Twilio account. Two accounts may use the same ids.

    `limits` are how much may be sent, by default any amount. Use it from one event loop.
    """

    def __init__(self, database: Database, account_sid: str, limits: Limits = UNLIMITED) -> None:
        super().__init__(database, account_sid)
        self._limits = limits
        self._costs_read_at = -SECONDS_BETWEEN_READING_PRICES
        self._append_all = partial(
            append_to_known,
            account_sid=account_sid,
            limits=limits,
            known=self._watchers.newest,
        )

    async def add(
        self,
        new: Sequence[NewAlert],
        worker_id: str | None = None,
        audit: AuditEntry | None = None,
        *,
        confirmed: bool = False,
    ) -> list[Alert]:
        """Save alerts, all or none, and return those that are new.

        An alert whose id is known stays as it is. With `worker_id`, that worker has claimed the new
        ones and has to deliver them. `audit` is written if any is new. Raises `UnusableInput` if a
        limit doesn't allow them, see `limits.check_asking`.
        """
        now = datetime.now(UTC)
        await self.learn_prices()
        try:
            return await self._database.write(
                lambda connection: self.add_within(
                    connection, new, worker_id, confirmed=confirmed, now=now, audit=audit
                )
            )
        except TooMany as refusal:
            await self.note_refusal(refusal)
            raise

    def add_within(
        self,
        connection: sa.Connection,
        new: Sequence[NewAlert],
        worker_id: str | None = None,
        *,
        confirmed: bool = False,
        now: datetime | None = None,
        audit: AuditEntry | None = None,
    ) -> list[Alert]:
        """Do the same as `add` within a transaction of the caller's.

        If the transaction runs again, alerts of the first run aren't added twice. They are returned
        only if `now` is the same as in the first run.
        """
        now = now or datetime.now(UTC)
        known = check_asking(
            connection, self.account_sid, self._limits, new, now, confirmed=confirmed
        )
        return records.add(
            connection,
            self.account_sid,
            new,
            now=now,
            known=known,
            worker_id=worker_id,
            audit=audit,
        )

    async def learn_prices(self) -> None:
        """Read now and then what calls and texts have cost lately, if there is a spend limit."""
        now = time.monotonic()
        is_new = now - self._costs_read_at < SECONDS_BETWEEN_READING_PRICES
        if self._limits.daily_spend is None or is_new:
            return
        self._costs_read_at = now
        since = datetime.now(UTC) - READ_PRICES_OF
        prices = await self._database.read(
            partial(own_prices, account_sid=self.account_sid, since=since)
        )
        self._limits.costs.learn(prices)

    def estimate(self, channel: Channel, to: str) -> float:
        """Estimate carefully what one call or text to a number costs."""
        return self._limits.costs.careful(channel, to)

    async def note_refusal(self, refusal: TooMany) -> None:
        """Count alerts refused because a person asked for too many; logged once an hour."""
        now = datetime.now(UTC)
        is_first = await self._database.write(
            partial(
                count_refusal,
                account_sid=self.account_sid,
                refused=refusal,
                at=now,
            )
        )
        if is_first:
            log.warning("Refused alerts: %s", on_one_line(refusal))

    async def refusals(self, since: datetime) -> list[Refusals]:
        """Return who asked for too many alerts since then, newest first."""
        return await self._database.read(
            partial(
                read_refusals,
                account_sid=self.account_sid,
                most=self._limits.per_person,
                since=since,
                now=datetime.now(UTC),
            )
        )

    # --- The emergency stop -------------------------------------------------------------------

    async def emergency_stop(self) -> EmergencyStop | None:
        """Return the emergency stop, None if none is set."""
        return await self._database.read(partial(read_stop, account_sid=self.account_sid))

    async def set_stop(self, stop: EmergencyStop, audit: AuditEntry | None = None) -> list[str]:
        """Set the emergency stop; returns the ids of the alerts that it ends.

        If one is set already, it stays, none are returned, and `audit` isn't written.
        """
        return await self._database.write(
            partial(set_stop, account_sid=self.account_sid, stop=stop, audit=audit)
        )

    async def stop_counts(self) -> StopCounts:
        """Count what an emergency stop would end."""
        return await self._database.read(partial(stop_counts, account_sid=self.account_sid))

    async def cancel_all(self) -> None:
        """Ask every alert to end, if everything is stopped.

        Several processes may do this at the same time, and one may die in the middle.
        """
        while stop := await self.emergency_stop():
            ids = await self._database.read(
                partial(some_open, account_sid=self.account_sid, most=MOST_CANCELED_AT_ONCE)
            )
            if not ids:
                break
            note = f"Everything was stopped by {stop.by}"
            found = await self.get_all(ids)
            await asyncio.gather(*(self._cancel(each, note) for each in found.values()))

    async def _cancel(self, alert: Alert, note: str) -> None:
        now, number = datetime.now(UTC), alert.try_number
        event = Event(now, None, note, "sender", try_number=number, canceling=True)
        await self._append(Entry(alert.id, event, UnlessEnding()))

    async def lift_stop(self, audit: AuditEntry | None = None) -> None:
        """Lift the emergency stop, once all that waited before is canceled.

        `audit` is written if one was set.
        """
        lift = partial(lift_stop, account_sid=self.account_sid, audit=audit)
        while not await self._database.write(lift):
            await self.cancel_all()

    # --- What happens to an alert ---------------------------------------------------------------

    async def record(
        self, alert_id: str, event: Event, audit: AuditEntry | None = None
    ) -> Alert | None:
        """Record an event and return the alert after it; None for an unknown alert.

        `audit` is written with it.
        """
        alert, _ = await self._append(Entry(alert_id, event, audit=audit))
        return alert

    async def record_callback(
        self, alert_id: str, event: Event, sid: str | None = None
    ) -> Alert | None:
        """Record an event that Twilio reported; None if its try was never made.

        With `sid`, also None if the try's call or text has another SID. If the try has no SID yet,
        `sid` becomes its SID.
        """
        alert, _ = await self._append(Entry(alert_id, event, Reported(sid)))
        return alert

    async def begin(
        self, submission: Submission, event: Event, per_second: float, *, has_slot: bool
    ) -> BeginResult:
        """Save a submission if it may be made now, and `event` with it if it is the try's first.

        Unless it `has_slot` already, a slot of the account's rate, `per_second`, is reserved for
        it. Raises IntegrityError if another process has just begun one to the same number.
        """
        await self.learn_prices()
        estimated = replace(submission, estimate=self.estimate(submission.channel, submission.to))
        begin = BeginSubmission(estimated, per_second, has_slot)
        _, begun = await self._append(Entry(submission.alert_id, event, begin))
        return begun or BeginResult()

    async def settle(
        self,
        submission: Submission,
        outcome: Outcome,
        event: Event | None,
        sid: str | None = None,
    ) -> Alert | None:
        """Record the outcome of a submission, and `event` for its alert if there is one.

        If its outcome is known already, only `Outcome.PLACED` changes it, and `event` is recorded
        only with that. Returns the alert after it, None without an event. Raises IntegrityError if
        `sid` belongs to another submission.
        """
        settlement = Settlement(submission.id, outcome, sid)
        if event is None:
            await self._database.write(
                lambda connection: submissions.settle(connection, [settlement])
            )
            return None
        alert, _ = await self._append(Entry(submission.alert_id, event, settlement))
        if alert is None:
            # Another process may have settled it, so let this one know how the alert stands.
            alert = (await self.get_all([submission.alert_id])).get(submission.alert_id)
        return alert

    async def abandon_try(self, alert_id: str, event: Event) -> Alert | None:
        """Record the event that ends a try, and settle its open submission as unknown."""
        alert, _ = await self._append(Entry(alert_id, event, Abandoned()))
        return alert

    async def unsettled(self, alert: Alert) -> Submission | None:
        """The present try's submission whose outcome isn't known yet, if there is one."""
        return await self._database.read(
            lambda connection: submissions.unsettled(
                connection, self.account_sid, alert.id, alert.try_number
            )
        )

    async def blocking(self, alert: Alert) -> Submission | None:
        """The submission to the alert's number whose outcome isn't known yet, if there is one."""
        return await self._database.read(
            lambda connection: submissions.blocking(
                connection, self.account_sid, alert.channel, alert.to
            )
        )

    async def unless_settled(self, submission: Submission) -> Submission | None:
        """Return a submission as it is now, None if its outcome is known."""
        return await self._database.read(
            lambda connection: submissions.unless_settled(connection, submission.id)
        )

    async def renew(self, submission: Submission, at: datetime) -> Submission | None:
        """Move a submission's time to `at`, and return it.

        None if its request must not be made any more: it is settled, another process that had read
        the same time was faster, or everything was stopped since it was saved.
        """
        renewed = await self._database.write_together(submissions.renew, (submission, at))
        return replace(submission, at=at) if renewed else None

    async def taken(self, sids: Sequence[str]) -> Collection[str]:
        """Return those of the SIDs that belong to a submission."""
        return await self._database.read(lambda connection: submissions.taken(connection, sids))

    async def receive(self, text: IncomingText) -> Alert | None:
        """Save an incoming text once; returns the alert that it replies to, as it stands then.

        None if there is no such alert, or if the text was received before.
        """
        received = await self._database.write(
            partial(incoming_texts.receive, account_sid=self.account_sid, text=text)
        )
        return (await self.get_all([received]))[received] if received else None

    async def unknown_texts(self, sids: Sequence[str]) -> set[str]:
        """Return those of the SIDs of incoming texts that weren't received yet."""
        known = await self._database.read(lambda connection: incoming_texts.known(connection, sids))
        return set(sids) - known

    async def awaited_replies(self) -> dict[str, datetime]:
        """The numbers that open alerts wait for a reply from, and when each was texted last."""
        return await self._database.read(
            partial(incoming_texts.awaited, account_sid=self.account_sid)
        )

    async def unpriced(self, after: datetime, most: int) -> dict[str, tuple[Channel, datetime]]:
        """The channel and time of the newest calls and texts without a price, by SID."""
        return await self._database.read(
            lambda connection: submissions.unpriced(connection, self.account_sid, after, most)
        )

    async def set_prices(self, prices: Mapping[str, Price]) -> None:
        """Save what Twilio charged for calls and texts, by SID."""
        await self._database.write(partial(submissions.set_prices, prices=prices))

    async def delete_old(self, keep_days: int) -> int:
        """Delete some ended alerts and entries of the audit trail older than `keep_days`.

        Returns how many were deleted, 0 once none are left.
        """
        entries = await delete_old_entries(self._database, keep_days)
        delete = partial(records.delete_old, account_sid=self.account_sid, keep_days=keep_days)
        return entries + await self._database.write(delete)

    async def _append(self, entry: Entry) -> tuple[Alert | None, BeginResult | None]:
        outcome: tuple[Alert | None, BeginResult | None]
        outcome = await self._database.write_together(self._append_all, entry)
        alert, _ = outcome
        if alert is not None:
            self._watchers.notify(alert)
        return outcome
