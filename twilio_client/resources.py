"""What Twilio tells about a call, a text and an account, with values as Python types.

A field that Twilio leaves out, or fills with something that cannot be read, is None: a call that
was placed must not look like a failure because its price is odd. Fields not named here are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True)
class Call:
    """One phone call. https://www.twilio.com/docs/voice/api/call-resource

    duration is in seconds; price is negative when it was charged, in `price_unit`.
    """

    sid: str
    to: str | None
    from_: str | None
    status: str | None
    direction: str | None
    answered_by: str | None
    duration: int | None
    start_time: datetime | None
    end_time: datetime | None
    date_created: datetime | None
    date_updated: datetime | None
    price: Decimal | None
    price_unit: str | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Call:
        """Read the JSON that Twilio sends. Raises ValueError if it has no SID."""
        return cls(
            sid=_sid(fields),
            to=_text(fields.get("to")),
            from_=_text(fields.get("from")),
            status=_text(fields.get("status")),
            direction=_text(fields.get("direction")),
            answered_by=_text(fields.get("answered_by")),
            duration=_integer(fields.get("duration")),
            start_time=_moment(fields.get("start_time")),
            end_time=_moment(fields.get("end_time")),
            date_created=_moment(fields.get("date_created")),
            date_updated=_moment(fields.get("date_updated")),
            price=_decimal(fields.get("price")),
            price_unit=_text(fields.get("price_unit")),
        )


@dataclass(frozen=True)
class Message:
    """One text. https://www.twilio.com/docs/messaging/api/message-resource

    error_code is set once delivery failed (see `hint_for`); num_segments is how many texts it is
    charged as, 0 as long as Twilio does not know.
    """

    sid: str
    to: str | None
    from_: str | None
    body: str | None
    status: str | None
    direction: str | None
    error_code: int | None
    error_message: str | None
    num_segments: int | None
    messaging_service_sid: str | None
    date_sent: datetime | None
    date_created: datetime | None
    date_updated: datetime | None
    price: Decimal | None
    price_unit: str | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Message:
        """Read the JSON that Twilio sends. Raises ValueError if it has no SID."""
        return cls(
            sid=_sid(fields),
            to=_text(fields.get("to")),
            from_=_text(fields.get("from")),
            body=_text(fields.get("body")),
            status=_text(fields.get("status")),
            direction=_text(fields.get("direction")),
            error_code=_integer(fields.get("error_code")),
            error_message=_text(fields.get("error_message")),
            num_segments=_integer(fields.get("num_segments")),
            messaging_service_sid=_text(fields.get("messaging_service_sid")),
            date_sent=_moment(fields.get("date_sent")),
            date_created=_moment(fields.get("date_created")),
            date_updated=_moment(fields.get("date_updated")),
            price=_decimal(fields.get("price")),
            price_unit=_text(fields.get("price_unit")),
        )


@dataclass(frozen=True)
class Account:
    """A Twilio account: status `active`, `suspended` or `closed`; type `Trial` or `Full`.

    https://www.twilio.com/docs/iam/api/account
    """

    sid: str
    friendly_name: str | None
    status: str | None
    type: str | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Account:
        """Read the JSON that Twilio sends. Raises ValueError if it has no SID."""
        return cls(
            sid=_sid(fields),
            friendly_name=_text(fields.get("friendly_name")),
            status=_text(fields.get("status")),
            type=_text(fields.get("type")),
        )


def _sid(fields: Mapping[str, Any]) -> str:
    sid = fields.get("sid")
    if not isinstance(sid, str) or not sid:
        raise ValueError("the resource has no SID")
    return sid


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _decimal(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: object) -> datetime | None:
    """An aware time from RFC 2822 text."""
    try:
        moment = parsedate_to_datetime(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
