"""What the list of rules shows, read once for all visitors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from access.actor import Permission
from rules.checker import RuleChecker
from rules.desk import RuleDesk
from rules.overview import RuleOverview


class Overviews:
    """Reads the overview of rules for all visitors of this process."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._read_at = 0.0
        self._found: Sequence[RuleOverview] = ()

    async def read(self, rules: RuleDesk, most_seconds: float = 0) -> Sequence[RuleOverview]:
        """Return the overview, at most `most_seconds` old. Raises `NotAllowed`."""
        rules.actor.require(Permission.LOOK)
        asked_at = time.monotonic()
        async with self._reading:
            # Another visitor may have read it while this one waited.
            if self._read_at < asked_at - most_seconds or not self._read_at:
                began_at = time.monotonic()
                self._found = await rules.overview()
                self._read_at = began_at
            return self._found


_OVERVIEWS: WeakKeyDictionary[RuleChecker, Overviews] = WeakKeyDictionary()


def overviews_of(rules: RuleDesk) -> Overviews:
    """Return the one reader for all RuleDesks that share their checks."""
    return _OVERVIEWS.setdefault(rules.checker, Overviews())
