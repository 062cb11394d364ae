"""Callbacks at `/simulator/callbacks`: which were sent, and how they come from now on."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import require_owner
from simulator.callbacks import Manners
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.json_body import read_json

_RATES = frozenset(field.name for field in fields(Manners))


async def callbacks(request: Request) -> Response:
    """GET: the manners and all deliveries so far, oldest first. POST: other manners, as JSON."""
    require_owner(request)
    exchange: Exchange = request.app.state.exchange
    if request.method == "POST":
        exchange.callbacks.behave(await _read_manners(request))
    return JSONResponse(
        {
            "manners": asdict(exchange.callbacks.manners),
            "deliveries": [asdict(delivery) for delivery in exchange.callbacks.deliveries],
        }
    )


async def _read_manners(request: Request) -> Manners:
    wanted: dict[str, Any] = await read_json(request)
    if not wanted.keys() <= _RATES:
        raise ApiError(20001, f"Manners are a JSON object of {', '.join(sorted(_RATES))}.")
    if not all(type(value) in {int, float} for value in wanted.values()):
        raise ApiError(20001, "Manners are numbers.")
    try:
        return Manners(**wanted)
    except ValueError as error:
        raise ApiError(20001, str(error)) from None


CALLBACK_ROUTES = (Route("/simulator/callbacks", callbacks, methods=["GET", "POST"]),)
