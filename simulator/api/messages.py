"""The Messages resource over HTTP. https://www.twilio.com/docs/messaging/api/message-resource"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import account_of, require_active
from simulator.api.forms import Form, read_form, read_query
from simulator.api.lists import list_page
from simulator.api.resources import message_to_json
from simulator.errors import ApiError, not_found
from simulator.exchange import Exchange
from simulator.filters import date_filter, matches_number
from simulator.message_request import read_message_request
from simulator.models.message import Message
from simulator.models.sids import account_path


async def messages(request: Request) -> Response:
    """POST sends a text, GET lists them."""
    account = account_of(request)
    exchange: Exchange = request.app.state.exchange
    if request.method != "POST":
        return JSONResponse(_list(exchange, account.sid, read_query(request)))
    require_active(account)
    wanted = read_message_request(
        await read_form(request), exchange.own_number, account.may_text_from
    )
    sent = exchange.create_message(account.sid, wanted)
    return JSONResponse(message_to_json(sent), status_code=201)


async def message(request: Request) -> Response:
    """GET fetches a text, POST redacts it, DELETE forgets one that is over."""
    account = account_of(request)
    exchange: Exchange = request.app.state.exchange
    found = exchange.messages.get(request.path_params["sid"])
    if found is None or found.account_sid != account.sid:
        raise not_found(request.url.path)
    if request.method == "DELETE":
        _require_over(found, "delete")
        del exchange.messages[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        _update(exchange, found, await read_form(request))
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


def _update(exchange: Exchange, message: Message, form: Form) -> None:
    """https://www.twilio.com/docs/messaging/api/message-resource#update-a-message-resource"""
    if form.get("Status") not in {"", "canceled"}:
        raise ApiError(20001, "Status must be canceled.")
    if form.get("Status"):
        if message.status != "scheduled":
            raise ApiError(30409, "This message cannot be canceled.")
        exchange.cancel(message)
        return
    if "Body" not in form:
        return
    if form.get("Body"):
        raise ApiError(20001, "Body must be empty: a text can be redacted, not rewritten.")
    _require_over(message, "redact")
    message.redact()


def _require_over(message: Message, deed: str) -> None:
    if not message.is_over:
        text = f"Cannot {deed} message because delivery has not been completed."
        raise ApiError(20009, text, status=409)


MESSAGE_ROUTES = (
    Route("/2010-04-01/Accounts/{account_sid}/Messages.json", messages, methods=["GET", "POST"]),
    Route(
        "/2010-04-01/Accounts/{account_sid}/Messages/{sid}.json",
        message,
        methods=["GET", "POST", "DELETE"],
    ),
)
