"""Reading Twilio's answers: the resource that was asked for, or the error that says why not.

https://www.twilio.com/docs/usage/twilios-response
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from twilio_client.credentials import Credentials
from twilio_client.errors import TwilioError, TwilioRateLimited, TwilioRefused, TwilioUncertain

_LONGEST_MESSAGE = 500


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """The JSON object in an answer, or None if there is none."""
    try:
        payload = response.json()
    except (ValueError, RecursionError):
        return None
    if not isinstance(payload, dict):
        return None
    # An account's resource carries its auth token, which nobody here needs.
    payload.pop("auth_token", None)
    return payload


def error_in(response: httpx.Response, credentials: Credentials) -> TwilioError:
    """The error that an answer other than 2xx stands for."""
    payload = json_object(response) or {}
    status = response.status_code
    code = _integer(payload.get("code"))
    message = _text(payload.get("message")) or _standard_phrase(status)
    message = credentials.mask(message)
    more_info = _text(payload.get("more_info"))
    if status == 429 or code == 20429:
        return TwilioRateLimited(
            message,
            status=status,
            code=code,
            more_info=more_info,
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )
    kind = TwilioRefused if 400 <= status < 500 else TwilioUncertain
    return kind(message, status=status, code=code, more_info=more_info)


def unreadable(status: int) -> TwilioUncertain:
    """The error for an answer that says yes (2xx) and then cannot be read."""
    return TwilioUncertain(
        "the answer could not be read",
        status=status,
        hint="Look in the list of recent calls and messages before you send it again.",
    )


def _integer(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(value.split())[:_LONGEST_MESSAGE] or None


def _standard_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, from a header that holds seconds or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
