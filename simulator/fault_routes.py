"""Ordering faults: `/simulator/faults`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import require_owner
from simulator.fault_order import read_order
from simulator.faults import Faults
from simulator.json_body import read_json


async def faults(request: Request) -> Response:
    """POST orders faults (see FaultOrder), GET lists what is on order, DELETE clears it all."""
    require_owner(request)
    standing: Faults = request.app.state.faults
    if request.method == "POST":
        return JSONResponse(standing.add(read_order(await read_json(request))), status_code=201)
    if request.method == "DELETE":
        standing.clear()
        return Response(status_code=204)
    return JSONResponse(standing.to_json())


FAULT_ROUTES = (Route("/simulator/faults", faults, methods=["GET", "POST", "DELETE"]),)
