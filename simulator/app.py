"""The simulator as an ASGI app."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.api.accounts import ACCOUNT_ROUTES
from simulator.api.authentication import FirstPasswords, read_credentials
from simulator.api.calls import CALL_ROUTES
from simulator.api.empty_lists import EMPTY_LIST_ROUTES
from simulator.api.incoming_phone_numbers import NUMBER_ROUTES
from simulator.api.media import MEDIA_ROUTES
from simulator.api.messages import MESSAGE_ROUTES
from simulator.api.outgoing_caller_ids import CALLER_ID_ROUTES
from simulator.api.recordings import RECORDING_ROUTES
from simulator.api.short_codes import SHORT_CODE_ROUTES
from simulator.clock import Clock
from simulator.controls import CONTROL_ROUTES
from simulator.errors import ApiError, not_found
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.http_client import Signer, WebhookClient
from simulator.log import EventLog, RequestLog
from simulator.middleware import (
    BodyLimitMiddleware,
    DropMiddleware,
    FaultMiddleware,
    RequestLogMiddleware,
)
from simulator.models.account import (
    OPENING_BALANCE_DOLLARS,
    SIMULATOR_ACCOUNT_SID,
    SIMULATOR_AUTH_TOKEN,
)
from simulator.models.phone_numbers import SIMULATOR_FROM_NUMBER, is_short_code, require_number
from simulator.representations import RepresentationMiddleware


def create_app(
    *,
    account_sid: str | None = None,
    auth_token: str | None = None,
    api_key_sid: str | None = None,
    api_key_secret: str | None = None,
    from_number: str = SIMULATOR_FROM_NUMBER,
    short_codes: Sequence[str] = (),
    speed: float = 1.0,
    calls_per_second: float = 1.0,
    fetch_transport: httpx.AsyncBaseTransport | None = None,
    sms_url: str = "",
    on_trial: bool = False,
    opening_balance: float = OPENING_BALANCE_DOLLARS,
) -> Starlette:
    """Twilio's REST API under `/2010-04-01`, and the simulator's own controls under `/simulator`.

    With `account_sid` and `auth_token` only that account may sign in; without them every
    well-formed account SID may, with the first password it was used with. An API key may sign in
    for the account.

    `from_number` is the number that the account owns, `short_codes` those that it also texts from.
    `speed` is how many simulated seconds pass in one (0: time stands still until it is stepped),
    `calls_per_second` how fast each account's calls leave the queue.

    TwiML is fetched, and callbacks are sent, through `fetch_transport`, or over the network.
    `sms_url` is where texts to the configured account's number are reported, as if its webhook had
    been set to that. With `on_trial` accounts reach only numbers that they verified.
    `opening_balance` is in US dollars. The app needs no start or stop events; serve it from one
    event loop. Raises ValueError for unusable arguments.
    """
    own_number = require_number(from_number)
    for code in short_codes:
        if not is_short_code(code):
            raise ValueError(f"{code} is not a short code. Write 3 to 8 digits, such as 72525.")
    credentials = read_credentials(account_sid, auth_token, api_key_sid, api_key_secret)
    clock, faults = Clock(speed), Faults()
    log = RequestLog(clock)
    app = Starlette(
        routes=[
            # The empty lists first: the routes of a record would take the last word for a SID.
            *EMPTY_LIST_ROUTES,
            *RECORDING_ROUTES,
            *MEDIA_ROUTES,
            *CALL_ROUTES,
            *MESSAGE_ROUTES,
            *ACCOUNT_ROUTES,
            *NUMBER_ROUTES,
            *CALLER_ID_ROUTES,
            *SHORT_CODE_ROUTES,
            *CONTROL_ROUTES,
        ],
        middleware=[
            Middleware(DropMiddleware),
            Middleware(BodyLimitMiddleware),
            Middleware(RequestLogMiddleware, log=log),
            Middleware(RepresentationMiddleware),
            Middleware(FaultMiddleware, faults=faults),
        ],
        exception_handlers={
            ApiError: _refuse,
            404: _not_found,
            405: _method_not_allowed,
            Exception: _broken,
        },
    )
    app.state.request_log = log
    app.state.faults = faults
    signer = Signer(auth_token or SIMULATOR_AUTH_TOKEN)
    app.state.exchange = Exchange(
        clock,
        WebhookClient(clock, signer, log, fetch_transport),
        own_number,
        short_codes=tuple(short_codes),
        events=EventLog(log),
        home_account=account_sid or SIMULATOR_ACCOUNT_SID,
        calls_per_second=calls_per_second,
        on_trial=on_trial,
        opening_balance=opening_balance,
    )
    account = app.state.exchange.accounts.get(account_sid or SIMULATOR_ACCOUNT_SID)
    if sms_url and (owned := account.owned(own_number)):
        owned.settings["sms_url"] = sms_url
    app.state.credentials = credentials
    app.state.first_passwords = FirstPasswords(signer)
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - Starlette's signature is wider than its use
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else None
    return JSONResponse(error.to_json(), status_code=error.status, headers=headers)


async def _not_found(request: Request, error: Exception) -> Response:
    return await _refuse(request, not_found(request.url.path))


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    return await _refuse(request, ApiError(20004, "Method not allowed", 405))


async def _broken(request: Request, error: Exception) -> Response:
    response = await _refuse(request, ApiError(20500, "An internal server error has occurred", 500))
    # Starlette raises the exception again, and the server may close the connection because of it.
    response.headers["Connection"] = "close"
    return response
