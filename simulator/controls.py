"""What Twilio doesn't have: looking into a call from the other end, and the log of requests."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import require_owner
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.log import RequestLog
from simulator.models.people import person_at


async def call(request: Request) -> Response:
    """Who was called, what they heard, and what was wrong with the instructions."""
    require_owner(request)
    exchange: Exchange = request.app.state.exchange
    found = exchange.calls.get(request.path_params["sid"])
    if found is None:
        raise ApiError(20404, f"The requested resource {request.url.path} was not found", 404)
    person = person_at(found.request.to)
    return JSONResponse(
        {
            "sid": found.sid,
            "to": found.request.to,
            "from": found.request.from_,
            "status": found.status,
            "character": {"name": person.name, "description": person.description},
            "transcript": [asdict(line) for line in found.transcript],
            "errors": [asdict(trouble) for trouble in found.troubles],
        }
    )


async def log(request: Request) -> Response:
    """GET tells every request and event so far, oldest first (see Entry); DELETE forgets them."""
    require_owner(request)
    requests: RequestLog = request.app.state.request_log
    if request.method == "DELETE":
        requests.clear()
        return Response(status_code=204)
    return JSONResponse([entry.to_json() for entry in requests.entries])


CONTROL_ROUTES = (
    Route("/simulator/calls/{sid}", call, methods=["GET"]),
    Route("/simulator/log", log, methods=["GET", "DELETE"]),
)
