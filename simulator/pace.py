"""Calls leave an account's queue one after the other, so many a second.

https://www.twilio.com/docs/voice/api/call-resource#queue-time
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict

from simulator.clock import Clock


class Pace:
    """Each account's queue: `per_second` calls leave it in a simulated second."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        if not (math.isfinite(per_second) and per_second > 0):
            raise ValueError(f"Calls per second must be a number above 0, not {per_second}.")
        self._clock = clock
        self._gap = 1 / per_second
        self._next: dict[str, float] = {}
        self._queues: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def turn(self, account_sid: str) -> float:
        """Wait in the account's queue, unless it is empty and the last call was long ago.

        Returns the simulated seconds that the wait took.
        """
        joined = self._clock.seconds()
        # Only who comes out takes a turn: a call that is canceled here leaves it to the next one.
        async with self._queues[account_sid]:
            turn = max(joined, self._next.get(account_sid, joined))
            if (wait := turn - self._clock.seconds()) > 0:
                await self._clock.sleep(wait)
            self._next[account_sid] = turn + self._gap
        return turn - joined
