"""The Calls resource over HTTP. https://www.twilio.com/docs/voice/api/call-resource"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import account_of, require_active
from simulator.api.forms import Form, read_form, read_instructions, read_query
from simulator.api.lists import list_page
from simulator.api.resources import call_to_json
from simulator.call_request import change_call_request, read_call_request
from simulator.errors import ApiError, not_found
from simulator.exchange import Exchange
from simulator.filters import date_filter, matches_number, matches_text
from simulator.models.call import Call
from simulator.models.sids import account_path


async def calls(request: Request) -> Response:
    """POST creates a call, GET lists them."""
    account = account_of(request)
    exchange: Exchange = request.app.state.exchange
    if request.method != "POST":
        return JSONResponse(_list(exchange, account.sid, read_query(request)))
    require_active(account)
    wanted = read_call_request(await read_form(request), account.may_call_from)
    return JSONResponse(call_to_json(exchange.create_call(account.sid, wanted)), status_code=201)


async def call(request: Request) -> Response:
    """GET fetches a call, POST ends or changes it, DELETE forgets one that is over."""
    account = account_of(request)
    exchange: Exchange = request.app.state.exchange
    found = exchange.calls.get(request.path_params["sid"])
    if found is None or found.account_sid != account.sid:
        raise not_found(request.url.path)
    if request.method == "DELETE":
        if not found.is_over:
            raise ApiError(20009, "Cannot delete call because it is still in progress.", 409)
        del exchange.calls[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        _update(exchange, found, await read_form(request))
    return JSONResponse(call_to_json(found))


def _list(exchange: Exchange, account_sid: str, query: Form) -> dict[str, object]:
    starts, ends = date_filter(query, "StartTime"), date_filter(query, "EndTime")
    found = [
        call
        for call in reversed(exchange.calls.values())
        if call.account_sid == account_sid
        and matches_number(query, "To", call.request.to)
        and matches_number(query, "From", call.request.from_)
        and matches_text(query, "Status", call.status)
        and matches_text(query, "ParentCallSid", call.parent_sid or "")
        and starts(call.start_time)
        and ends(call.end_time)
    ]
    path = f"{account_path(account_sid)}/Calls.json"
    return list_page(found, "calls", path, query, call_to_json)


def _update(exchange: Exchange, call: Call, form: Form) -> None:
    """https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource"""
    request, instructions = change_call_request(call.request, form), read_instructions(form)
    status = form.get("Status")
    if status not in {"", "canceled", "completed"}:
        raise ApiError(20001, "Status must be canceled or completed.")
    if (instructions or status) and call.is_over:
        raise ApiError(21220, "Call is not in-progress. Cannot redirect.")
    call.request = request
    if status == "completed" or (status == "canceled" and call.status != "in-progress"):
        exchange.hang_up(call)
    elif instructions is not None:
        exchange.redirect(call, instructions)


CALL_ROUTES = (
    Route("/2010-04-01/Accounts/{account_sid}/Calls.json", calls, methods=["GET", "POST"]),
    Route(
        "/2010-04-01/Accounts/{account_sid}/Calls/{sid}.json",
        call,
        methods=["GET", "POST", "DELETE"],
    ),
)
