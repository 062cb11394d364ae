"""A database that can't be reached for a while is waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from alerts.database.errors import in_words, is_passing

# Seconds between two tries.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class Outage:
    """Tries again for as long as it takes; the log tells once that it began and that it is over."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._told = False

    async def outlast(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """What `attempt` gives in the end; raises whatever waiting doesn't cure."""
        pause = FIRST_PAUSE
        while True:
            try:
                result = await attempt()
            except Exception as error:
                if not is_passing(error):
                    raise
                self._began(error)
            else:
                if pause > FIRST_PAUSE:
                    self._ended()
                return result
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _began(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning("Waiting for %s: %s.", self._place, in_words(error))

    def _ended(self) -> None:
        if self._told:
            self._told = False
            _log.info("%s is back.", self._place.capitalize())
