"""The Messages resource over HTTP. https://www.twilio.com/docs/messaging/api/message-resource"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.authentication import require_account
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.filters import date_filter, matches_number
from simulator.form import Form, read_form, read_query
from simulator.listing import list_page
from simulator.message import Message
from simulator.message_request import read_message_request
from simulator.resources import account_path, message_to_json


async def messages(request: Request) -> Response:
    """POST sends a text, GET lists them."""
    account_sid = request.path_params["account_sid"]
    require_account(request, account_sid)
    exchange: Exchange = request.app.state.exchange
    if request.method != "POST":
        return JSONResponse(_list(exchange, account_sid, read_query(request)))
    wanted = read_message_request(await read_form(request), exchange.own_number)
    sent = exchange.create_message(account_sid, wanted)
    return JSONResponse(message_to_json(sent), status_code=201)


async def message(request: Request) -> Response:
    """GET fetches a text, POST redacts it."""
    account_sid = request.path_params["account_sid"]
    require_account(request, account_sid)
    exchange: Exchange = request.app.state.exchange
    found = exchange.messages.get(request.path_params["sid"])
    if found is None or found.account_sid != account_sid:
        raise ApiError(20404, f"The requested resource {request.url.path} was not found", 404)
    if request.method == "POST":
        _update(found, await read_form(request))
    return JSONResponse(message_to_json(found))


def _list(exchange: Exchange, account_sid: str, query: Form) -> dict[str, object]:
    was_sent = date_filter(query, "DateSent")
    found = [
        message
        for message in reversed(exchange.messages.values())
        if message.account_sid == account_sid
        and matches_number(query, "To", message.request.to)
        and matches_number(query, "From", message.from_)
        and was_sent(message.date_sent)
    ]
    path = f"{account_path(account_sid)}/Messages.json"
    return list_page(found, "messages", path, query, message_to_json)


def _update(message: Message, form: Form) -> None:
    """https://www.twilio.com/docs/messaging/api/message-resource#update-a-message-resource"""
    if form.get("Status"):
        # Only scheduled texts can be canceled, and the simulator takes none.
        raise ApiError(30409, "This message cannot be canceled.")
    if "Body" not in form:
        return
    if form.get("Body"):
        raise ApiError(20001, "Body must be empty: a text can be redacted, not rewritten.")
    if not message.is_over:
        raise ApiError(20009, "Cannot redact message because delivery has not been completed.")
    message.redact()


MESSAGE_ROUTES = (
    Route("/2010-04-01/Accounts/{account_sid}/Messages.json", messages, methods=["GET", "POST"]),
    Route(
        "/2010-04-01/Accounts/{account_sid}/Messages/{sid}.json",
        message,
        methods=["GET", "POST"],
    ),
)
