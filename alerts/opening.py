"""Opening: what all desks of a process share: the services and the Runtime.

The Runtime is opened once, when it is first needed. Closing first finishes what is being saved.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from access.refused_actions import RefusedActions
from alerts.services import Mode, Services
from database import DatabaseError

if TYPE_CHECKING:
    from alerts.runtime import Runtime
    from database.database import Database

Result = TypeVar("Result")


class Opening:
    """Opens the Runtime of some services, once, and closes it. Use it from one event loop."""

    def __init__(self, services: Services, mode: Mode) -> None:
        self.services = services
        self.refused = RefusedActions(self._database)
        self._mode = mode
        self._opening: asyncio.Task[Runtime] | None = None
        self._saving: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def close(self) -> None:
        """Finish what is being saved, then close the Runtime and every connection."""
        await asyncio.gather(*self._saving, return_exceptions=True)
        await self.refused.finish()
        self._closed = True
        if opening := self._opening:
            # If opening failed, the callers that waited for it have had the error.
            await asyncio.wait({opening})
            if not opening.cancelled() and not opening.exception():
                await opening.result().close()
        await self.services.close()

    def warm_up(self) -> asyncio.Task[Runtime]:
        """Start opening in the background, so that the first use needn't wait for it.

        Raises `DatabaseError` once it is closed.
        """
        if self._closed:
            raise DatabaseError("This desk is closed.")
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._forget_failure)
        return self._opening

    async def runtime(self) -> Runtime:
        """Return the one Runtime, opened. Raises `DatabaseError` if the database can't be used."""
        opening = self.warm_up()
        return opening.result() if opening.done() else await asyncio.shield(opening)

    async def _database(self) -> Database:
        return (await self.runtime()).database

    @property
    def delivers(self) -> bool:
        """Whether this process delivers alerts now: it is open, and no worker process does it."""
        opening = self._opening
        if opening is None or not opening.done() or opening.cancelled() or opening.exception():
            return False
        return opening.result().worker is not None

    async def finished(self, save: Callable[[Runtime], Awaitable[Result]]) -> Result:
        """Run `save` to its end, even if the caller goes away, and return its result."""

        async def saving() -> Result:
            return await save(await self.runtime())

        task = asyncio.create_task(saving())
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)
        return await asyncio.shield(task)

    async def until_saved(self) -> None:
        """Wait for what is being saved right now, so that the caller can ask about it."""
        if self._saving:
            await asyncio.wait(self._saving)

    def _forget_failure(self, opening: asyncio.Task[Runtime]) -> None:
        """Let the next caller try to open again: the database may be back by then."""
        if opening.cancelled() or opening.exception():
            self._opening = None

    async def _open(self) -> Runtime:
        await asyncio.to_thread(_import_for_sending, self.services)
        from alerts.runtime import Runtime  # noqa: PLC0415

        runtime = Runtime(self.services, self._mode)
        try:
            await runtime.open()
        except BaseException:
            await runtime.close()
            raise
        return runtime


def _import_for_sending(services: Services) -> None:
    """Import what sending needs, so that neither the first page nor the first alert waits for it.

    Takes up to half a second, so call it in a thread.
    """
    modules = ["phonenumbers.geocoder", "alerts.message.templates", "alerts.runtime"]
    modules.append("simulator.app" if services.simulator else "twilio_client.transport")
    for name in modules:
        importlib.import_module(name)
