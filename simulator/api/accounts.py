"""The Account and Balance resources over HTTP.

https://www.twilio.com/docs/iam/api/account
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.account_resources import account_to_json, balance_to_json
from simulator.api.authentication import account_of, signed_in
from simulator.api.forms import Form, read_form, read_friendly_name, read_query
from simulator.api.lists import list_page
from simulator.api.resources import call_price, message_price
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.filters import matches_text
from simulator.models.account import Account
from simulator.models.sids import API_VERSION

_STATUSES = ("active", "suspended", "closed")


async def accounts(request: Request) -> Response:
    """GET lists the accounts that these credentials open: one, as there are no subaccounts."""
    account, query = signed_in(request), read_query(request)
    is_wanted = matches_text(query, "FriendlyName", account.friendly_name) and matches_text(
        query, "Status", account.status
    )
    found = [account] if is_wanted else []
    path = f"/{API_VERSION}/Accounts.json"
    return JSONResponse(list_page(found, "accounts", path, query, account_to_json))


async def account(request: Request) -> Response:
    """GET fetches the account, POST renames, suspends, reactivates or closes it."""
    found = account_of(request)
    if request.method == "POST":
        _change(found, await read_form(request))
        exchange: Exchange = request.app.state.exchange
        found.date_updated = exchange.clock.now()
    return JSONResponse(account_to_json(found))


async def balance(request: Request) -> Response:
    """GET tells what is left. https://www.twilio.com/docs/usage/api/balance"""
    found = account_of(request)
    exchange: Exchange = request.app.state.exchange
    calls = (call for call in exchange.calls.values() if call.account_sid == found.sid)
    messages = (text for text in exchange.messages.values() if text.account_sid == found.sid)
    spent = sum(map(call_price, calls)) + sum(map(message_price, messages))
    return JSONResponse(balance_to_json(found, spent))


def _change(account: Account, form: Form) -> None:
    friendly_name, status = read_friendly_name(form), form.get("Status")
    if status and status not in _STATUSES:
        raise ApiError(20001, f"Status must be {', '.join(_STATUSES)}.")
    if status and account.status == "closed":
        raise ApiError(20001, "A closed account can't be opened again.")
    account.friendly_name = friendly_name or account.friendly_name
    account.status = status or account.status


ACCOUNT_ROUTES = (
    Route("/2010-04-01/Accounts.json", accounts, methods=["GET"]),
    Route("/2010-04-01/Accounts/{account_sid}.json", account, methods=["GET", "POST"]),
    Route("/2010-04-01/Accounts/{account_sid}/Balance.json", balance, methods=["GET"]),
)
