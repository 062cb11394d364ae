"""Texts from the other end at `/simulator/texts/{number}`: read somebody's, and write as them."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import require_owner
from simulator.api.forms import read_form
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.message_request import LONGEST_BODY
from simulator.models.message import Message
from simulator.models.phone_numbers import read_number


async def texts(request: Request) -> Response:
    """GET: every text to and from a number, oldest first. POST with the form parameters `Body`
    and `To` (one of ours, by default the first): somebody writes."""
    require_owner(request)
    exchange: Exchange = request.app.state.exchange
    number = read_number(request.path_params["number"])
    if number is None:
        raise ApiError(21211, "Name a telephone number in the path, such as +14125550199.")
    if request.method == "GET":
        return JSONResponse([_to_json(message) for message in exchange.text_box(number)])
    form = await read_form(request)
    to = read_number(form.get("To") or exchange.own_number)
    if to is None or to == number:
        raise ApiError(21211, f"{form.get('To') or number} can't be written to.")
    if not 0 < len(form.get("Body")) <= LONGEST_BODY:
        raise ApiError(21602, f"Body takes 1 to {LONGEST_BODY} characters.")
    return JSONResponse(_to_json(exchange.reply(number, to, form.get("Body"))), status_code=201)


def _to_json(message: Message) -> dict[str, object]:
    return {
        "sid": message.sid,
        "from": message.from_,
        "to": message.request.to,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "error_code": message.error_code,
        "errors": [asdict(trouble) for trouble in message.troubles],
    }


TEXT_ROUTES = (Route("/simulator/texts/{number}", texts, methods=["GET", "POST"]),)
