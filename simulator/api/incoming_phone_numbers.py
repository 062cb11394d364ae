"""The IncomingPhoneNumbers resource: the numbers that an account owns.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import account_of, require_active
from simulator.api.forms import (
    Form,
    read_flag,
    read_form,
    read_friendly_name,
    read_method,
    read_query,
    read_url,
)
from simulator.api.lists import list_page, matches_text
from simulator.api.resources import (
    ACCOUNT_PATTERN,
    caller_id_to_json,
    exchange_of,
    find_record,
    resource_routes,
    snake_case,
)
from simulator.errors import ApiError
from simulator.models.account import Account, PhoneNumber
from simulator.models.phone_numbers import (
    AREA_CODE_TO_BUY_FROM,
    AREA_CODE_WITHOUT_NUMBERS,
    NUMBER_TO_BUY,
    VALID_FROM,
    read_number,
    refuse_if_magic,
)
from simulator.models.sids import API_VERSION, is_sid
from simulator.untrusted_text import whole_number

_LINES = range(100, 200)
"""The last three digits of the numbers for sale in each area code."""


async def numbers(request: Request) -> Response:
    """POST buys a number, GET lists them."""
    account = account_of(request)
    if request.method != "POST":
        return JSONResponse(_list(account, read_query(request)))
    require_active(account)
    form = await read_form(request)
    wanted = _read_number_to_buy(form, account)
    bought = PhoneNumber(account.sid, wanted, exchange_of(request).clock.now())
    _change(bought, form)
    account.add_number(bought)
    return JSONResponse(_to_json(bought), status_code=201)


async def number(request: Request) -> Response:
    """GET fetches a number, POST changes its settings, DELETE releases it."""
    account = account_of(request)
    found = find_record(request, account.numbers, account.sid)
    if request.method == "DELETE":
        del account.numbers[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        _change(found, await read_form(request))
        found.date_updated = exchange_of(request).clock.now()
    return JSONResponse(_to_json(found))


def _list(account: Account, query: Form) -> dict[str, object]:
    pattern = _number_pattern(query.get("PhoneNumber"))
    found = [
        number
        for number in reversed(account.numbers.values())
        if pattern.search(number.number)
        and matches_text(query, "FriendlyName", number.friendly_name)
        and matches_text(query, "Origin", "twilio")
    ]
    path = f"{account.path}/IncomingPhoneNumbers.json"
    return list_page(found, "incoming_phone_numbers", path, query, _to_json)


def _number_pattern(partial_number: str) -> re.Pattern[str]:
    """Return a pattern for part of a number, in which an asterisk stands for any digit."""
    plain = re.sub(r"[\s().\-]", "", partial_number)
    return re.compile("".join(r"\d" if sign == "*" else re.escape(sign) for sign in plain))


def _read_number_to_buy(form: Form, account: Account) -> str:
    """Read the number (E.164) to buy: itself, or any in an area code. Raises ApiError."""
    text, area_code = form.get("PhoneNumber"), form.get("AreaCode")
    if not text and area_code:
        return _find_in(area_code, account)
    number = read_number(text)
    if number is not None:
        refuse_if_magic(number, NUMBER_TO_BUY)
    if number is None:
        raise ApiError(21421, f"PhoneNumber is invalid: {text or 'none was given'}.")
    if account.owned(number):
        raise ApiError(21422, f"{number} is not available.")
    return number


def _find_in(area_code: str, account: Account) -> str:
    if area_code == AREA_CODE_TO_BUY_FROM:
        return VALID_FROM
    if whole_number(area_code) is None or len(area_code) != 3:
        raise ApiError(21451, f"Invalid area code: {area_code}.")
    for line in _LINES if area_code != AREA_CODE_WITHOUT_NUMBERS else ():
        number = read_number(f"+1{area_code}5550{line}")
        if number is not None and not account.owned(number):
            return number
    raise ApiError(21452, f"No phone numbers found in area code {area_code}.")


def _change(number: PhoneNumber, form: Form) -> None:
    """Set everything that `form` sets, or, if any of it is wrong, nothing. Raises ApiError."""
    settings = {
        snake_case(name): read(form, name) for name, read in _SETTINGS.items() if name in form
    }
    friendly_name = read_friendly_name(form)
    number.settings.update(settings)
    if friendly_name:
        number.friendly_name = friendly_name


_Reader = Callable[[Form, str], object]


def _sid(prefix: str) -> _Reader:
    def read(form: Form, name: str) -> str | None:
        text = form.get(name)
        if text and not is_sid(text, prefix):
            raise ApiError(20001, f"{name} is not a SID: {text}")
        return text or None

    return read


def _choice(*choices: str) -> _Reader:
    def read(form: Form, name: str) -> str:
        text = form.get(name)
        if text and text not in choices:
            raise ApiError(20001, f"{name} must be {' or '.join(choices)}.")
        return text or choices[0]

    return read


_url: _Reader = partial(read_url, code=21402)
_method: _Reader = partial(read_method, code=21403)

# What can be set for a number, and how each setting is read. An empty one returns to its default.
_SETTINGS: dict[str, _Reader] = {
    "ApiVersion": _choice(API_VERSION, "2008-08-01"),
    "VoiceApplicationSid": _sid("AP"),
    "VoiceCallerIdLookup": read_flag,
    "VoiceFallbackMethod": _method,
    "VoiceFallbackUrl": _url,
    "VoiceMethod": _method,
    "VoiceReceiveMode": _choice("voice", "fax"),
    "VoiceUrl": _url,
    "SmsApplicationSid": _sid("AP"),
    "SmsFallbackMethod": _method,
    "SmsFallbackUrl": _url,
    "SmsMethod": _method,
    "SmsUrl": _url,
    "StatusCallback": _url,
    "StatusCallbackMethod": _method,
    "TrunkSid": _sid("TK"),
    "IdentitySid": _sid("RI"),
    "AddressSid": _sid("AD"),
    "BundleSid": _sid("BU"),
    "EmergencyStatus": _choice("Active", "Inactive"),
    "EmergencyAddressSid": _sid("AD"),
}
_DEFAULT_SETTINGS = {snake_case(name): read(Form(), name) for name, read in _SETTINGS.items()}


def _to_json(number: PhoneNumber) -> dict[str, object]:
    return {
        **caller_id_to_json(number, "IncomingPhoneNumbers"),
        **_DEFAULT_SETTINGS,
        **number.settings,
        "address_requirements": "none",
        "emergency_address_status": "unregistered",
        "beta": False,
        "capabilities": number.capabilities,
        "origin": "twilio",
        "status": "in-use",
        "type": "local",
    }


NUMBER_ROUTES = (
    # Every number is a local one. Before the others, which would take the word for a SID.
    Route(f"{ACCOUNT_PATTERN}/IncomingPhoneNumbers/Local.json", numbers, methods=["GET", "POST"]),
    *resource_routes("IncomingPhoneNumbers", numbers, number),
)
