"""Setting the clock: `/simulator/clock`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import require_owner
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.json_body import read_json

FASTEST = 1_000_000
LONGEST_STEP_SECONDS = 24 * 60 * 60


async def clock(request: Request) -> Response:
    """GET tells speed and time; POST sets the speed (0: time stands still), steps, or both.

    `{"speed": 0, "step": 30}` stops time and lets 30 seconds pass. The answer to a step comes
    when all that falls into it has happened.
    """
    require_owner(request)
    exchange: Exchange = request.app.state.exchange
    if request.method == "POST":
        await _set(exchange.clock, await read_json(request))
    return JSONResponse({"speed": exchange.clock.speed, "seconds": exchange.clock.seconds()})


async def _set(clock: Clock, body: dict[str, object]) -> None:
    speed = _number(body, "speed", FASTEST)
    step = _number(body, "step", LONGEST_STEP_SECONDS)
    if not body or body.keys() - {"speed", "step"}:
        raise ApiError(20001, "The clock takes a speed, a step, or both.")
    if speed is not None:
        clock.set_speed(speed)
    if step is not None:
        await clock.step(step)


def _number(body: dict[str, object], name: str, most: int) -> float | None:
    if name not in body:
        return None
    value = body[name]
    # A comparison that fails also catches what JSON writes as NaN.
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise ApiError(20001, f"{name} must be a number from 0 to {most}.")
    return value


CLOCK_ROUTES = (Route("/simulator/clock", clock, methods=["GET", "POST"]),)
