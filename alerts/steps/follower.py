"""Step 4: looking at every open call and text of this process until nothing more can happen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import get_args

from alerts.alert import Channel, Event, Problem
from alerts.status import Status
from alerts.steps.followed import NO_WORD, POLLING, SAFETY_NET, Followed, Watch
from alerts.steps.looking import MANY, Looks
from alerts.steps.observations import Observation, event_of
from twilio_client import TwilioClient, TwilioError, TwilioRefused

log = logging.getLogger(__name__)

# As long as no look succeeds, the end may have come unseen: giving up can wait.
GIVE_UP_UNSEEN_AFTER = timedelta(days=1)


class Follower:
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
        found: dict[str, Observation | TwilioError] = {}
        try:
            found = await self._look.at_many(channel, [watch.followed for watch in watches])
        except Exception:
            log.exception("Looking at many at once went wrong; looking at each")
        for watch in watches:
            self._start(self._attend_to(watch, found.get(watch.followed.sid)))

    async def _attend_to(
        self, watch: Watch, found: Observation | TwilioError | None = None
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

    async def _report(self, watch: Watch, news: Observation) -> None:
        if news != watch.told and watch in self._watches:
            followed = watch.followed
            event = event_of(news, followed.try_number, "poll", followed.sid)
            await self._tell(followed.alert_id, event)
            watch.told = news
        if news.is_final:
            self._forget(watch)


def _despite(error: TwilioError, watch: Watch) -> Observation:
    """What a failed look says after all; mostly nothing but what was told already."""
    if isinstance(error, TwilioRefused) and error.status == HTTPStatus.NOT_FOUND:
        # What is very new may not be known everywhere at Twilio yet: once is no proof.
        if watch.is_missing:
            problem = Problem.of(error)
            return Observation(Status.UNKNOWN, "Twilio won't say what became of it", problem)
        watch.is_missing = True
    return NO_WORD if watch.overdue >= GIVE_UP_UNSEEN_AFTER else watch.told


def _now() -> float:
    return asyncio.get_running_loop().time()
