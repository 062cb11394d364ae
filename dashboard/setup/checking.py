"""Making the checks once for all visitors of this process, in the background."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shiny import reactive

from alerts import Desk
from dashboard.background import in_background, show
from doctor import Check, Line, examine
from doctor.check import Lines
from settings import Settings

if TYPE_CHECKING:
    from rules.desk import RuleDesk

log = logging.getLogger(__name__)

# Visitors see results that are up to this old.
FRESH_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Report:
    """All checks in order, each with its lines, None until they are known.

    `is_running`: some may still change. `done_at` is when the last examination ended.
    """

    checks: tuple[tuple[Check, Lines | None], ...] = ()
    is_running: bool = False
    done_at: datetime | None = None

    @property
    def lines(self) -> list[Line]:
        """All lines that are known, in order."""
        return [line for _, lines in self.checks for line in lines or ()]

    def worst(self, *names: str) -> Line | None:
        """Return the first broken line of these checks, else the first to do, else None."""
        found = [
            line for check, lines in self.checks if check.name in names for line in lines or ()
        ]
        for verdict in ("broken", "to do"):
            if line := next((each for each in found if each.verdict == verdict), None):
                return line
        return None


class Checking:
    """Makes all checks, and remembers what they found. For one event loop.

    Checks go on as long as any visitor looks at the page.
    """

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        open_rules: Callable[[], Awaitable[RuleDesk]] | None = None,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._open_rules = open_rules
        self._report: reactive.Value[Report] = reactive.Value(Report())
        self._examining: asyncio.Task[None] | None = None
        self._visitors = 0
        self._done = 0.0

    def report(self) -> Report:
        """Return what is known; a reactive read."""
        return self._report()

    def enter(self) -> None:
        """Count a visitor, for whom `begin` may be called."""
        self._visitors += 1

    def leave(self) -> None:
        """Count one visitor less; when the last one leaves, checks under way are canceled."""
        self._visitors -= 1
        if not self._visitors and self._examining:
            self._examining.cancel()

    def begin(self, *, even_if_fresh: bool = False) -> None:
        """Start all checks, unless they are running, or ran a short while ago."""
        is_fresh = self._done and time.monotonic() - self._done < FRESH_SECONDS
        is_running = self._examining is not None and not self._examining.done()
        if not is_running and (even_if_fresh or not is_fresh):
            self._examining = in_background(self._examine(), "checking the setup")

    async def _examine(self) -> None:
        # An examination that is canceled half-way doesn't count.
        self._done = 0.0
        try:
            # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
            module = await asyncio.to_thread(importlib.import_module, "doctor.all_checks")
            checks = module.checks_of(self._settings, self._desk, self._open_rules)
            with reactive.isolate():
                before = {check.name: lines for check, lines in self._report().checks}
            # Earlier results stay until there are new ones, so that nothing jumps.
            found = {each.name: before.get(each.name) for each in checks}
            await self._show(checks, found)
            async with aclosing(examine(checks)) as results:
                async for check, lines in results:
                    found[check.name] = lines
                    await self._show(checks, found)
            self._done = time.monotonic()
            await self._show(checks, found, done_at=datetime.now(UTC))
        except Exception:
            log.exception("The setup couldn't be checked")
            await self._show([], {}, done_at=datetime.now(UTC))

    async def _show(
        self,
        checks: list[Check],
        found: dict[str, Lines | None],
        done_at: datetime | None = None,
    ) -> None:
        with reactive.isolate():
            last = self._report().done_at
        pairs = tuple((each, found[each.name]) for each in checks)
        report = Report(pairs, is_running=done_at is None, done_at=done_at or last)
        await show({self._report: report})
