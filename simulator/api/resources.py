"""What the resources share: their routes, finding a record, and dates and names in JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from simulator.errors import not_found
from simulator.exchange import Exchange
from simulator.models.account import CallerId
from simulator.models.sids import API_VERSION, account_path

ACCOUNT_PATTERN = f"/{API_VERSION}/Accounts/{{account_sid}}"
"""Where every resource of an account is, in the form that routes take."""


class _Owned(Protocol):
    @property
    def account_sid(self) -> str: ...


_Record = TypeVar("_Record", bound=_Owned)
_Endpoint = Callable[[Request], Awaitable[Response]]


def resource_routes(
    name: str,
    many: _Endpoint,
    one: _Endpoint,
    *,
    list_methods: Sequence[str] = ("GET", "POST"),
    methods: Sequence[str] = ("GET", "POST", "DELETE"),
) -> tuple[Route, Route]:
    """Return the routes of an account's resource, such as `Calls`: the list and one record."""
    path = f"{ACCOUNT_PATTERN}/{name}"
    return (
        Route(f"{path}.json", many, methods=list(list_methods)),
        Route(f"{path}/{{sid}}.json", one, methods=list(methods)),
    )


def exchange_of(request: Request) -> Exchange:
    """Return the exchange of the app that a request came to."""
    exchange: Exchange = request.app.state.exchange
    return exchange


def find_record(request: Request, records: Mapping[str, _Record], account_sid: str) -> _Record:
    """Return the account's record that the path names. Raises a 404 ApiError if there is none."""
    found = records.get(request.path_params["sid"])
    if found is None or found.account_sid != account_sid:
        raise not_found(request.url.path)
    return found


def rfc_2822(moment: datetime | None) -> str | None:
    """Write a date as `Tue, 31 Aug 2010 20:36:28 +0000`."""
    return None if moment is None else format_datetime(moment)


def caller_id_to_json(caller_id: CallerId, resource: str) -> dict[str, object]:
    """Return what owned and verified numbers have in common; `resource` names their list."""
    path = f"{account_path(caller_id.account_sid)}/{resource}/{caller_id.sid}"
    return {
        "sid": caller_id.sid,
        "account_sid": caller_id.account_sid,
        "friendly_name": caller_id.friendly_name,
        "phone_number": caller_id.number,
        "date_created": rfc_2822(caller_id.date_created),
        "date_updated": rfc_2822(caller_id.date_updated),
        "uri": f"{path}.json",
    }


def price_to_json(dollars: float) -> str | None:
    """Write what something has cost as a negative number; None if it cost nothing."""
    return f"-{dollars:.5f}" if dollars else None


def subresource_uris(path: str, parts: Iterable[str]) -> dict[str, str]:
    """List the addresses of what belongs to the resource at `path`."""
    return {snake_case(part): f"{path}/{part}.json" for part in parts}


def snake_case(name: str) -> str:
    """Write `IncomingPhoneNumbers` as `incoming_phone_numbers`, `SIP` as `sip`."""
    if name.isupper():
        return name.lower()
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def own_path(scope: Scope) -> str:
    """Return the path of a request below the path that the simulator is mounted at."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
