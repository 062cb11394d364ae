"""Calls leave an account's queue one after the other, so many a second.

https://www.twilio.com/docs/voice/api/call-resource#queue-time
"""

from __future__ import annotations

import math

from simulator.clock import Clock


class Pace:
    """Each account's queue: `per_second` calls leave it in a simulated second."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        if not (math.isfinite(per_second) and per_second > 0):
            raise ValueError(f"Calls per second must be a number above 0, not {per_second}.")
        self._clock = clock
        self._gap = 1 / per_second
        self._next: dict[str, float] = {}

    async def turn(self, account_sid: str) -> float:
        """Wait in the account's queue, unless it is empty and the last call was long ago.

        Returns the simulated seconds that the wait took.
        """
        now = self._clock.seconds()
        turn = max(now, self._next.get(account_sid, now))
        self._next[account_sid] = turn + self._gap
        if turn > now:
            await self._clock.sleep(turn - now)
        return turn - now
