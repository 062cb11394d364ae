"""The OutgoingCallerIds resource: other people's numbers, each verified by a call to it.

https://www.twilio.com/docs/voice/api/outgoing-caller-ids
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.api.authentication import account_of, require_active
from simulator.api.calls import read_call_request
from simulator.api.forms import Form, read_callback, read_form, read_friendly_name, read_query
from simulator.api.lists import list_page, matches_number, matches_text
from simulator.api.resources import caller_id_to_json, exchange_of, find_record, resource_routes
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.models.account import Account, CallerId
from simulator.models.call import Call, CallEvent, request_parameters
from simulator.models.people import person_at
from simulator.models.phone_numbers import for_display, read_number
from simulator.models.webhooks import Callback

VERIFICATION_NUMBER = "+14157234000"
"""The number from which Twilio calls people to verify theirs."""


async def caller_ids(request: Request) -> Response:
    """POST starts to verify a number, GET lists those that are verified."""
    account = account_of(request)
    if request.method != "POST":
        return JSONResponse(_list(account, read_query(request)))
    require_active(account)
    verification = _read_verification(await read_form(request), account)
    call = _start(verification, account, exchange_of(request))
    return JSONResponse(
        {
            "account_sid": account.sid,
            "call_sid": call.sid,
            "friendly_name": verification.friendly_name,
            "phone_number": verification.number,
            "validation_code": verification.code,
        }
    )


async def caller_id(request: Request) -> Response:
    """GET fetches a verified number, POST renames it, DELETE removes it."""
    account = account_of(request)
    found = find_record(request, account.caller_ids, account.sid)
    if request.method == "DELETE":
        del account.caller_ids[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        found.friendly_name = read_friendly_name(await read_form(request)) or found.friendly_name
        found.date_updated = exchange_of(request).clock.now()
    return JSONResponse(_to_json(found))


def _list(account: Account, query: Form) -> dict[str, object]:
    found = [
        caller_id
        for caller_id in reversed(account.caller_ids.values())
        if matches_number(query, "PhoneNumber", caller_id.number)
        and matches_text(query, "FriendlyName", caller_id.friendly_name)
    ]
    path = f"{account.path}/OutgoingCallerIds.json"
    return list_page(found, "outgoing_caller_ids", path, query, _to_json)


def _to_json(caller_id: CallerId) -> dict[str, object]:
    return caller_id_to_json(caller_id, "OutgoingCallerIds")


@dataclass(frozen=True)
class _Verification:
    """A number (E.164) that the account wants to call from, and the code that its owner is told.

    `callback` is told how it ended.
    """

    number: str
    friendly_name: str
    code: str
    callback: Callback | None = None


def _read_verification(form: Form, account: Account) -> _Verification:
    """Read the verification that `form` asks for. Raises ApiError.

    https://www.twilio.com/docs/voice/api/outgoing-caller-ids#add-an-outgoing-caller-id
    """
    text = form.get("PhoneNumber")
    number = read_number(text)
    if number is None:
        raise ApiError(21401, f"PhoneNumber is not a valid phone number: {text}")
    if account.may_call_from(number):
        raise ApiError(21450, "Phone number already validated for your account.")
    name = read_friendly_name(form) or for_display(number)
    code = f"{secrets.randbelow(10**6):06}"
    return _Verification(number, name, code, read_callback(form, "StatusCallback"))


def _start(verification: _Verification, account: Account, exchange: Exchange) -> Call:
    """Call the number; a person who hears the code to the end keys it in, which verifies it.

    The call starts at once, whatever CallDelay says. Raises ApiError for numbers that can't be
    called.
    """
    spoken = " ".join(verification.code)
    twiml = f"<Response><Say>Your verification code is {spoken}.</Say></Response>"
    pairs = (("To", verification.number), ("From", VERIFICATION_NUMBER), ("Twiml", twiml))
    request = read_call_request(Form(pairs), VERIFICATION_NUMBER.__eq__)
    call = exchange.create_call(account.sid, request)

    def conclude(call: Call, event: CallEvent) -> None:
        if event != "completed":
            return
        result = [("VerificationStatus", "failed")]
        if _was_heard(call):
            name, now = verification.friendly_name, exchange.clock.now()
            caller_id = CallerId(account.sid, verification.number, now, name)
            account.add_caller_id(caller_id)
            result = [("VerificationStatus", "success"), ("OutgoingCallerIdSid", caller_id.sid)]
        if verification.callback is not None:
            parameters = [*request_parameters(call), *result]
            exchange.send_callback(call, verification.callback, parameters)

    call.observers.append(conclude)
    return call


def _was_heard(call: Call) -> bool:
    hung_up = any(line.kind == "hangup" for line in call.transcript)
    is_machine = person_at(call.request.to).is_machine
    return call.status == "completed" and not hung_up and not is_machine


CALLER_ID_ROUTES = resource_routes("OutgoingCallerIds", caller_ids, caller_id)
