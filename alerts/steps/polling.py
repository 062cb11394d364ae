"""Asking Twilio about every open call and text of this process until nothing more can happen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import get_args

from alerts.alert import Channel, Event, Problem
from alerts.status import Status
from alerts.steps.poll_schedule import POLLING, SAFETY_NET, PlacedTry, PollSchedule
from alerts.twilio_status import StatusUpdate, call_update, message_update
from twilio_client import (
    Call,
    Message,
    TwilioClient,
    TwilioError,
    TwilioRateLimited,
    TwilioRefused,
)

log = logging.getLogger(__name__)

MOST_REQUESTS = 10
# However long Twilio asks us to wait: people want to hear what became of their alerts.
LONGEST_PAUSE_SECONDS = 60.0
# More than this many are looked up in the list, which shows a thousand at once.
MOST_ONE_BY_ONE = 20
LARGEST_PAGE = 1000
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
LIST_MARGIN = timedelta(minutes=2)
# While no poll succeeds, the end may have come unseen: giving up can wait.
GIVE_UP_UNSEEN_AFTER = timedelta(days=1)
NO_WORD = StatusUpdate(Status.UNKNOWN, "No word of its end ever came")


class StatusPoller:
    """Polls Twilio about calls and texts, less and less often, and reports what is new.

    `report(alert_id, event)` may take its time; where it raises, a later poll reports again. With
    `callbacks` Twilio brings the news by itself, and polling is only a safety net. Use it from one
    event loop.
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
        self._intervals = SAFETY_NET if callbacks else POLLING
        self._schedules: set[PollSchedule] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_running = self._is_closed = False
        self._wake = asyncio.Event()
        self._wakes_at = 0.0

    @contextmanager
    def polling(self, placed: PlacedTry) -> Iterator[None]:
        """Poll it for as long as the block lasts, or up to its final status.

        Twilio being out of reach for a while changes nothing: the call itself goes on without us.
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
        """Don't wait for its next turn: there is reason to think that it is over."""
        for schedule in self._schedules:
            if schedule.placed == placed:
                schedule.poll_soon(_now())
                self._wake_for(schedule)

    async def close(self) -> None:
        """Poll nothing any more, and report nothing any more."""
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
        if len(soon) > MOST_ONE_BY_ONE:
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
            log.exception("Polling many at once went wrong; polling each")
        for schedule in schedules:
            self._start(self._poll(schedule, found.get(schedule.placed.sid)))

    async def _poll(
        self, schedule: PollSchedule, found: StatusUpdate | TwilioError | None = None
    ) -> None:
        """Report what was found, or what a request of its own finds."""
        try:
            found = found or await self._reader.read(schedule.placed)
            if isinstance(found, TwilioError):
                await self._report(schedule, _despite(found, schedule))
                schedule.back_off(_now())
            else:
                schedule.is_missing, schedule.sent_at = False, found.sent_at
                is_lost = schedule.overdue >= timedelta() and not found.is_final
                await self._report(schedule, NO_WORD if is_lost else found)
                schedule.poll_again(_now())
        except Exception:  # one alert's trouble must not stop the others
            log.exception("Polling for alert %s went wrong; trying again", schedule.placed.alert_id)
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
    """Reads statuses: few requests at once, and none while Twilio asks for a pause."""

    def __init__(self, twilio: TwilioClient) -> None:
        self._twilio = twilio
        self._requests = asyncio.Semaphore(MOST_REQUESTS)
        self._paused_until = 0.0
        self._is_refused = False

    async def read(self, placed: PlacedTry) -> StatusUpdate | TwilioError:
        """What Twilio says about one call or text now, or why that can't be known."""
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
        """The same by SID, from the list; those left out are better read one by one."""
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
            # More than once, for meanwhile another request may have been told to wait.
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
        oldest = min(placed.placed_at for placed in wanted) - LIST_MARGIN
        # On an account with other traffic ours are spread out among it.
        page_size = min(LARGEST_PAGE, 4 * len(wanted))
        # More pages would cost more than reading each.
        limit = page_size * max(1, len(wanted) // MOST_ONE_BY_ONE)
        seen: dict[str, StatusUpdate | TwilioError] = {}
        async for row in self._newest(channel, page_size, limit):
            if row.sid in missing:
                missing.remove(row.sid)
                seen[row.sid] = call_update(row) if isinstance(row, Call) else message_update(row)
            # Checked here because Twilio filters by the day on which it was dialed.
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


def _despite(error: TwilioError, schedule: PollSchedule) -> StatusUpdate:
    """What a failed poll says after all; mostly nothing but what was reported already."""
    if isinstance(error, TwilioRefused) and error.status == HTTPStatus.NOT_FOUND:
        # What is very new may not be known everywhere at Twilio yet: once is no proof.
        if schedule.is_missing:
            problem = Problem.of(error)
            return StatusUpdate(Status.UNKNOWN, "Twilio won't say what became of it", problem)
        schedule.is_missing = True
    return NO_WORD if schedule.overdue >= GIVE_UP_UNSEEN_AFTER else schedule.reported


def _now() -> float:
    return asyncio.get_running_loop().time()
