"""One request to Twilio's REST API, and the pages of a list: what every resource is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from twilio_client.connections import Connections, Credentials
from twilio_client.errors import TwilioError, TwilioUncertain, TwilioUnreachable
from twilio_client.parameters import Fields
from twilio_client.resources import Account, Call, Message
from twilio_client.responses import clock_offset, error_in, json_object, unreadable

VERSION = "/2010-04-01"
Resource = TypeVar("Resource", Account, Call, Message)

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class Api:
    """Sends requests for one account. `Calls` and `Messages` build on it.

    `clock_offset` is how far Twilio's clock is ahead of this machine's, as its answers tell.
    """

    def __init__(
        self, account_sid: str, credentials: Credentials, connections: Connections
    ) -> None:
        self.account_sid = account_sid
        self.clock_offset = timedelta()
        self._credentials = credentials
        self._connections = connections
        self._account = f"{VERSION}/Accounts/{account_sid}"

    async def _get(self, path: str, query: Fields | None = None) -> dict[str, Any]:
        return await self._request("GET", path, query=query)

    async def _post(self, path: str, form: Fields) -> dict[str, Any]:
        return await self._request("POST", path, form=form)

    async def _list(
        self, kind: type[Resource], path: str, key: str, query: Fields, limit: int | None
    ) -> AsyncIterator[Resource]:
        """Give the resources under `key`, page after page, until the last page or `limit`.

        https://www.twilio.com/docs/usage/twilios-response#pagination
        """
        given = 0
        page = await self._get(path, query)
        while True:
            for fields in _items(page, key):
                yield self._read(kind, fields)
                given += 1
                if given == limit:
                    return
            following = _next_path(page)
            if following is None:
                return
            if following == path:
                raise unreadable(HTTPStatus.OK)
            path = following
            page = await self._get(path)

    def _read(self, kind: type[Resource], fields: dict[str, Any]) -> Resource:
        try:
            return kind.from_json(fields)
        except ValueError:
            raise unreadable(HTTPStatus.OK) from None

    async def _request(
        self, method: str, path: str, *, form: Fields | None = None, query: Fields | None = None
    ) -> dict[str, Any]:
        asked = datetime.now(UTC)
        answer = await self._exchange(method, path, form, query)
        if isinstance(answer, TwilioError):
            raise answer
        date = answer.headers.get("Date")
        self.clock_offset = clock_offset(self.clock_offset, date, asked, datetime.now(UTC))
        if not answer.is_success:
            raise error_in(answer, self._credentials)
        payload = json_object(answer)
        if payload is None:
            raise unreadable(answer.status_code)
        return payload

    async def _exchange(
        self, method: str, path: str, form: Fields | None, query: Fields | None
    ) -> httpx.Response | TwilioError:
        # A failure is returned rather than raised in the `except`: the error must not carry
        # along the one below it, whose frames hold the Authorization header.
        try:
            return await self._connections.send(method, path, form=form, query=query)
        except _NEVER_SENT as error:
            return _unreachable(str(error))
        except (httpx.HTTPError, TimeoutError) as error:
            return _uncertain(method, isinstance(error, TimeoutError | httpx.TimeoutException))
        except BaseException as error:
            # A cancelled task's traceback runs through those same frames.
            error.__traceback__ = None
            raise


def _items(page: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = page.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unreadable(HTTPStatus.OK)
    return items


def _next_path(page: dict[str, Any]) -> str | None:
    following = page.get("next_page_uri")
    if not following:
        return None
    # Only what follows the version is taken, so that no answer sends the credentials to another
    # host, and a base address with a path of its own works.
    return VERSION + str(following).partition(VERSION)[2]


def _unreachable(reason: str) -> TwilioUnreachable:
    return TwilioUnreachable(
        f"Twilio could not be reached ({reason or 'no connection'}), so nothing was sent.",
        hint="Check the network connection, then send it again.",
    )


def _uncertain(method: str, timed_out: bool) -> TwilioUncertain:
    what = "Twilio did not answer in time" if timed_out else "The connection to Twilio broke off"
    if method == "GET":
        return TwilioUncertain(f"{what}.", hint="Check the network connection, then try again.")
    return TwilioUncertain(
        f"{what}, so this may or may not have gone through.",
        hint="Look in the list of recent calls and messages before you send it again.",
    )
