"""The simulator's time: what the date is, and how long a wait takes."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime


class Clock:
    """Time for one exchange.

    `speed` is how many simulated seconds pass in one real second: at 20, a call of a minute is
    over in three seconds. Dates stay real, so that clients may compare them with their own.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"The simulator's speed must be a number above 0, not {speed}.")
        self._speed = speed

    def now(self) -> datetime:
        """The real date and time, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Simulated seconds since an arbitrary moment, for measuring how long something took."""
        return time.monotonic() * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait this many simulated seconds."""
        await asyncio.sleep(seconds / self._speed)

    def limit(self, seconds: float) -> asyncio.Timeout:
        """A block that raises TimeoutError after this many simulated seconds."""
        return asyncio.timeout(max(seconds, 0) / self._speed)
