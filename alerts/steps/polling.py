"""Looking at calls and texts at Twilio: one by one, or many in its list of recent ones."""

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
from alerts.steps.poll_schedule import NO_WORD, POLLING, SAFETY_NET, Followed, Watch
from alerts.twilio_status import StatusUpdate, call_update, event_of, message_update
from twilio_client import (
    Call,
    Message,
    TwilioClient,
    TwilioError,
    TwilioRateLimited,
    TwilioRefused,
)

log = logging.getLogger(__name__)

MOST_AT_ONCE = 10
# However long Twilio asks us to wait: people want to hear what became of their alerts.
LONGEST_PAUSE = 60.0  # seconds
# More than so many are looked up in the list.
MANY = 20
LARGEST_PAGE = 1000
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
MARGIN = timedelta(minutes=2)


class Looks:
    """Looks at Twilio, few at once, and none while it asks for a pause."""

    def __init__(self, twilio: TwilioClient) -> None:
        self._twilio = twilio
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)
        self._paused_until = 0.0
        self._is_refused = False

    async def at(self, followed: Followed) -> StatusUpdate | TwilioError:
        """What Twilio says of one call or text now, or why that can't be known."""
        try:
            async with self._turn():
                if followed.channel == "call":
                    return call_update(await self._twilio.fetch_call(followed.sid))
                return message_update(await self._twilio.fetch_message(followed.sid))
        except TwilioError as error:
            return error

    async def at_many(
        self, channel: Channel, wanted: Sequence[Followed]
    ) -> dict[str, StatusUpdate | TwilioError]:
        """The same by SID, from the list; those left out are better looked at one by one."""
        try:
            async with self._turn():
                return await self._read_list(channel, wanted)
        except TwilioRefused:
            return {}  # An API key may be allowed to look at each but not at the list.
        except TwilioError as error:
            return {followed.sid: error for followed in wanted}

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        async with self._at_once:
            # Again and again, for meanwhile another request may have been told to wait.
            while (left := self._paused_until - loop.time()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(left)
            try:
                yield
            except TwilioRateLimited as too_fast:
                pause = min(too_fast.retry_after or 1.0, LONGEST_PAUSE)
                self._paused_until = max(self._paused_until, loop.time() + pause)
                raise
            except TwilioRefused as refusal:
                # Of one that is missing the alert itself tells.
                if refusal.status != HTTPStatus.NOT_FOUND and not self._is_refused:
                    self._is_refused = True
                    log.warning("Twilio doesn't let us look at calls and texts: %s", refusal)
                raise
            self._is_refused = False

    async def _read_list(
        self, channel: Channel, wanted: Sequence[Followed]
    ) -> dict[str, StatusUpdate | TwilioError]:
        missing = {followed.sid for followed in wanted}
        oldest = min(followed.placed_at for followed in wanted) - MARGIN
        # On an account with other traffic ours are spread out among it.
        page_size = min(LARGEST_PAGE, 4 * len(wanted))
        # More pages would cost more than looking at each.
        rows = self._newest(channel, page_size, page_size * max(1, len(wanted) // MANY))
        seen: dict[str, StatusUpdate | TwilioError] = {}
        async for row in rows:
            if row.sid in missing:
                missing.remove(row.sid)
                seen[row.sid] = call_update(row) if isinstance(row, Call) else message_update(row)
            # Read here and not filtered there: Twilio filters by the day it was dialled.
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


log = logging.getLogger(__name__)

# As long as no look succeeds, the end may have come unseen: giving up can wait.
GIVE_UP_UNSEEN_AFTER = timedelta(days=1)


class StatusPoller:
    """Looks at calls and texts at Twilio, ever less often, and tells what is new.

    `tell(alert_id, event)` may take its time; where it raises, a later look tells again.
    With `callbacks` Twilio brings the news by itself, and the looks are only a safety net.
    Use it from one event loop.
    """

    def __init__(
        self,
        twilio: TwilioClient,
        tell: Callable[[str, Event], Awaitable[object]],
        *,
        callbacks: bool = False,
    ) -> None:
        self._look = Looks(twilio)
        self._tell = tell
        self._pace = SAFETY_NET if callbacks else POLLING
        self._watches: set[Watch] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_scheduling = self._is_closed = False
        self._wake = asyncio.Event()
        self._wakes_at = 0.0

    @contextmanager
    def following(self, followed: Followed) -> Iterator[None]:
        """Look at it for as long as the block lasts, or up to its final status.

        Twilio being out of reach for a while changes nothing: the call itself goes on without us.
        """
        watch = Watch(followed, self._pace, _now())
        self._watches.add(watch)
        self._wake_for(watch)
        if not self._is_scheduling:
            self._is_scheduling = True
            self._start(self._schedule())
        try:
            yield
        finally:
            self._forget(watch)

    def look_soon(self, followed: Followed) -> None:
        """Don't wait for its next turn: there is reason to think that it is over."""
        for watch in self._watches:
            if watch.followed == followed:
                watch.look_soon(_now())
                self._wake_for(watch)

    async def close(self) -> None:
        """Look at nothing any more, and tell nothing any more."""
        self._is_closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        if self._is_closed:
            work.close()
            return
        task = asyncio.create_task(work, name="following")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _schedule(self) -> None:
        while self._watches:
            self._wake.clear()
            for channel in get_args(Channel):
                self._look_at_due(channel)
            idle = [watch.next_at for watch in self._watches if not watch.is_busy]
            self._wakes_at = min(idle, default=float("inf"))
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._wakes_at if idle else None):
                    await self._wake.wait()
        self._is_scheduling = False

    def _wake_for(self, watch: Watch) -> None:
        if watch.next_at < self._wakes_at:
            self._wake.set()

    def _forget(self, watch: Watch) -> None:
        self._watches.discard(watch)
        if not self._watches:
            self._wake.set()

    def _look_at_due(self, channel: Channel) -> None:
        now = _now()
        ours = [watch for watch in self._watches if watch.followed.channel == channel]
        due = [watch for watch in ours if watch.is_due(now)]
        soon = [watch for watch in ours if watch.may_be_looked_at(now)] if due else []
        if len(soon) > MANY:
            for watch in soon:
                watch.is_busy = True
            self._start(self._attend_to_many(channel, soon))
            return
        for watch in due:
            watch.is_busy = True
            self._start(self._attend_to(watch))

    async def _attend_to_many(self, channel: Channel, watches: Sequence[Watch]) -> None:
        found: dict[str, StatusUpdate | TwilioError] = {}
        try:
            found = await self._look.at_many(channel, [watch.followed for watch in watches])
        except Exception:
            log.exception("Looking at many at once went wrong; looking at each")
        for watch in watches:
            self._start(self._attend_to(watch, found.get(watch.followed.sid)))

    async def _attend_to(
        self, watch: Watch, found: StatusUpdate | TwilioError | None = None
    ) -> None:
        """Tell what was found; a look of its own finds it if nothing was yet."""
        try:
            found = found or await self._look.at(watch.followed)
            if isinstance(found, TwilioError):
                await self._report(watch, _despite(found, watch))
                watch.back_off(_now())
            else:
                watch.is_missing, watch.sent_at = False, found.sent_at
                is_lost = watch.overdue >= timedelta() and not found.is_final
                await self._report(watch, NO_WORD if is_lost else found)
                watch.look_again(_now())
        except Exception:  # one alert's trouble must not stop the others
            log.exception("Following alert %s went wrong; trying again", watch.followed.alert_id)
            watch.back_off(_now())
        watch.is_busy = False
        self._wake_for(watch)

    async def _report(self, watch: Watch, news: StatusUpdate) -> None:
        if news != watch.told and watch in self._watches:
            followed = watch.followed
            event = event_of(news, followed.try_number, "poll", followed.sid)
            await self._tell(followed.alert_id, event)
            watch.told = news
        if news.is_final:
            self._forget(watch)


def _despite(error: TwilioError, watch: Watch) -> StatusUpdate:
    """What a failed look says after all; mostly nothing but what was told already."""
    if isinstance(error, TwilioRefused) and error.status == HTTPStatus.NOT_FOUND:
        # What is very new may not be known everywhere at Twilio yet: once is no proof.
        if watch.is_missing:
            problem = Problem.of(error)
            return StatusUpdate(Status.UNKNOWN, "Twilio won't say what became of it", problem)
        watch.is_missing = True
    return NO_WORD if watch.overdue >= GIVE_UP_UNSEEN_AFTER else watch.told


def _now() -> float:
    return asyncio.get_running_loop().time()
