"""What many visitors look at, read once for all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedReading(Generic[T]):
    """The latest of what is read for all visitors of this process; one of them reads at a time."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._latest: tuple[float, T] | None = None

    @property
    def was_read(self) -> bool:
        """Whether it has been read at all."""
        return self._latest is not None

    def latest(self, most_seconds: float) -> T | None:
        """Return what was read last, without waiting; None if that is older than `most_seconds`."""
        if self._latest is None:
            return None
        read_at, found = self._latest
        return found if time.monotonic() - read_at < most_seconds else None

    async def read(self, read: Callable[[], Awaitable[T]], most_seconds: float = 0) -> T:
        """Return what `read` returns, or what it returned at most `most_seconds` ago."""
        asked_at = time.monotonic()
        async with self._reading:
            # Another visitor may have read it while this one waited.
            if self._latest is not None and self._latest[0] >= asked_at - most_seconds:
                return self._latest[1]
            began_at = time.monotonic()
            found = await read()
            self._latest = began_at, found
            return found
