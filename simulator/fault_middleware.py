"""Faults on order, as the client meets them."""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.dropping import Dropped
from simulator.errors import ApiError
from simulator.fault_order import FaultOrder
from simulator.faults import Faults
from simulator.own_path import is_control, own_path


class FaultMiddleware:
    """Lets requests to the REST API go wrong as ordered; the controls always work.

    The kind of fault is left in `scope["simulator.fault"]`.
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, well or badly. Raises Dropped to have the connection closed."""
        if scope["type"] != "http" or is_control(scope):
            await self._app(scope, receive, send)
            return
        fault = self._faults.take(scope["method"], own_path(scope))
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope["simulator.fault"] = fault.kind
        await self._go_wrong(fault, scope, receive, send)

    async def _go_wrong(
        self, fault: FaultOrder, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.kind == "slow":
            # Real seconds: it is the client's patience that is tried, and that isn't simulated.
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
            return
        if fault.kind in {"500-after", "drop-after"}:
            await self._app(scope, receive, _keep_back)
        if fault.kind in {"drop-before", "drop-after"}:
            raise Dropped
        error = _ERRORS[fault.kind]
        headers = None if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        answer = JSONResponse(error.to_json(), status_code=error.status, headers=headers)
        await answer(scope, receive, send)


_BROKEN = ApiError(20500, "An internal server error has occurred", 500)
_ERRORS = {
    "429": ApiError(20429, "Too Many Requests", 429),
    "500-before": _BROKEN,
    "500-after": _BROKEN,
    "outage": ApiError(20503, "Service unavailable", 503),
}


async def _keep_back(message: Message) -> None:
    """Where an answer goes that the client doesn't get."""
