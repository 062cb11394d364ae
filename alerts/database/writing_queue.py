"""Group commit: everything that waits to be written goes into one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from alerts.database.transactions import Failed
from alerts.errors import DatabaseError

# More would let the first ones wait for too long.
MOST_TOGETHER = 200

Item = TypeVar("Item")


class WritingQueue(Generic[Item]):
    """Hands what waits to `commit`, all that there is at once; an idle queue at once.

    `commit` gives the outcome of each, as `transactions.commit_together` does.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], Awaitable[list[Any]]]) -> None:
        self._commit = commit
        self._waiting: deque[tuple[Item, asyncio.Future[Any]]] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def write(self, item: Item) -> Any:
        """The outcome of `item`, once that is committed; raises what it raised."""
        written: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        return await written

    async def close(self, seconds: float) -> None:
        """Wait until all is written; what isn't after `seconds` raises `DatabaseError`."""
        if self._committing and not self._committing.done():
            await asyncio.wait({self._committing}, timeout=seconds)
            self._committing.cancel()
            await asyncio.wait({self._committing})

    async def _commit_all(self) -> None:
        together: list[tuple[Item, asyncio.Future[Any]]] = []
        try:
            while self._waiting:
                together = [
                    self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))
                ]
                outcomes = await self._commit([item for item, _ in together])
                for (_, written), outcome in zip(together, outcomes, strict=True):
                    _tell(written, outcome)
        finally:
            # Empty, unless something came between: nobody may wait for ever.
            unwritten = DatabaseError("The database was closed before this could be written.")
            for _, written in (*together, *self._waiting):
                _tell(written, Failed(unwritten))
            self._waiting.clear()


def _tell(written: asyncio.Future[Any], outcome: Any) -> None:
    if written.done():
        # Who waited was cancelled.
        return
    if isinstance(outcome, Failed):
        written.set_exception(outcome.error)
    else:
        written.set_result(outcome)
