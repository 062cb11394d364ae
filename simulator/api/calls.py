"""The Calls resource. https://www.twilio.com/docs/voice/api/call-resource"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.api.authentication import account_of, require_active
from simulator.api.empty_lists import CALL_LISTS
from simulator.api.forms import (
    Form,
    read_callback,
    read_fallback,
    read_flag,
    read_form,
    read_instructions,
    read_phone_number,
    read_query,
)
from simulator.api.lists import date_filter, list_page, matches_number, matches_text
from simulator.api.resources import (
    exchange_of,
    find_record,
    price_to_json,
    resource_routes,
    rfc_2822,
    subresource_uris,
)
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.models.account import Account
from simulator.models.call import LONGEST_CALL_SECONDS, Call, CallRequest
from simulator.models.phone_numbers import CALL_FROM, CALL_TO, for_display
from simulator.models.sids import API_VERSION, number_sid
from simulator.models.webhooks import call_events
from simulator.untrusted_text import whole_number

LONGEST_RING_SECONDS = 600
SHORTEST_DETECTION_SECONDS, LONGEST_DETECTION_SECONDS = 3, 59

_DETECTION_MODES = frozenset({"Enable", "DetectMessageEnd"})
_SEND_DIGITS = re.compile(r"[0-9A-D#*wW]{0,32}")
_SUBRESOURCES = (*CALL_LISTS, "Recordings")


async def calls(request: Request) -> Response:
    """POST creates a call, GET lists them."""
    account, exchange = account_of(request), exchange_of(request)
    if request.method != "POST":
        return JSONResponse(_list(exchange, account, read_query(request)))
    require_active(account)
    wanted = read_call_request(await read_form(request), account.may_call_from)
    if not account.may_reach(wanted.to):
        raise ApiError(
            21219,
            f"The number {wanted.to} is unverified. Trial accounts may only make calls to "
            "verified numbers.",
        )
    placed = exchange.create_call(account.sid, wanted, str(request.base_url).rstrip("/"))
    return JSONResponse(_to_json(placed), status_code=201)


async def call(request: Request) -> Response:
    """GET fetches a call, POST ends or changes it, DELETE deletes one that is over."""
    account, exchange = account_of(request), exchange_of(request)
    found = find_record(request, exchange.calls, account.sid)
    if request.method == "DELETE":
        if not found.is_over:
            raise ApiError(20009, "Cannot delete call because it is still in progress.", 409)
        del exchange.calls[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        _update(exchange, found, await read_form(request))
    return JSONResponse(_to_json(found))


def _list(exchange: Exchange, account: Account, query: Form) -> dict[str, object]:
    starts, ends = date_filter(query, "StartTime"), date_filter(query, "EndTime")
    found = [
        call
        for call in reversed(exchange.calls.values())
        if call.account_sid == account.sid
        and matches_number(query, "To", call.request.to)
        and matches_number(query, "From", call.request.from_)
        and matches_text(query, "Status", call.status)
        and matches_text(query, "ParentCallSid", call.parent_sid or "")
        and starts(call.start_time)
        and ends(call.end_time)
    ]
    return list_page(found, "calls", f"{account.path}/Calls.json", query, _to_json)


def _update(exchange: Exchange, call: Call, form: Form) -> None:
    """https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource"""
    request = replace(
        call.request,
        fallback=read_fallback(form) or call.request.fallback,
        time_limit=_read_seconds(form, "TimeLimit", call.request.time_limit, LONGEST_CALL_SECONDS),
        status_callback=read_callback(form, "StatusCallback") or call.request.status_callback,
    )
    instructions, status = read_instructions(form), form.get("Status")
    if status not in {"", "canceled", "completed"}:
        raise ApiError(20001, "Status must be canceled or completed.")
    if (instructions or status) and call.is_over:
        raise ApiError(21220, "Call is not in-progress. Cannot redirect.")
    call.request = request
    if status == "completed" or (status == "canceled" and call.status != "in-progress"):
        exchange.hang_up(call)
    elif instructions is not None:
        exchange.redirect(call, instructions)


def read_call_request(form: Form, may_call_from: Callable[[str], bool]) -> CallRequest:
    """Read the call that `form` asks for, from a number that the account may use.

    Raises ApiError. https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
    """
    to = read_phone_number(
        form,
        "To",
        CALL_TO,
        missing=(21201, "No 'To' number is specified"),
        invalid=(21211, "The phone number you are attempting to call, {number}, is not valid."),
    )
    from_ = _read_from(form, may_call_from)
    instructions = read_instructions(form)
    if instructions is None:
        if form.get("ApplicationSid"):
            raise ApiError(21218, "ApplicationSid is not valid: this account has no applications.")
        raise ApiError(21205, "Url parameter is required.")
    if not _SEND_DIGITS.fullmatch(form.get("SendDigits")):
        raise ApiError(21206, "SendDigits may hold 32 of the characters 0-9, A-D, #, *, w and W.")
    detection = form.get("MachineDetection")
    return CallRequest(
        to=to,
        from_=from_,
        instructions=instructions,
        fallback=read_fallback(form),
        timeout=_read_seconds(form, "Timeout", default=60, most=LONGEST_RING_SECONDS),
        time_limit=_read_seconds(form, "TimeLimit", LONGEST_CALL_SECONDS, LONGEST_CALL_SECONDS),
        machine_detection=detection if detection in _DETECTION_MODES else None,
        detects_in_background=read_flag(form, "AsyncAmd"),
        detection_timeout=_read_seconds(
            form,
            "MachineDetectionTimeout",
            30,
            LONGEST_DETECTION_SECONDS,
            least=SHORTEST_DETECTION_SECONDS,
        ),
        detection_callback=read_callback(form, "AsyncAmdStatusCallback"),
        status_callback=read_callback(form, "StatusCallback"),
        status_events=call_events(" ".join(form.get_all("StatusCallbackEvent"))),
    )


def _read_from(form: Form, may_call_from: Callable[[str], bool]) -> str:
    from_ = read_phone_number(
        form,
        "From",
        CALL_FROM,
        missing=(21213, "No 'From' number is specified"),
        invalid=(21212, "The 'From' number {number} is not a valid phone number."),
    )
    if not may_call_from(from_):
        raise ApiError(
            21210,
            f"The source phone number provided, {from_}, is not yet verified for your account. "
            "You may only make calls from phone numbers that you've verified or purchased "
            "from Twilio.",
        )
    return from_


def _read_seconds(form: Form, name: str, default: int, most: int, least: int = 1) -> int:
    text = form.get(name)
    if not text:
        return default
    seconds = whole_number(text)
    if seconds is None or not least <= seconds <= most:
        raise ApiError(21208, f"{name} must be a whole number of seconds from {least} to {most}.")
    return seconds


def _to_json(call: Call) -> dict[str, object]:
    """https://www.twilio.com/docs/voice/api/call-resource#call-properties"""
    return {
        "sid": call.sid,
        "account_sid": call.account_sid,
        "to": call.request.to,
        "to_formatted": for_display(call.request.to),
        "from": call.request.from_,
        "from_formatted": for_display(call.request.from_),
        "status": call.status,
        "direction": call.direction,
        "date_created": rfc_2822(call.date_created),
        "date_updated": rfc_2822(call.date_updated),
        "start_time": rfc_2822(call.start_time),
        "end_time": rfc_2822(call.end_time),
        "duration": None if call.duration is None else str(call.duration),
        "answered_by": call.answered_by,
        "price": price_to_json(call.price),
        "price_unit": "USD",
        "queue_time": str(round(call.queue_seconds * 1000)),
        "api_version": API_VERSION,
        "parent_call_sid": call.parent_sid,
        "phone_number_sid": number_sid(call.account_sid, call.request.from_),
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "trunk_sid": None,
        "uri": f"{call.path}.json",
        "subresource_uris": subresource_uris(call.path, _SUBRESOURCES),
    }


CALL_ROUTES = resource_routes("Calls", calls, call)
