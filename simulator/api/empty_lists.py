"""Resources that accounts and calls link to, and of which the simulator has none.

Clients that read everything, and SDKs that follow `subresource_uris`, find an empty list. Nothing
can be created: a POST is answered with 405.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import account_of
from simulator.api.forms import read_query
from simulator.api.lists import list_page
from simulator.api.recordings import RECORDING_LISTS
from simulator.api.resources import (
    ACCOUNT_PATTERN,
    exchange_of,
    find_record,
    own_path,
    snake_case,
    subresource_uris,
)
from simulator.exchange import Exchange
from simulator.models.call import Call
from simulator.models.recording import Recording

CALL_LISTS = (
    "Notifications",
    "Payments",
    "Events",
    "Siprec",
    "Streams",
    "Transcriptions",
    "UserDefinedMessageSubscriptions",
    "UserDefinedMessages",
)
"""Of each call. https://www.twilio.com/docs/voice/api/call-resource"""

_DIRECTORIES = {
    "Usage": ("Records", "Triggers"),
    "SIP": ("CredentialLists", "Domains", "IpAccessControlLists"),
}
_SPANS = "AllTime Daily LastMonth Monthly ThisMonth Today Yearly Yesterday"
# The lists of an account, and the key in their JSON where it isn't their name.
_ACCOUNT_LISTS = {
    "Addresses": None,
    "Applications": None,
    "AuthorizedConnectApps": None,
    "AvailablePhoneNumbers": "countries",
    "AvailablePhoneNumbers/{country}/{kind}": "available_phone_numbers",
    "Conferences": None,
    "ConnectApps": None,
    "IncomingPhoneNumbers/Mobile": "incoming_phone_numbers",
    "IncomingPhoneNumbers/TollFree": "incoming_phone_numbers",
    "Keys": None,
    "Notifications": None,
    "Queues": None,
    "SIP/CredentialLists": "credential_lists",
    "SIP/Domains": "domains",
    "SIP/IpAccessControlLists": "ip_access_control_lists",
    "SigningKeys": None,
    "Transcriptions": None,
    "Usage/Records": "usage_records",
    **{f"Usage/Records/{span}": "usage_records" for span in _SPANS.split()},
    "Usage/Triggers": "usage_triggers",
}

_Endpoint = Callable[[Request], Awaitable[Response]]
_Record = TypeVar("_Record", Call, Recording)


def _of_account(key: str) -> _Endpoint:
    async def empty_list(request: Request) -> Response:
        account_of(request)
        return _empty_page(request, key)

    return empty_list


def _of_record(key: str, records_of: Callable[[Exchange], Mapping[str, _Record]]) -> _Endpoint:
    """Return the endpoint of a list that belongs to one of an exchange's records."""

    async def empty_list(request: Request) -> Response:
        find_record(request, records_of(exchange_of(request)), account_of(request).sid)
        return _empty_page(request, key)

    return empty_list


def _calls(exchange: Exchange) -> Mapping[str, Call]:
    return exchange.calls


def _recordings(exchange: Exchange) -> Mapping[str, Recording]:
    return exchange.recordings


def _directory(name: str, parts: tuple[str, ...]) -> _Endpoint:
    """Return the endpoint of a resource that only says where others are."""

    async def directory(request: Request) -> Response:
        path = f"{account_of(request).path}/{name}"
        return JSONResponse(
            {"uri": f"{path}.json", "subresource_uris": subresource_uris(path, parts)}
        )

    return directory


def _empty_page(request: Request, key: str) -> Response:
    none: list[Call] = []
    path = own_path(request.scope)
    return JSONResponse(list_page(none, key, path, read_query(request), lambda _: {}))


def _route(path: str, endpoint: _Endpoint) -> Route:
    return Route(f"{ACCOUNT_PATTERN}/{path}.json", endpoint, methods=["GET"])


EMPTY_LIST_ROUTES = (
    *(_route(name, _of_account(key or snake_case(name))) for name, key in _ACCOUNT_LISTS.items()),
    *(_route(name, _directory(name, parts)) for name, parts in _DIRECTORIES.items()),
    *(_route(f"Calls/{{sid}}/{name}", _of_record(snake_case(name), _calls)) for name in CALL_LISTS),
    *(
        _route(f"Recordings/{{sid}}/{name}", _of_record(snake_case(name), _recordings))
        for name in RECORDING_LISTS
    ),
)
