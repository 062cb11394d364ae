"""The simulator as an ASGI app."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.account_routes import ACCOUNT_ROUTES
from simulator.authentication import Credentials
from simulator.call_routes import CALL_ROUTES
from simulator.clock import Clock
from simulator.controls import CONTROL_ROUTES
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.message_routes import MESSAGE_ROUTES
from simulator.phone_numbers import SIMULATOR_FROM_NUMBER, read_number
from simulator.request_log import RequestLog, RequestLogMiddleware
from simulator.twiml_fetch import TwimlFetcher


def create_app(
    *,
    account_sid: str | None = None,
    auth_token: str | None = None,
    from_number: str = SIMULATOR_FROM_NUMBER,
    speed: float = 1.0,
    fetch_transport: httpx.AsyncBaseTransport | None = None,
) -> Starlette:
    """Twilio's REST API under `/2010-04-01`, and the simulator's own controls under `/simulator`.

    With `account_sid` and `auth_token` only that account may come in; without them every
    well-formed account SID may, with any password. `from_number` is the number the account owns,
    `speed` how many simulated seconds pass in one. TwiML is fetched through `fetch_transport`,
    or over the network. The app needs no start or stop events; serve it from one event loop.
    Raises ValueError for arguments that can't be.
    """
    own_number = read_number(from_number)
    if own_number is None:
        raise ValueError(f"{from_number} is not a telephone number. Write it as +14125550100.")
    if (account_sid is None) != (auth_token is None):
        raise ValueError("Set both the account SID and the auth token, or neither.")
    log = RequestLog()
    app = Starlette(
        routes=[*CALL_ROUTES, *MESSAGE_ROUTES, *ACCOUNT_ROUTES, *CONTROL_ROUTES],
        middleware=[Middleware(RequestLogMiddleware, log=log)],
        exception_handlers={
            ApiError: _refuse,
            404: _not_found,
            405: _method_not_allowed,
            Exception: _broken,
        },
    )
    app.state.request_log = log
    app.state.exchange = Exchange(Clock(speed), TwimlFetcher(fetch_transport), own_number)
    app.state.credentials = (
        None if account_sid is None or auth_token is None else Credentials(account_sid, auth_token)
    )
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - Starlette's signature is wider than its use
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else None
    return JSONResponse(error.to_json(), status_code=error.status, headers=headers)


async def _not_found(request: Request, error: Exception) -> Response:
    message = f"The requested resource {request.url.path} was not found"
    return await _refuse(request, ApiError(20404, message, 404))


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    return await _refuse(request, ApiError(20004, "Method not allowed", 405))


async def _broken(request: Request, error: Exception) -> Response:
    return await _refuse(request, ApiError(20500, "An internal server error has occurred", 500))
