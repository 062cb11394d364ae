"""Polling: ask Twilio about the open calls and texts of this process until they are over.

A schedule says how often to ask about each, and for how long.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import get_args

from alerts.alert import Channel, Event, Problem
from alerts.status import Status
from alerts.twilio_status import ACCEPTED, StatusUpdate, call_update, message_update
from database import NewerDatabase
from twilio_client import (
    Call,
    Message,
    TwilioClient,
    TwilioError,
    TwilioRateLimited,
    TwilioRefused,
)

log = logging.getLogger(__name__)

MOST_POLLS_AT_ONCE = 10
# Twilio may ask for a longer pause, but people want to know what became of their alerts.
LONGEST_PAUSE_SECONDS = 60.0
# If more than this many are to be polled, read Twilio's list: it has up to 1,000 on a page.
MOST_POLLED_ONE_BY_ONE = 20
LARGEST_PAGE_ROWS = 1000
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
LIST_TIME_MARGIN = timedelta(minutes=2)
# Wait this much longer if the last poll failed, because the end may have come without our seeing
# it.
GIVE_UP_UNSEEN_AFTER = timedelta(days=1)
END_NOT_REPORTED = StatusUpdate(Status.UNKNOWN, "Twilio never reported how it ended")
# Twilio ends a call after four hours, and stops trying to send a text after ten:
# ValidityPeriod in https://www.twilio.com/docs/messaging/api/message-resource
GIVE_UP_AFTER: dict[Channel, timedelta] = {
    "call": timedelta(hours=4),
    "text": timedelta(hours=10),
}
# Not every carrier confirms delivery: without that a text stays "sent" forever.
CARRIERS_CONFIRM_WITHIN = timedelta(minutes=10)
PLACED = StatusUpdate(Status.PLACED, ACCEPTED)


@dataclass(frozen=True, slots=True)
class PlacedTry:
    """The call or text `sid` of an alert's try, and when Twilio was known to have it."""

    alert_id: str
    try_number: int
    channel: Channel
    sid: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class PollIntervals:
    """Seconds until the first poll, how the waits between polls grow, and the longest of them."""

    first: float
    growth: float
    longest: float


WITHOUT_CALLBACKS = PollIntervals(0.5, 1.25, 5.0)
# With callbacks, polling is only for those that get lost.
WITH_CALLBACKS = PollIntervals(15.0, 1.25, 60.0)
# Twilio usually reports what answered a call within this time after the call's end.
POLL_SOON_SECONDS = 2.0


class PollSchedule:
    """When to poll a placed try next (`next_at`, in the event loop's time), and what was reported.

    `sent_at` is when Twilio handed a text to the carrier, according to the last poll.
    """

    def __init__(self, placed: PlacedTry, intervals: PollIntervals, now: float) -> None:
        self.placed = placed
        self.reported = PLACED
        self.sent_at: datetime | None = None
        self.next_at = now
        self.is_busy = False
        self._is_missing = False
        self._intervals = intervals
        self._wait_from(now, intervals.first)
        if datetime.now(UTC) - placed.placed_at > timedelta(seconds=intervals.first):
            # The try was placed before a restart, and callbacks in between were lost.
            self.poll_soon(now)

    def poll_soon(self, now: float) -> None:
        """Wait no longer than POLL_SOON_SECONDS, because the try may be over."""
        self.next_at = min(self.next_at, now + POLL_SOON_SECONDS)

    def poll_again(self, now: float) -> None:
        """Wait a little longer than before."""
        self._wait_from(now, self._wait * self._intervals.growth)

    def back_off(self, now: float) -> None:
        """Wait a lot longer than before: the last poll failed."""
        self._wait_from(now, self._wait * 2)

    def is_due(self, now: float) -> bool:
        """Whether it is time to poll."""
        return not self.is_busy and self.next_at <= now

    def may_be_polled(self, now: float) -> bool:
        """Whether half the wait is over, so that it can be polled together with others."""
        return not self.is_busy and self.next_at - self._wait / 2 <= now

    @property
    def overdue(self) -> timedelta:
        """How long ago the try should have ended; negative until then."""
        # Measured by the date, so that a restart doesn't begin from zero.
        end = self.placed.placed_at + GIVE_UP_AFTER[self.placed.channel]
        if self.sent_at is not None:
            end = max(self.sent_at, self.placed.placed_at) + CARRIERS_CONFIRM_WITHIN
        return datetime.now(UTC) - end

    def learn(self, found: StatusUpdate | TwilioError) -> StatusUpdate:
        """Take in what a poll has found, and return what to report about the try now."""
        if isinstance(found, TwilioError):
            return self._learn_from_failure(found)
        self._is_missing, self.sent_at = False, found.sent_at
        is_lost = self.overdue >= timedelta() and not found.is_final
        return END_NOT_REPORTED if is_lost else found

    def _learn_from_failure(self, error: TwilioError) -> StatusUpdate:
        """Usually there is nothing new to report."""
        if isinstance(error, TwilioRefused) and error.status == HTTPStatus.NOT_FOUND:
            # Not all of Twilio's servers may know a new call yet, so only a second 404 counts.
            if self._is_missing:
                problem = Problem.of(error)
                return StatusUpdate(Status.UNKNOWN, "Twilio won't say what became of it", problem)
            self._is_missing = True
        return END_NOT_REPORTED if self.overdue >= GIVE_UP_UNSEEN_AFTER else self.reported

    def _wait_from(self, now: float, seconds: float) -> None:
        self._wait = min(seconds, self._intervals.longest)
        # Jitter, so that alerts that were sent together aren't polled together forever.
        self.next_at = now + self._wait * random.uniform(0.9, 1.1)  # noqa: S311
        left = -self.overdue.total_seconds()
        if left > 0:
            self.next_at = min(self.next_at, now + left)


class StatusPoller:
    """Polls Twilio about calls and texts, less and less often, and reports what is new.

    `report(alert_id, event)` is awaited; if it raises, a later poll reports again. With `callbacks`
    Twilio usually reports by itself, so polls are rare. Use it from one event loop.
    """

    def __init__(
        self,
        twilio: TwilioClient,
        report: Callable[[str, Event], Awaitable[object]],
        *,
        callbacks: bool = False,
    ) -> None:
        self._reader = StatusReader(twilio)
        self._report_event = report
        self._intervals = WITH_CALLBACKS if callbacks else WITHOUT_CALLBACKS
        self._schedules: set[PollSchedule] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_running = self._is_closed = False
        self._wake = asyncio.Event()
        self._wakes_at = 0.0

    @contextmanager
    def polling(self, placed: PlacedTry) -> Iterator[None]:
        """Poll a try for as long as the block lasts, or up to its final status.

        Failing polls don't end that: the call goes on even if Twilio can't be reached for a while.
        """
        schedule = PollSchedule(placed, self._intervals, _now())
        self._schedules.add(schedule)
        self._wake_for(schedule)
        if not self._is_running:
            self._is_running = True
            self._start(self._run())
        try:
            yield
        finally:
            self._forget(schedule)

    def poll_soon(self, placed: PlacedTry) -> None:
        """Poll a try sooner than planned, because it may be over."""
        for schedule in self._schedules:
            if schedule.placed == placed:
                schedule.poll_soon(_now())
                self._wake_for(schedule)

    async def close(self) -> None:
        """Stop polling and reporting."""
        self._is_closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        if self._is_closed:
            work.close()
            return
        task = asyncio.create_task(work, name="polling")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        while self._schedules:
            self._wake.clear()
            for channel in get_args(Channel):
                self._poll_due(channel)
            idle = [schedule.next_at for schedule in self._schedules if not schedule.is_busy]
            self._wakes_at = min(idle, default=float("inf"))
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._wakes_at if idle else None):
                    await self._wake.wait()
        self._is_running = False

    def _wake_for(self, schedule: PollSchedule) -> None:
        if schedule.next_at < self._wakes_at:
            self._wake.set()

    def _forget(self, schedule: PollSchedule) -> None:
        self._schedules.discard(schedule)
        if not self._schedules:
            self._wake.set()

    def _poll_due(self, channel: Channel) -> None:
        now = _now()
        ours = [each for each in self._schedules if each.placed.channel == channel]
        due = [each for each in ours if each.is_due(now)]
        soon = [each for each in ours if each.may_be_polled(now)] if due else []
        if len(soon) > MOST_POLLED_ONE_BY_ONE:
            for schedule in soon:
                schedule.is_busy = True
            self._start(self._poll_many(channel, soon))
            return
        for schedule in due:
            schedule.is_busy = True
            self._start(self._poll(schedule))

    async def _poll_many(self, channel: Channel, schedules: Sequence[PollSchedule]) -> None:
        found: dict[str, StatusUpdate | TwilioError] = {}
        try:
            found = await self._reader.read_many(channel, [each.placed for each in schedules])
        except Exception:
            log.exception("Polling many tries at once failed; polling each alone")
        for schedule in schedules:
            self._start(self._poll(schedule, found.get(schedule.placed.sid)))

    async def _poll(
        self, schedule: PollSchedule, found: StatusUpdate | TwilioError | None = None
    ) -> None:
        """Report what was found in the list, or else ask about this try alone and report that."""
        try:
            found = found or await self._reader.read(schedule.placed)
            await self._report(schedule, schedule.learn(found))
            if isinstance(found, TwilioError):
                schedule.back_off(_now())
            else:
                schedule.poll_again(_now())
        except NewerDatabase:
            schedule.back_off(_now())  # the runtime closes the worker, and with it this
        except Exception:  # one alert's trouble must not stop the others
            log.exception("Polling for alert %s failed; trying again", schedule.placed.alert_id)
            schedule.back_off(_now())
        schedule.is_busy = False
        self._wake_for(schedule)

    async def _report(self, schedule: PollSchedule, update: StatusUpdate) -> None:
        if update != schedule.reported and schedule in self._schedules:
            placed = schedule.placed
            event = update.as_event(placed.try_number, "poll", placed.sid)
            await self._report_event(placed.alert_id, event)
            schedule.reported = update
        if update.is_final:
            self._forget(schedule)


class StatusReader:
    """Reads statuses at Twilio with few requests at once, and none while Twilio asks us to wait."""

    def __init__(self, twilio: TwilioClient) -> None:
        self._twilio = twilio
        self._requests = asyncio.Semaphore(MOST_POLLS_AT_ONCE)
        self._paused_until = 0.0
        self._is_refused = False

    async def read(self, placed: PlacedTry) -> StatusUpdate | TwilioError:
        """Return what Twilio says about one call or text now, or the error that prevented it."""
        try:
            async with self._request():
                if placed.channel == "call":
                    return call_update(await self._twilio.fetch_call(placed.sid))
                return message_update(await self._twilio.fetch_message(placed.sid))
        except TwilioError as error:
            return error

    async def read_many(
        self, channel: Channel, wanted: Sequence[PlacedTry]
    ) -> dict[str, StatusUpdate | TwilioError]:
        """Return the same by SID, read from the list; those left out are to be read one by one."""
        try:
            async with self._request():
                return await self._read_list(channel, wanted)
        except TwilioRefused:
            return {}  # An API key may be allowed to read each but not the list.
        except TwilioError as error:
            return {placed.sid: error for placed in wanted}

    @asynccontextmanager
    async def _request(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        async with self._requests:
            # In a loop, because another request may be told to wait longer meanwhile.
            while (left := self._paused_until - loop.time()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(left)
            try:
                yield
            except TwilioRateLimited as too_fast:
                pause = min(too_fast.retry_after or 1.0, LONGEST_PAUSE_SECONDS)
                self._paused_until = max(self._paused_until, loop.time() + pause)
                raise
            except TwilioRefused as refusal:
                # A 404 is reported on the alert itself; log only refusals that affect every poll.
                if refusal.status != HTTPStatus.NOT_FOUND and not self._is_refused:
                    self._is_refused = True
                    log.warning("Twilio doesn't let us look at calls and texts: %s", refusal)
                raise
            self._is_refused = False

    async def _read_list(
        self, channel: Channel, wanted: Sequence[PlacedTry]
    ) -> dict[str, StatusUpdate | TwilioError]:
        missing = {placed.sid for placed in wanted}
        oldest = min(placed.placed_at for placed in wanted) - LIST_TIME_MARGIN
        # The list may have calls and texts of other programs between ours, so ask for more rows.
        page_size = min(LARGEST_PAGE_ROWS, 4 * len(wanted))
        # Reading more pages would take longer than reading each call or text.
        limit = page_size * max(1, len(wanted) // MOST_POLLED_ONE_BY_ONE)
        seen: dict[str, StatusUpdate | TwilioError] = {}
        async for row in self._newest(channel, page_size, limit):
            if row.sid in missing:
                missing.remove(row.sid)
                seen[row.sid] = call_update(row) if isinstance(row, Call) else message_update(row)
            # Compared here because Twilio can filter only by the day a call was dialed.
            created = row.date_created
            if not missing or (created and created - oldest < self._twilio.clock_offset):
                break
        return seen

    def _newest(
        self, channel: Channel, page_size: int, limit: int
    ) -> AsyncIterator[Call] | AsyncIterator[Message]:
        if channel == "call":
            return self._twilio.list_calls(page_size=page_size, limit=limit)
        return self._twilio.list_messages(page_size=page_size, limit=limit)


def _now() -> float:
    return asyncio.get_running_loop().time()
