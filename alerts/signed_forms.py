"""Twilio's requests to this app: read, and told from everybody else's by their signature.

https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from alerts.means import Means

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST_BODY = 64 * 1024  # bytes; Twilio's own take about one thousand
MOST_FIELDS = 1000
FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """A request that is answered with `status` alone; `str()` says why, for the log."""

    def __init__(self, status: int, reason: str, level: int = logging.WARNING) -> None:
        super().__init__(reason)
        self.status = status
        self.level = level


@dataclass(frozen=True, slots=True)
class SignedForm:
    """What Twilio has surely sent to `url`; of a name that is there twice, the last value."""

    url: str
    query: Mapping[str, str]
    fields: Mapping[str, str]


async def read_signed_form(request: Request, path: str, means: Means) -> SignedForm:
    """The form that Twilio posted to `path` below the app's public address.

    Raises `Refused` if it isn't Twilio's, or isn't about the account of `means`.
    """
    body = await _read_body(request)
    fields = _read_fields(request.headers.get("content-type", ""), body)
    if means.callbacks is None or means.is_from_twilio is None:
        raise Refused(403, "no PUBLIC_URL is set, so no request can be known to be Twilio's")
    # As Twilio was told to ask: a proxy in between may have changed the host and the path.
    query = request.scope["query_string"].decode("latin-1")
    url = f"{means.callbacks.base}{path}" + (f"?{query}" if query else "")
    if not means.is_from_twilio(url, fields, request.headers.get("x-twilio-signature", "")):
        raise Refused(403, f"not signed by Twilio for {means.callbacks.base}{path}")
    form = dict(fields)
    if form.get("AccountSid") != means.twilio.account_sid:
        raise Refused(403, "Twilio sent it for another account")
    return SignedForm(url, dict(parse_qsl(query)), form)


async def _read_body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise Refused(413, "too large for a request of Twilio's", logging.INFO)
    return body


def _read_fields(content_type: str, body: bytes) -> list[tuple[str, str]]:
    try:
        if content_type.partition(";")[0].strip().lower() != FORM:
            raise ValueError(content_type)
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        # Its own words may quote what somebody sent.
        raise Refused(400, "not a form", logging.INFO) from None
