"""The Account resource over HTTP. https://www.twilio.com/docs/iam/api/account"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.authentication import require_account
from simulator.exchange import Exchange
from simulator.resources import account_to_json


async def account(request: Request) -> Response:
    """GET fetches the account."""
    account_sid = request.path_params["account_sid"]
    require_account(request, account_sid)
    exchange: Exchange = request.app.state.exchange
    return JSONResponse(account_to_json(account_sid, exchange.opened))


ACCOUNT_ROUTES = (Route("/2010-04-01/Accounts/{account_sid}.json", account, methods=["GET"]),)
