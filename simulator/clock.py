"""The simulator's clock: the date, how long waits take, and what is due when."""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

LOOP_TURNS_TO_SETTLE = 20
"""Turns of the event loop after which every task that was woken has reached its next wait."""


FURTHEST_AHEAD_SECONDS = 100 * 365 * 86_400
"""How far the date may run ahead of the real one: Python's dates end in the year 9999."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(order=True)
class _Alarm:
    at: float
    number: int
    call: Callable[[], None] = field(compare=False)
    is_off: bool = field(default=False, compare=False)


class Clock:
    """Time for one exchange; every wait of its calls and texts goes through here.

    `speed` is how many simulated seconds pass in one real second: at 20, a call of a minute is
    over in three seconds; at 0 time passes only in a `step`. The date starts as the real one and
    goes on at the same speed. Raises ValueError for a speed below 0.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._elapsed = 0.0
        self._since = self._made = time.monotonic()
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._speed = _checked(speed)
        self._alarms: list[_Alarm] = []
        self._alarms_set = self._alarms_off = 0
        self._timer: asyncio.TimerHandle | None = None
        self._requests_under_way = 0
        self._stepping = asyncio.Lock()

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one; 0 while time stands still."""
        return self._speed

    def now(self) -> datetime:
        """Return the simulated date and time, in UTC; no two are the same.

        At speed 1 it is the machine's, even after that was set or the machine slept.
        """
        ahead = self.seconds() - (time.monotonic() - self._made)
        moment = datetime.now(UTC) + timedelta(seconds=min(ahead, FURTHEST_AHEAD_SECONDS))
        # Lists are in order of date, also while time stands still.
        self._latest = max(moment, self._latest + _MICROSECOND)
        return self._latest

    def seconds(self) -> float:
        """Return the simulated seconds since the clock was made."""
        return self._elapsed + (time.monotonic() - self._since) * self._speed

    def set_speed(self, speed: float) -> None:
        """Go on at another speed, waits included. Raises ValueError for a speed below 0."""
        checked = _checked(speed)
        self._set_seconds(self.seconds())
        self._speed = checked
        self._start_timer()

    async def sleep(self, seconds: float) -> None:
        """Wait this many simulated seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = self._set_alarm(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            self._turn_off(alarm)

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """A block that raises TimeoutError after this many simulated seconds."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as timeout:
            alarm = self._set_alarm(max(seconds, 0), lambda: timeout.reschedule(loop.time()))
            try:
                yield timeout
            finally:
                self._turn_off(alarm)

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for `event`, at most this many simulated seconds; return whether it came."""
        try:
            async with self.limit(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        """A block that waits for another server: it takes no simulated time in a step."""
        self._requests_under_way += 1
        try:
            yield
        finally:
            self._requests_under_way -= 1

    async def step(self, seconds: float) -> None:
        """Let this much simulated time pass at once: all that is due in it happens, in order.

        Returns when every call and text waits again. Raises ValueError unless `seconds` is 0 or
        more.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"A step must be a number of seconds from 0, not {seconds}.")
        async with self._stepping:
            target = self.seconds() + seconds
            await self._settle()
            while (alarm := self._next_alarm()) is not None and alarm.at <= target:
                self._set_seconds(max(alarm.at, self.seconds()))
                self._call_due()
                await self._settle()
            self._set_seconds(max(target, self.seconds()))
            self._start_timer()

    def _set_alarm(self, seconds: float, call: Callable[[], None]) -> _Alarm:
        self._alarms_set += 1
        alarm = _Alarm(self.seconds() + seconds, self._alarms_set, call)
        heapq.heappush(self._alarms, alarm)
        if self._alarms[0] is alarm:
            self._start_timer()
        return alarm

    def _turn_off(self, alarm: _Alarm) -> None:
        if alarm.is_off:
            return
        alarm.is_off = True
        self._alarms_off += 1
        # Most limits are never reached. Without this their alarms would pile up until they are due.
        if self._alarms_off > 100 and self._alarms_off > len(self._alarms) / 2:
            self._alarms = [kept for kept in self._alarms if not kept.is_off]
            heapq.heapify(self._alarms)
            self._alarms_off = 0

    def _next_alarm(self) -> _Alarm | None:
        while self._alarms and self._alarms[0].is_off:
            heapq.heappop(self._alarms)
            self._alarms_off -= 1
        return self._alarms[0] if self._alarms else None

    def _call_due(self) -> None:
        now = self.seconds()
        while (alarm := self._next_alarm()) is not None and alarm.at <= now:
            heapq.heappop(self._alarms)
            alarm.is_off = True
            alarm.call()

    def _start_timer(self) -> None:
        """Let the event loop wake this clock for the next alarm; one timer serves all of them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        alarm = self._next_alarm()
        if alarm is not None and self._speed > 0:
            delay = max(alarm.at - self.seconds(), 0) / self._speed
            self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._call_due()
        self._start_timer()

    def _set_seconds(self, seconds: float) -> None:
        self._elapsed, self._since = seconds, time.monotonic()

    async def _settle(self) -> None:
        turns = 0
        while turns < LOOP_TURNS_TO_SETTLE:
            # Other servers answer in real time. A short real wait keeps the processor free for it.
            await asyncio.sleep(0.001 if self._requests_under_way else 0)
            turns = 0 if self._requests_under_way else turns + 1


async def run_until(event: asyncio.Event, work: Coroutine[object, object, object]) -> bool:
    """Do `work`, but cancel it when `event` comes; return whether it was finished.

    Raises what `work` raises.
    """
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        working.result()
        return True
    finally:
        working.cancel()
        waiting.cancel()
        # Until it has ended, canceled work could still change the call.
        await asyncio.wait({working, waiting})


def _checked(speed: float) -> float:
    if not (math.isfinite(speed) and speed >= 0):
        raise ValueError(f"The simulator's speed must be 0 or a number above 0, not {speed}.")
    return speed
