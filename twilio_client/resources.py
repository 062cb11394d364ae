"""Twilio's resources: a call, a text, a number, an account, its balance, as Python values.

A field that Twilio leaves out or that cannot be read is None, so that an odd price doesn't make a
call that was placed look like a failure. Fields not named here are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from twilio_client.responses import date_and_time, decimal, flag, integer, is_sid, text


@dataclass(frozen=True)
class Call:
    """One phone call. https://www.twilio.com/docs/voice/api/call-resource

    duration is in seconds; price is in `price_unit`, and negative when it was charged.
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
        """Read Twilio's JSON. Raise ValueError if it has no SID."""
        return cls(
            sid=_sid(fields),
            to=text(fields.get("to")),
            from_=text(fields.get("from")),
            status=text(fields.get("status")),
            direction=text(fields.get("direction")),
            answered_by=text(fields.get("answered_by")),
            duration=integer(fields.get("duration")),
            start_time=date_and_time(fields.get("start_time")),
            end_time=date_and_time(fields.get("end_time")),
            date_created=date_and_time(fields.get("date_created")),
            date_updated=date_and_time(fields.get("date_updated")),
            price=decimal(fields.get("price")),
            price_unit=text(fields.get("price_unit")),
        )


@dataclass(frozen=True)
class Message:
    """One text. https://www.twilio.com/docs/messaging/api/message-resource

    error_code is set when delivery failed (see `hint_for`); num_segments is the number of texts it
    is charged as, 0 until Twilio knows.
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
        """Read Twilio's JSON. Raise ValueError if it has no SID."""
        return cls(
            sid=_sid(fields),
            to=text(fields.get("to")),
            from_=text(fields.get("from")),
            body=text(fields.get("body")),
            status=text(fields.get("status")),
            direction=text(fields.get("direction")),
            error_code=integer(fields.get("error_code")),
            error_message=text(fields.get("error_message")),
            num_segments=integer(fields.get("num_segments")),
            messaging_service_sid=text(fields.get("messaging_service_sid")),
            date_sent=date_and_time(fields.get("date_sent")),
            date_created=date_and_time(fields.get("date_created")),
            date_updated=date_and_time(fields.get("date_updated")),
            price=decimal(fields.get("price")),
            price_unit=text(fields.get("price_unit")),
        )


@dataclass(frozen=True)
class Capabilities:
    """What a number can do: calls (`voice`) and texts (`sms`); None where Twilio doesn't say."""

    voice: bool | None
    sms: bool | None


@dataclass(frozen=True)
class IncomingPhoneNumber:
    """A number that the account owns. Texts to it are reported to `sms_url`, "" if nowhere.

    https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
    """

    sid: str
    phone_number: str | None
    sms_url: str | None
    sms_method: str | None
    capabilities: Capabilities

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> IncomingPhoneNumber:
        """Read Twilio's JSON. Raise ValueError if it has no SID."""
        capabilities = fields.get("capabilities")
        known = capabilities if isinstance(capabilities, Mapping) else {}
        return cls(
            sid=_sid(fields),
            phone_number=text(fields.get("phone_number")),
            sms_url=text(fields.get("sms_url")),
            sms_method=text(fields.get("sms_method")),
            capabilities=Capabilities(flag(known.get("voice")), flag(known.get("sms"))),
        )


@dataclass(frozen=True)
class OutgoingCallerId:
    """Another person's verified number: the account may call from it, and text it while on trial.

    https://www.twilio.com/docs/voice/api/outgoing-caller-ids
    """

    sid: str
    phone_number: str | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> OutgoingCallerId:
        """Read Twilio's JSON. Raise ValueError if it has no SID."""
        return cls(sid=_sid(fields), phone_number=text(fields.get("phone_number")))


@dataclass(frozen=True)
class Balance:
    """How much money the account has left, in `currency` (ISO 4217).

    https://www.twilio.com/docs/usage/api/balance
    """

    balance: Decimal | None
    currency: str | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Balance:
        """Read Twilio's JSON, which has no SID."""
        return cls(
            balance=decimal(fields.get("balance")),
            currency=text(fields.get("currency")),
        )


@dataclass(frozen=True)
class MessagingService:
    """A group of numbers that texts are sent from. Texts to them go to `inbound_request_url`.

    With `use_inbound_webhook_on_number` they go to each number's own `sms_url` instead.
    `us_app_to_person_registered`: US carriers know what it is used for, and so take its texts.
    https://www.twilio.com/docs/messaging/api/service-resource
    """

    sid: str
    inbound_request_url: str | None
    inbound_method: str | None
    use_inbound_webhook_on_number: bool
    us_app_to_person_registered: bool | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> MessagingService:
        """Read Twilio's JSON. Raise ValueError if it has no SID."""
        return cls(
            sid=_sid(fields),
            inbound_request_url=text(fields.get("inbound_request_url")),
            inbound_method=text(fields.get("inbound_method")),
            use_inbound_webhook_on_number=fields.get("use_inbound_webhook_on_number") is True,
            us_app_to_person_registered=flag(fields.get("us_app_to_person_registered")),
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
        """Read Twilio's JSON. Raise ValueError if it has no SID."""
        return cls(
            sid=_sid(fields),
            friendly_name=text(fields.get("friendly_name")),
            status=text(fields.get("status")),
            type=text(fields.get("type")),
        )


def _sid(fields: Mapping[str, Any]) -> str:
    """Return the SID. Raise ValueError if it has none that a later request can name."""
    sid = fields.get("sid")
    if not isinstance(sid, str) or not is_sid(sid, "[A-Z]{2}"):
        raise ValueError("the resource has no SID")
    return sid
