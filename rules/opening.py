"""The rules of this process: read when they are first asked for, checked for as long as it runs."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from access.actor import Actor
from alerts import Desk
from settings import Settings, SettingsError

if TYPE_CHECKING:
    from rules.desk import RuleDesk

log = logging.getLogger(__name__)

SECONDS_BETWEEN_OPENINGS = 10.0


class OpenRules:
    """Opens the RuleDesk of a desk, once, and closes it.

    Neither SQLAlchemy nor anything else that rules need is imported before that. Calling it returns
    the RuleDesk, or raises `SettingsError` while sources.toml is wrong.
    """

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._rules: RuleDesk | None = None
        self._opening = asyncio.Lock()

    async def __call__(self) -> RuleDesk:
        """Return the one RuleDesk."""
        async with self._opening:
            if self._rules is None:
                module = await asyncio.to_thread(importlib.import_module, "rules.desk")
                self._rules = module.RuleDesk.from_settings(self._settings, self._desk)
            return self._rules

    def acting_as(self, actor: Actor) -> Callable[[], Awaitable[RuleDesk]]:
        """Return a function that opens the one RuleDesk and returns it acting for `actor`."""

        async def opened() -> RuleDesk:
            return (await self()).acting_as(actor)

        return opened

    async def check(self) -> None:
        """Check what is due until canceled; while sources.toml is wrong, log that and try again."""
        while True:
            try:
                rules = await self()
                break
            except SettingsError as problem:
                log.warning(
                    "Rules aren't checked: %s Trying again every %.0f s.",
                    problem,
                    SECONDS_BETWEEN_OPENINGS,
                )
            await asyncio.sleep(SECONDS_BETWEEN_OPENINGS)
        await rules.checker.run()

    async def close(self) -> None:
        """End the processes that run queries, and close the sources."""
        if self._rules is not None:
            await self._rules.close()
