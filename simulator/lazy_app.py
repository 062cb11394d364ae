"""The simulator as an ASGI app that is built when it is first used.

Importing it takes up to 0.1 s, which the first page of an app with a simulator inside needn't wait
for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from simulator.exchange import Exchange


class LazyApp:
    """The app that `build` returns, which may import `simulator.app` only then.

    Use it from one event loop.
    """

    def __init__(self, build: Callable[[], Starlette]) -> None:
        self._build = build

    @cached_property
    def app(self) -> Starlette:
        """The app itself; its `state` has the exchange, the log of requests, and the faults."""
        return self._build()

    @property
    def exchange(self) -> Exchange:
        """The app's exchange, with every simulated call and text."""
        exchange: Exchange = self.app.state.exchange
        return exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. https://asgi.readthedocs.io/en/latest/specs/www.html"""
        await self.app(scope, receive, send)
