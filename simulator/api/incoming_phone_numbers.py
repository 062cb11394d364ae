"""The IncomingPhoneNumbers resource over HTTP.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.account_resources import number_to_json
from simulator.api.authentication import account_of, require_active
from simulator.api.forms import Form, read_form, read_query
from simulator.api.lists import list_page
from simulator.errors import not_found
from simulator.exchange import Exchange
from simulator.filters import matches_text
from simulator.models.account import Account, PhoneNumber
from simulator.models.sids import account_path
from simulator.number_request import change_number, read_number_to_buy


async def numbers(request: Request) -> Response:
    """POST buys a number, GET lists them."""
    account = account_of(request)
    exchange: Exchange = request.app.state.exchange
    if request.method != "POST":
        return JSONResponse(_list(account, read_query(request)))
    require_active(account)
    form = await read_form(request)
    wanted = read_number_to_buy(form, account)
    bought = PhoneNumber(account.sid, wanted, exchange.clock.now())
    change_number(bought, form)
    account.add(bought)
    return JSONResponse(number_to_json(bought), status_code=201)


async def number(request: Request) -> Response:
    """GET fetches a number, POST changes its settings, DELETE gives it back."""
    account = account_of(request)
    exchange: Exchange = request.app.state.exchange
    found = account.numbers.get(request.path_params["sid"])
    if found is None:
        raise not_found(request.url.path)
    if request.method == "DELETE":
        del account.numbers[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        change_number(found, await read_form(request))
        found.date_updated = exchange.clock.now()
    return JSONResponse(number_to_json(found))


def _list(account: Account, query: Form) -> dict[str, object]:
    pattern = _number_pattern(query.get("PhoneNumber"))
    found = [
        number
        for number in reversed(account.numbers.values())
        if pattern.search(number.number)
        and matches_text(query, "FriendlyName", number.friendly_name)
        and matches_text(query, "Origin", "twilio")
    ]
    path = f"{account_path(account.sid)}/IncomingPhoneNumbers.json"
    return list_page(found, "incoming_phone_numbers", path, query, number_to_json)


def _number_pattern(partial: str) -> re.Pattern[str]:
    """Part of a number, in which an asterisk stands for any digit."""
    plain = re.sub(r"[\s().\-]", "", partial)
    return re.compile("".join(r"\d" if sign == "*" else re.escape(sign) for sign in plain))


NUMBER_ROUTES = (
    Route(
        "/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers.json",
        numbers,
        methods=["GET", "POST"],
    ),
    Route(
        "/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}.json",
        number,
        methods=["GET", "POST", "DELETE"],
    ),
)
