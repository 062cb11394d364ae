"""The OutgoingCallerIds resource over HTTP. https://www.twilio.com/docs/voice/api/outgoing-caller-ids"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.account_resources import caller_id_to_json
from simulator.api.authentication import account_of, require_active
from simulator.api.forms import Form, read_form, read_friendly_name, read_query
from simulator.api.lists import list_page
from simulator.errors import not_found
from simulator.exchange import Exchange
from simulator.filters import matches_number, matches_text
from simulator.models.account import Account
from simulator.models.sids import account_path
from simulator.verification import begin, read_verification


async def caller_ids(request: Request) -> Response:
    """POST begins to verify a number, GET lists those that are verified."""
    account = account_of(request)
    if request.method != "POST":
        return JSONResponse(_list(account, read_query(request)))
    require_active(account)
    exchange: Exchange = request.app.state.exchange
    verification = read_verification(await read_form(request), account)
    call = begin(verification, account, exchange)
    return JSONResponse(verification.to_json(account.sid, call.sid))


async def caller_id(request: Request) -> Response:
    """GET fetches a verified number, POST renames it, DELETE forgets it."""
    account = account_of(request)
    found = account.caller_ids.get(request.path_params["sid"])
    if found is None:
        raise not_found(request.url.path)
    if request.method == "DELETE":
        del account.caller_ids[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        exchange: Exchange = request.app.state.exchange
        found.friendly_name = read_friendly_name(await read_form(request)) or found.friendly_name
        found.date_updated = exchange.clock.now()
    return JSONResponse(caller_id_to_json(found))


def _list(account: Account, query: Form) -> dict[str, object]:
    found = [
        caller_id
        for caller_id in reversed(account.caller_ids.values())
        if matches_number(query, "PhoneNumber", caller_id.number)
        and matches_text(query, "FriendlyName", caller_id.friendly_name)
    ]
    path = f"{account_path(account.sid)}/OutgoingCallerIds.json"
    return list_page(found, "outgoing_caller_ids", path, query, caller_id_to_json)


CALLER_ID_ROUTES = (
    Route(
        "/2010-04-01/Accounts/{account_sid}/OutgoingCallerIds.json",
        caller_ids,
        methods=["GET", "POST"],
    ),
    Route(
        "/2010-04-01/Accounts/{account_sid}/OutgoingCallerIds/{sid}.json",
        caller_id,
        methods=["GET", "POST", "DELETE"],
    ),
)
