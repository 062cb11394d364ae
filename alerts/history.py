"""The history: what became of every alert, recorded event by event, to be read or watched."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from access.audit import delete_old_entries, write_entries
from alerts import incoming_texts, records, submissions
from alerts.alert import Alert, Channel, Event
from alerts.emergency_stop import (
    EmergencyStop,
    Sweep,
    lift_stop,
    read_stop,
    set_stop,
    some_open,
    sweep,
)
from alerts.limits import UNLIMITED, Limits, TooMany, check_asking, own_prices
from alerts.log_lines import on_one_line
from alerts.records import Abandoned, Begin, Begun, Entry, Reported, UnlessEnding
from alerts.refusals import Refusals, count_refusal, read_refusals
from alerts.replies import IncomingText
from alerts.reports import Reports
from alerts.retention import delete_old_alerts
from alerts.submissions import Outcome, Price, Settlement, Submission
from alerts.tables import NewAlert, new_position

if TYPE_CHECKING:
    import sqlalchemy as sa

    from access.audit_entry import AuditEntry
    from database.database import Database

log = logging.getLogger(__name__)

T = TypeVar("T")
# None when nothing more will come.
News = asyncio.Queue[Alert | None]

# The database is asked this often for news from other processes, less often while there is none.
# News from this process is passed on at once.
FIRST_LOOK_SECONDS = 0.25
LONGEST_LOOK_SECONDS = 1.0
MOST_ALERTS_PER_STATEMENT = 500
LEARN_PRICES_SECONDS = 300.0
LEARN_PRICES_OF = timedelta(days=30)
MOST_CANCELED_AT_ONCE = 200


class History(Reports):
    """The alerts of one Twilio account. Two accounts may use the same ids.

    `limits` are how much may be sent, by default as much as anybody likes. Use it from one event
    loop.
    """

    def __init__(self, database: Database, account_sid: str, limits: Limits = UNLIMITED) -> None:
        super().__init__(database, account_sid)
        self._limits = limits
        self._costs_read_at = -LEARN_PRICES_SECONDS
        self._watchers = Watchers()
        self._looking: asyncio.Task[None] | None = None
        self._look_seconds = FIRST_LOOK_SECONDS
        self._look_now = asyncio.Event()

    async def close(self) -> None:
        """End all watching, and stop looking for news. The database stays open."""
        self._watchers.close()
        if self._looking:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def add(
        self,
        new: Sequence[NewAlert],
        worker_id: str | None = None,
        audit: AuditEntry | None = None,
        *,
        confirmed: bool = False,
    ) -> list[Alert]:
        """Save alerts, all or none, and return those that are new.

        One whose id is known stays as it is. With `worker_id`, that worker has claimed the new ones
        and has to deliver them. `audit` is written if any is new. Raises `UnusableInput` if a limit
        doesn't allow it, see `limits.check_asking`.
        """
        now = datetime.now(UTC)
        await self.learn_prices()
        try:
            return await self._database.write(
                lambda connection: self.added(
                    connection, new, worker_id, confirmed=confirmed, now=now, audit=audit
                )
            )
        except TooMany as refusal:
            await self.note_refusal(refusal)
            raise

    def added(
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

        One that runs again adds nothing that the first run has saved. It returns only what is new
        then, or with the same `now` what the first run has returned.
        """
        now = now or datetime.now(UTC)
        known = check_asking(
            connection, self.account_sid, self._limits, new, now, confirmed=confirmed
        )
        by_id: dict[str, NewAlert] = {}
        for each in new:
            by_id.setdefault(each.id, each)
        added, position = list[Alert](), new_position(now)
        for some in in_parts([*by_id.values()]):
            added += records.add(
                connection,
                self.account_sid,
                some,
                now=now,
                first_position=position,
                known=known,
                worker_id=worker_id,
                audit=None if added else audit,
            )
            position += len(some)
        return added

    async def learn_prices(self) -> None:
        """Read now and then what calls and texts have cost lately, if there is a spend limit."""
        now = time.monotonic()
        is_new = now - self._costs_read_at < LEARN_PRICES_SECONDS
        if self._limits.daily_spend is None or is_new:
            return
        self._costs_read_at = now
        since = datetime.now(UTC) - LEARN_PRICES_OF
        prices = await self._database.read(
            partial(own_prices, account_sid=self.account_sid, since=since)
        )
        self._limits.costs.learn(prices)

    def estimate(self, channel: Channel, to: str) -> float:
        """Estimate carefully what one call or text to a number costs."""
        return self._limits.costs.careful(channel, to)

    async def note_refusal(self, refusal: TooMany) -> None:
        """Count what was refused because somebody had asked for too many; the log says so once."""
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
        """Return who asked for too many alerts since then, the last first."""
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

    async def stop(self) -> EmergencyStop | None:
        """Return the emergency stop, None if none is set."""
        return await self._database.read(partial(read_stop, account_sid=self.account_sid))

    async def set_stop(self, stop: EmergencyStop, audit: AuditEntry | None = None) -> list[str]:
        """Set the emergency stop; returns the ids of the alerts that it ends.

        If one is set already, it stays, none are returned, and `audit` isn't written.
        """
        return await self._database.write(
            partial(set_stop, account_sid=self.account_sid, stop=stop, audit=audit)
        )

    async def sweep(self) -> Sweep:
        """Count what an emergency stop would end."""
        return await self._database.read(partial(sweep, account_sid=self.account_sid))

    async def cancel_all(self) -> None:
        """Ask every alert to end, if everything is stopped.

        Several processes may do so at the same time, and one may die in the middle.
        """
        while stop := await self.stop():
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

    async def get(self, alert_id: str) -> Alert | None:
        """The alert as it stands, or None if it was never sent."""
        known = self._watchers.known(alert_id)
        if known is not None:
            return known
        return (await self.get_all([alert_id])).get(alert_id)

    def newest(self, alert: Alert) -> Alert:
        """Return the newest state that this process knows, without asking the database.

        That is `alert` itself unless the alert is watched.
        """
        return self._watchers.known(alert.id) or alert

    async def get_all(self, alert_ids: Sequence[str]) -> dict[str, Alert]:
        """The alerts as they stand, by id; unknown ids are left out."""
        found: dict[str, Alert] = {}
        for some in in_parts(alert_ids):
            found |= await self._database.read(
                partial(records.read, account_sid=self.account_sid, alert_ids=some)
            )
        for alert in found.values():
            self._watchers.notify(alert)
        return found

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
    ) -> Begun:
        """Save a submission if it may be made now, and `event` with it if it is the try's first.

        Unless it `has_slot` already, a slot of the account's rate, `per_second`, is reserved for
        it. Raises IntegrityError if another process has just begun one to the same number.
        """
        await self.learn_prices()
        estimated = replace(submission, estimate=self.estimate(submission.channel, submission.to))
        begin = Begin(estimated, per_second, has_slot)
        _, begun = await self._append(Entry(submission.alert_id, event, begin))
        return begun or Begun()

    async def settle(
        self,
        submission: Submission,
        outcome: Outcome,
        event: Event | None,
        sid: str | None = None,
    ) -> Alert | None:
        """Record the outcome of a submission, and `event` for its alert if there is one.

        Raises IntegrityError if `sid` belongs to another submission.
        """
        settlement = Settlement(submission.id, outcome, sid)
        if event is None:
            await self._database.write(
                lambda connection: submissions.settle(connection, [settlement])
            )
            return None
        alert, _ = await self._append(Entry(submission.alert_id, event, settlement))
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

        Only one of two processes that have read the same time can. None for the other one, and if
        the submission is settled.
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
        """Delete some of what is older: alerts that ended, and entries of the audit trail.

        Returns how many were deleted, 0 once none are left.
        """
        entries = await delete_old_entries(self._database, keep_days)
        return entries + await delete_old_alerts(self._database, self.account_sid, keep_days)

    async def watch(self, alert_id: str, known: Alert | None = None) -> AsyncGenerator[Alert]:
        """Yield the alert as it stands, then its newest state after changes, up to the final one.

        An id that hasn't been sent yet is waited for. Ends early if the history is closed. `known`
        is the alert if the caller has just read it.
        """
        with self.news_of(alert_id, known) as news:
            while alert := await news.get():
                if not news.empty():
                    continue  # the next state has all of this one's events too
                yield alert
                if alert.status.final:
                    return

    async def until(
        self, alert_id: str, is_so: Callable[[Alert], bool], seconds: float | None = None
    ) -> Alert:
        """Wait until `is_so(alert)` and return the alert.

        Raises TimeoutError after `seconds`, or when the history is closed.
        """
        with self.news_of(alert_id) as news:
            async with asyncio.timeout(seconds):
                while alert := await news.get():
                    if is_so(alert):
                        return alert
        raise TimeoutError

    @contextmanager
    def news_of(self, alert_id: str, known: Alert | None = None) -> Iterator[News]:
        """A queue that receives the alert as it stands, then each change while the block lasts.

        Meanwhile `get` needs no database. `known` is the alert if the caller has just read it.
        """
        with self._watchers.news_of(alert_id) as news:
            if known is not None:
                self._watchers.notify(known)
            self._look_seconds = FIRST_LOOK_SECONDS
            if self._watchers.known(alert_id) is None:
                self._look_now.set()
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="news of alerts")
            yield news

    async def _append(self, entry: Entry) -> tuple[Alert | None, Begun | None]:
        outcome: tuple[Alert | None, Begun | None]
        outcome = await self._database.write_together(self._append_all, entry)
        alert, _ = outcome
        if alert is not None:
            self._watchers.notify(alert)
        return outcome

    def _append_all(
        self, connection: sa.Connection, entries: Sequence[Entry]
    ) -> list[tuple[Alert | None, Begun | None]]:
        newest: dict[str, Alert] = {}
        outcomes: list[tuple[Alert | None, Begun | None]] = []
        appended = records.append(connection, self.account_sid, entries, self._limits)
        done = [each.audit for each, (kept, _) in zip(entries, appended, strict=True) if kept]
        write_entries(connection, [each for each in done if each])
        read = self._not_known(connection, [kept.alert.id for kept, _ in appended if kept])
        for entry, (kept, begun) in zip(entries, appended, strict=True):
            alert = None
            if kept is not None:
                # The older events of a watched alert are known and needn't be read again.
                known = newest.get(entry.alert_id) or self._watchers.known(entry.alert_id)
                alert = records.with_story(kept, known)
                if alert is None and entry.alert_id not in read:
                    read |= records.read(connection, self.account_sid, [entry.alert_id])
                alert = alert or read[entry.alert_id]
                newest[entry.alert_id] = alert
            outcomes.append((alert, begun))
        return outcomes

    def _not_known(self, connection: sa.Connection, alert_ids: Sequence[str]) -> dict[str, Alert]:
        """Read those of the alerts that aren't watched, in few statements."""
        found: dict[str, Alert] = {}
        unknown = [each for each in set(alert_ids) if self._watchers.known(each) is None]
        for some in in_parts(unknown):
            found |= records.read(connection, self.account_sid, some)
        return found

    async def _look(self) -> None:
        """Look for news from other processes while any alert is watched."""
        while self._watchers.ids:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_seconds):
                    await self._look_now.wait()
            self._look_now.clear()
            try:
                found = [await self._look_at(some) for some in in_parts(self._watchers.ids)]
            except Exception:
                log.exception("Looking for news failed; trying again in a moment")
                found = []
            grown = FIRST_LOOK_SECONDS if any(found) else self._look_seconds * 1.25
            self._look_seconds = min(grown, LONGEST_LOOK_SECONDS)

    async def _look_at(self, alert_ids: Sequence[str]) -> bool:
        """Pass on news of these alerts; returns whether there was any."""

        def look(connection: sa.Connection) -> dict[str, Alert]:
            newest = records.revisions(connection, self.account_sid, alert_ids)
            changed = [each for each in newest if self._is_news(each, newest[each])]
            return records.read(connection, self.account_sid, changed) if changed else {}

        found = await self._database.read(look)
        return sum(self._watchers.notify(alert) for alert in found.values()) > 0

    def _is_news(self, alert_id: str, revision: int) -> bool:
        known = self._watchers.known(alert_id)
        return known is None or len(known.events) < revision


def in_parts(many: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split `many` into parts that are small enough for one SQL statement."""
    for start in range(0, len(many), MOST_ALERTS_PER_STATEMENT):
        yield many[start : start + MOST_ALERTS_PER_STATEMENT]


class Watchers:
    """The watched alerts of this process: the newest state of each, and the queues for its news.

    Use it from one event loop. Nothing here waits.
    """

    def __init__(self) -> None:
        self._known: dict[str, Alert] = {}
        self._queues: defaultdict[str, set[News]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def news_of(self, alert_id: str) -> Iterator[News]:
        """A queue that receives the newest known state, if any, then each change."""
        queue: News = asyncio.Queue()
        self._queues[alert_id].add(queue)
        if alert_id in self._known:
            queue.put_nowait(self._known[alert_id])
        if self._closed:
            queue.put_nowait(None)
        try:
            yield queue
        finally:
            self._queues[alert_id].discard(queue)
            if not self._queues[alert_id]:
                del self._queues[alert_id]
                self._known.pop(alert_id, None)

    @property
    def ids(self) -> list[str]:
        """The alerts that are watched."""
        return list(self._queues)

    def known(self, alert_id: str) -> Alert | None:
        """The newest state of a watched alert; None for any other."""
        return self._known.get(alert_id)

    def notify(self, alert: Alert) -> bool:
        """Pass a state on to the alert's watchers; false if they have it already."""
        known = self._known.get(alert.id)
        if alert.id not in self._queues or (known and len(known.events) >= len(alert.events)):
            return False
        self._known[alert.id] = alert
        for queue in self._queues[alert.id]:
            queue.put_nowait(alert)
        return True

    def close(self) -> None:
        """Tell every watcher that nothing more will come."""
        self._closed = True
        for queues in self._queues.values():
            for queue in queues:
                queue.put_nowait(None)
