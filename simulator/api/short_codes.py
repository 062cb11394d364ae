"""The ShortCodes resource: the short codes that an account texts from.

https://www.twilio.com/docs/messaging/api/short-code-resource
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.api.authentication import account_of
from simulator.api.forms import (
    Form,
    read_form,
    read_friendly_name,
    read_method,
    read_query,
    read_url,
)
from simulator.api.lists import list_page, matches_text
from simulator.api.resources import (
    exchange_of,
    find_record,
    resource_routes,
    rfc_2822,
    snake_case,
)
from simulator.models.account import Account, ShortCode
from simulator.models.sids import API_VERSION, account_path

_SETTINGS: dict[str, Callable[[Form, str], str]] = {
    "SmsUrl": partial(read_url, code=21402),
    "SmsMethod": partial(read_method, code=21403),
    "SmsFallbackUrl": partial(read_url, code=21402),
    "SmsFallbackMethod": partial(read_method, code=21403),
}
_DEFAULT_SETTINGS = {snake_case(name): read(Form(), name) for name, read in _SETTINGS.items()}


async def short_codes(request: Request) -> Response:
    """GET lists the short codes; they can't be bought through the API."""
    account = account_of(request)
    return JSONResponse(_list(account, read_query(request)))


async def short_code(request: Request) -> Response:
    """GET fetches a short code, POST changes its settings."""
    account = account_of(request)
    found = find_record(request, account.short_codes, account.sid)
    if request.method == "POST":
        _change(found, await read_form(request))
        found.date_updated = exchange_of(request).clock.now()
    return JSONResponse(_to_json(found))


def _list(account: Account, query: Form) -> dict[str, object]:
    found = [
        short_code
        for short_code in reversed(account.short_codes.values())
        if matches_text(query, "ShortCode", short_code.number)
        and matches_text(query, "FriendlyName", short_code.friendly_name)
    ]
    return list_page(found, "short_codes", f"{account.path}/SMS/ShortCodes.json", query, _to_json)


def _change(short_code: ShortCode, form: Form) -> None:
    """Set everything that `form` sets, or, if any of it is wrong, nothing. Raises ApiError."""
    settings: dict[str, object] = {
        snake_case(name): read(form, name) for name, read in _SETTINGS.items() if name in form
    }
    short_code.friendly_name = read_friendly_name(form) or short_code.friendly_name
    short_code.settings.update(settings)


def _to_json(short_code: ShortCode) -> dict[str, object]:
    return {
        "sid": short_code.sid,
        "account_sid": short_code.account_sid,
        "friendly_name": short_code.friendly_name,
        "short_code": short_code.number,
        "date_created": rfc_2822(short_code.date_created),
        "date_updated": rfc_2822(short_code.date_updated),
        "api_version": API_VERSION,
        **_DEFAULT_SETTINGS,
        **short_code.settings,
        "uri": f"{account_path(short_code.account_sid)}/SMS/ShortCodes/{short_code.sid}.json",
    }


SHORT_CODE_ROUTES = resource_routes(
    "SMS/ShortCodes", short_codes, short_code, list_methods=("GET",), methods=("GET", "POST")
)
