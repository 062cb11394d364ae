"""What Twilio doesn't have: the routes under `/simulator/`, for the configured account."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, TypeVar, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import require_owner
from simulator.api.forms import read_form
from simulator.api.resources import exchange_of
from simulator.callbacks import CallbackFaults
from simulator.errors import ApiError, not_found
from simulator.faults import Fault, FaultKind, Faults
from simulator.log import RequestLog
from simulator.models.message import LONGEST_BODY_CHARACTERS, Message
from simulator.models.people import person_at
from simulator.models.phone_numbers import is_sender_id, read_number, read_sender

FASTEST = 1_000_000
LONGEST_STEP_SECONDS = 24 * 60 * 60
LONGEST_FAULT_SECONDS = 3600
MOST_FAULT_TIMES = 1_000_000
MOST_BRACKETS = 20

_Default = TypeVar("_Default", float, None)


async def call(request: Request) -> Response:
    """GET tells who was called, what they heard, and what was wrong with the instructions."""
    require_owner(request)
    exchange = exchange_of(request)
    found = exchange.calls.get(request.path_params["sid"])
    if found is None:
        raise not_found(request.url.path)
    person = person_at(found.request.to)
    return JSONResponse(
        {
            "sid": found.sid,
            "to": found.request.to,
            "from": found.request.from_,
            "status": found.status,
            "character": {"name": person.name, "description": person.description},
            "transcript": [asdict(line) for line in found.transcript],
            "errors": [asdict(trouble) for trouble in found.troubles],
        }
    )


async def texts(request: Request) -> Response:
    """GET lists every text to and from a number, oldest first; POST writes one as its owner.

    The form parameters are `Body` and `To` (one of our numbers or short codes, by default the
    first number).
    """
    require_owner(request)
    exchange = exchange_of(request)
    number = read_number(request.path_params["number"])
    if number is None:
        raise ApiError(21211, "Name a telephone number in the path, such as +14125550199.")
    if request.method == "GET":
        return JSONResponse([_text_to_json(message) for message in exchange.texts_of(number)])
    form = await read_form(request)
    to, body = read_sender(form.get("To") or exchange.own_number), form.get("Body")
    if to is None or to == number or is_sender_id(to):
        raise ApiError(21211, f"{form.get('To') or number} can't be written to.")
    if not 0 < len(body) <= LONGEST_BODY_CHARACTERS:
        raise ApiError(21602, f"Body takes 1 to {LONGEST_BODY_CHARACTERS} characters.")
    received = exchange.receive_text(number, to, body)
    return JSONResponse(_text_to_json(received), status_code=201)


def _text_to_json(message: Message) -> dict[str, object]:
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


async def log(request: Request) -> Response:
    """GET lists every request and event so far, oldest first (see Entry); DELETE clears the log."""
    require_owner(request)
    requests: RequestLog = request.app.state.request_log
    if request.method == "DELETE":
        requests.clear()
        return Response(status_code=204)
    return JSONResponse([entry.to_json() for entry in requests.entries])


async def callbacks(request: Request) -> Response:
    """GET tells the callbacks' faults and all deliveries, oldest first; POST sets the faults."""
    require_owner(request)
    exchange = exchange_of(request)
    if request.method == "POST":
        exchange.callbacks.set_faults(await _read_callback_faults(request))
    return JSONResponse(
        {
            "faults": asdict(exchange.callbacks.faults),
            "deliveries": [asdict(delivery) for delivery in exchange.callbacks.deliveries],
        }
    )


async def _read_callback_faults(request: Request) -> CallbackFaults:
    wanted: dict[str, Any] = await _read_json(request)
    names = {field.name for field in fields(CallbackFaults)}
    if not wanted.keys() <= names:
        raise ApiError(20001, f"Callbacks take a JSON object of {', '.join(sorted(names))}.")
    if not all(type(value) in {int, float} for value in wanted.values()):
        raise ApiError(20001, f"{', '.join(sorted(names))} are numbers.")
    try:
        return CallbackFaults(**wanted)
    except ValueError as error:
        raise ApiError(20001, str(error)) from None


async def clock(request: Request) -> Response:
    """GET tells speed, time and date; POST sets the speed (0: time stands still), steps, or both.

    `{"speed": 0, "step": 30}` stops time and lets 30 seconds pass. The response to a step comes
    when all that is due in it has happened.
    """
    require_owner(request)
    exchange = exchange_of(request)
    if request.method == "POST":
        body = await _read_json(request)
        speed = _read_number(body, "speed", None, most=FASTEST)
        step = _read_number(body, "step", None, most=LONGEST_STEP_SECONDS)
        if not body or body.keys() - {"speed", "step"}:
            raise ApiError(20001, "The clock takes a speed, a step, or both.")
        if speed is not None:
            exchange.clock.set_speed(speed)
        if step is not None:
            await exchange.clock.step(step)
    return JSONResponse(
        {
            "speed": exchange.clock.speed,
            "seconds": exchange.clock.seconds(),
            "now": exchange.clock.now().isoformat(timespec="milliseconds"),
        }
    )


async def faults(request: Request) -> Response:
    """POST adds a fault (see Fault), GET lists those still to happen, DELETE clears them all."""
    require_owner(request)
    active: Faults = request.app.state.faults
    if request.method == "POST":
        return JSONResponse(active.add(read_fault(await _read_json(request))), status_code=201)
    if request.method == "DELETE":
        active.clear()
        return Response(status_code=204)
    return JSONResponse(active.to_json())


def read_fault(body: dict[str, object]) -> Fault:
    """Read the fault in a JSON object. Raises ApiError for one that can't happen.

    Without `times` a fault happens once; with a `rate`, and in an outage, until it is cleared.
    """
    unknown = body.keys() - {field.name for field in fields(Fault)}
    if unknown:
        raise ApiError(20001, f"A fault has no {sorted(unknown)[0]!r}.")
    kind = next((kind for kind in get_args(FaultKind) if kind == body.get("kind")), None)
    if kind is None:
        raise ApiError(20001, f"The kind of a fault is one of {', '.join(get_args(FaultKind))}.")
    method, path = body.get("method"), body.get("path", "*")
    if not (method is None or isinstance(method, str)) or not isinstance(path, str):
        raise ApiError(20001, "The method and the path of a fault are text.")
    once = 1 if kind != "outage" and "rate" not in body else None
    return Fault(
        kind=kind,
        method=method.upper() if method else None,
        path=path,
        times=_read_whole_number(body, "times", once, least=1, most=MOST_FAULT_TIMES),
        rate=_read_number(body, "rate", 1.0, most=1),
        seed=_read_whole_number(body, "seed", 0, least=-(2**63), most=2**63) or 0,
        retry_after=_read_whole_number(
            body, "retry_after", None, least=0, most=LONGEST_FAULT_SECONDS
        ),
        seconds=_read_number(body, "seconds", 5.0, most=LONGEST_FAULT_SECONDS),
    )


async def _read_json(request: Request) -> dict[str, object]:
    """Read the object in the body of a request. Raises ApiError for anything else."""
    sent = await request.body()
    try:
        # Count brackets first, because the parser would nest as deep as Python's stack allows.
        is_shallow = sent.count(b"[") + sent.count(b"{") <= MOST_BRACKETS
        body = json.loads(sent) if is_shallow else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(20001, 'Send a JSON object, for example {"speed": 20}.')
    return body


def _read_whole_number(
    body: dict[str, object], name: str, default: int | None, least: int, most: int
) -> int | None:
    value = body.get(name, default)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ApiError(20001, f"{name} must be a whole number from {least} to {most}.")
    return value


def _read_number(
    body: dict[str, object], name: str, default: _Default, most: int
) -> float | _Default:
    if name not in body:
        return default
    value = body[name]
    # JSON may contain NaN, for which this comparison is false as well.
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise ApiError(20001, f"{name} must be a number from 0 to {most}.")
    return float(value)


CONTROL_ROUTES = (
    Route("/simulator/calls/{sid}", call, methods=["GET"]),
    Route("/simulator/texts/{number}", texts, methods=["GET", "POST"]),
    Route("/simulator/log", log, methods=["GET", "DELETE"]),
    Route("/simulator/callbacks", callbacks, methods=["GET", "POST"]),
    Route("/simulator/clock", clock, methods=["GET", "POST"]),
    Route("/simulator/faults", faults, methods=["GET", "POST", "DELETE"]),
)
