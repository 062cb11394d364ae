"""Reading Twilio's answers: their JSON and its values, the errors, and Twilio's clock.

https://www.twilio.com/docs/usage/twilios-response
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import httpx

from twilio_client.connections import Credentials
from twilio_client.errors import TwilioError, TwilioRateLimited, TwilioRefused, TwilioUncertain

MAX_MESSAGE_CHARACTERS = 500
# What a database's integer holds. Twilio's own codes and seconds are far smaller.
LARGEST_INTEGER = 2**31 - 1

# The header has whole seconds, and some servers renew it only once a second.
DATE_HEADER_AGE = timedelta(seconds=2)


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """Return the JSON object in an answer, or None if there is none."""
    try:
        payload = response.json()
    except (ValueError, RecursionError):
        return None
    if not isinstance(payload, dict):
        return None
    # Twilio puts the auth token into an account's resource, and nothing here needs it.
    payload.pop("auth_token", None)
    return payload


def error_in(response: httpx.Response, credentials: Credentials) -> TwilioError:
    """Return the error for an answer other than 2xx."""
    payload = json_object(response) or {}
    status = response.status_code
    code = integer(payload.get("code"))
    message = _one_line(payload.get("message")) or _standard_phrase(status)
    if status == HTTPStatus.TOO_MANY_REQUESTS or code == 20429:
        kind: type[TwilioError] = TwilioRateLimited
    elif 400 <= status < 500:
        kind = TwilioRefused
    else:
        kind = TwilioUncertain
    return kind(
        credentials.mask(message),
        status=status,
        code=code,
        more_info=_one_line(payload.get("more_info")),
        retry_after=_retry_after(response.headers.get("Retry-After")),
    )


def unreadable(status: int) -> TwilioUncertain:
    """Return the error for an answer that reports success (2xx) but cannot be read."""
    return TwilioUncertain(
        "the answer could not be read",
        status=status,
        hint="Look in the list of recent calls and messages before you send it again.",
    )


def clock_offset(
    known: timedelta, date: str | None, asked: datetime, answered: datetime
) -> timedelta:
    """Return what to add to our time to get Twilio's.

    `date` is the answer's Date header (RFC 9110, 6.6.1); `asked` and `answered` are our times
    before and after the request. Twilio wrote the date between those two, so a slow answer says
    little: the offset stays as `known` unless the answer rules it out.
    """
    moment = date_and_time(date)
    if moment is None:
        return known
    return min(max(known, moment - answered), moment - asked + DATE_HEADER_AGE)


def text(value: object) -> str | None:
    """Return `value` if it is text, else None.

    What no database can keep is left out or replaced: JSON may hold NUL and half an emoji.
    """
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def is_sid(value: str, prefixes: str) -> bool:
    """Return whether a SID has one of the prefixes (`SM|MM`) and is safe in a URL's path.

    Twilio's have 32 hexadecimal digits after the prefix; test servers often use fewer.
    https://www.twilio.com/docs/glossary/what-is-a-sid
    """
    return re.fullmatch(rf"({prefixes})[0-9A-Za-z]+", value) is not None


def flag(value: object) -> bool | None:
    """Return `value` if it is true or false, else None."""
    return value if isinstance(value, bool) else None


def integer(value: object) -> int | None:
    """Return a whole number written as a number or as text, None if it is neither or too large."""
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if abs(number) <= LARGEST_INTEGER else None


def decimal(value: object) -> Decimal | None:
    """Return a finite decimal written as a number or as text, None if it is neither."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def date_and_time(value: object) -> datetime | None:
    """Return the time in UTC that RFC 2822 text stands for, None if it is not such text.

    None also for the first and the last year, from which nothing can be counted back or on.
    """
    return _date_and_time(str(value))


# Most dates of an answer are the same, and parsing one takes as long as reading ten other fields.
@lru_cache(maxsize=256)
def _date_and_time(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if MINYEAR < moment.year < MAXYEAR else None


def _one_line(value: object) -> str | None:
    return " ".join((text(value) or "").split())[:MAX_MESSAGE_CHARACTERS] or None


def _standard_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def _retry_after(header: str | None) -> float | None:
    """Return the seconds to wait, from a header with seconds or a date (RFC 9110, 10.2.3)."""
    if header is not None and header.strip().isdecimal():
        return float(header)
    moment = date_and_time(header)
    if moment is None:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
