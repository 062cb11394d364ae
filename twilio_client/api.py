"""What every resource of Twilio's REST API needs: parameters, sending a request, paged lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal, TypeVar

import httpx

from twilio_client.connections import Connections, Credentials, Fields
from twilio_client.environment import EnvironmentProblem
from twilio_client.errors import TwilioError, TwilioUncertain, TwilioUnreachable
from twilio_client.resources import (
    Account,
    Balance,
    Call,
    IncomingPhoneNumber,
    Message,
    MessagingService,
    OutgoingCallerId,
)
from twilio_client.responses import clock_offset, error_in, is_sid, json_object, unreadable

HttpMethod = Literal["GET", "POST"]

Value = str | int | bool | datetime | None


def fields(**parameters: Value | Iterable[str]) -> Fields:
    """Write the fields of a form or query as Twilio reads them, without those that are None.

    A field with several values is repeated; a time becomes UTC in ISO 8601. Raise ValueError for
    text that cannot be written as UTF-8, and for a time without a time zone.
    """
    written = {
        name: [_written(name, value) for value in _each(values)]
        for name, values in parameters.items()
    }
    return {name: values for name, values in written.items() if values}


def _each(values: Value | Iterable[str]) -> Iterable[str | int | datetime]:
    if values is None:
        return []
    return [values] if isinstance(values, str | int | datetime) else values


def _written(name: str, value: str | int | datetime) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name} needs a time zone.")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} contains half a character: remove it.") from None
    return text


def require(condition: object, sentence: str) -> None:
    """Raise ValueError with this sentence unless the condition is true."""
    if not condition:
        raise ValueError(sentence)


def require_sid(name: str, sid: str, prefixes: str) -> None:
    """Raise ValueError unless `sid` has one of the prefixes and is safe in a URL's path."""
    require(
        is_sid(sid, prefixes),
        f"The {name} must be {prefixes.replace('|', ' or ')} and then letters and digits.",
    )


def require_page(page_size: int, limit: int | None) -> None:
    """Raise ValueError unless Twilio has pages of this size and `limit` is at least one."""
    require(1 <= page_size <= 1000, "The page size must be 1 to 1,000 items.")
    require(limit is None or limit >= 1, "The limit must be at least 1.")


VERSION = "/2010-04-01"
Resource = TypeVar(
    "Resource",
    Account,
    Balance,
    Call,
    IncomingPhoneNumber,
    Message,
    MessagingService,
    OutgoingCallerId,
)

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class Api:
    """Sends requests for one account. `Calls`, `Messages` and others build on it.

    `clock_offset` is how far Twilio's clock is ahead of this machine's, according to its answers.
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
        """Yield the resources under `key`, page after page, up to the last page or `limit`.

        https://www.twilio.com/docs/usage/twilios-response#pagination
        """
        count, paths = 0, {path}
        page = await self._get(path, query)
        while True:
            for fields in _items(page, key):
                yield self._read(kind, fields)
                count += 1
                if count == limit:
                    return
            next_path = _next_path(page)
            if next_path is None:
                return
            if next_path in paths:
                raise unreadable(HTTPStatus.OK)
            paths.add(next_path)
            page = await self._get(next_path)

    def _read(self, kind: type[Resource], fields: dict[str, Any]) -> Resource:
        try:
            return kind.from_json(fields)
        except ValueError:
            raise unreadable(HTTPStatus.OK) from None

    async def _request(
        self,
        method: str,
        path: str,
        *,
        form: Fields | None = None,
        query: Fields | None = None,
        host: str = "api",
    ) -> dict[str, Any]:
        asked = datetime.now(UTC)
        answer = await self._exchange(method, path, form, query, host)
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
        self, method: str, path: str, form: Fields | None, query: Fields | None, host: str
    ) -> httpx.Response | TwilioError:
        # Return the failure instead of raising it here: raised inside `except`, it would keep the
        # original error, and with it the stack frames that contain the Authorization header.
        try:
            return await self._connections.send(method, path, form=form, query=query, host=host)
        except EnvironmentProblem as problem:
            return _unreachable(str(problem), "Correct it, then start the program again.")
        except _NEVER_SENT as error:
            return _unreachable(str(error))
        except (httpx.HTTPError, TimeoutError) as error:
            return _uncertain(method, isinstance(error, TimeoutError | httpx.TimeoutException))
        except BaseException as error:
            # A canceled task's traceback contains the same frames.
            error.__traceback__ = None
            raise


def _items(page: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = page.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unreadable(HTTPStatus.OK)
    return items


def _next_path(page: dict[str, Any]) -> str | None:
    uri = page.get("next_page_uri")
    if not uri:
        return None
    # Keep only what follows the version: no answer can then send the credentials to another host,
    # and a base address with a path of its own works.
    return VERSION + str(uri).partition(VERSION)[2]


def _unreachable(
    reason: str, hint: str = "Check the network connection, then send it again."
) -> TwilioUnreachable:
    reason = reason or "no connection"
    return TwilioUnreachable(
        f"Twilio could not be reached ({reason}), so nothing was sent.", hint=hint
    )


def _uncertain(method: str, timed_out: bool) -> TwilioUncertain:
    what = "Twilio did not answer in time" if timed_out else "The connection to Twilio was lost"
    if method == "GET":
        return TwilioUncertain(f"{what}.", hint="Check the network connection, then try again.")
    return TwilioUncertain(
        f"{what}, so this may or may not have gone through.",
        hint="Look in the list of recent calls and messages before you send it again.",
    )
