"""Refused actions: what people tried without permission, recorded in the audit trail."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from access.actor import Actor
from access.audit_entry import Action, AuditEntry, Kind

if TYPE_CHECKING:
    from database.database import Database

log = logging.getLogger(__name__)

# A page may try the same again every few seconds.
SAME_AGAIN_AFTER_SECONDS = 10 * 60.0
MOST_REMEMBERED = 10_000


class RefusedActions:
    """Records refusals in the background, so that saying no doesn't wait for the database.

    The same refusal of one person is recorded once in SAME_AGAIN_AFTER_SECONDS. Use it from one
    event loop.
    """

    def __init__(self, database: Callable[[], Awaitable[Database]]) -> None:
        """`database` returns the open database that the audit trail is in."""
        self._database = database
        self._recorded_at: dict[tuple[str, str], float] = {}
        self._recording: set[asyncio.Task[None]] = set()

    def __call__(self, actor: Actor, tried: str, kind: Kind | None) -> None:
        """Record that an actor wasn't allowed to do what they tried, such as "send an alert"."""
        now, refused = time.monotonic(), (actor.name, tried)
        if now - self._recorded_at.get(refused, -math.inf) < SAME_AGAIN_AFTER_SECONDS:
            return
        if len(self._recorded_at) >= MOST_REMEMBERED:
            self._recorded_at.clear()
        self._recorded_at[refused] = now
        about = f"permission to {tried}"
        entry = AuditEntry.by(actor, Action.REFUSED, kind or Kind.ALERTS, about)
        task = asyncio.create_task(self._record(entry), name="record what was refused")
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def finish(self) -> None:
        """Wait until all refusals are recorded."""
        if self._recording:
            await asyncio.wait(self._recording)

    async def _record(self, entry: AuditEntry) -> None:
        try:
            database = await self._database()
            # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
            from access.audit import write_entries  # noqa: PLC0415

            await database.write(lambda connection: write_entries(connection, [entry]))
        except Exception:
            log.exception("A refused action couldn't be recorded in the audit trail")
