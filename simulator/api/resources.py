"""What every resource's JSON shares: dates, prices and names."""

from __future__ import annotations

import math
from datetime import datetime
from email.utils import format_datetime

from simulator.models.call import Call
from simulator.models.message import Message, count_segments
from simulator.models.phone_numbers import for_display
from simulator.models.sids import API_VERSION, account_path, number_sid

PRICE_PER_MINUTE = 0.014


PRICE_PER_SEGMENT = 0.0083


_ERROR_MESSAGES = {
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30006: "Landline or unreachable carrier",
    30008: "Unknown error",
}


_CALL_PARTS = (
    "Notifications",
    "Recordings",
    "Payments",
    "Events",
    "Siprec",
    "Streams",
    "Transcriptions",
    "UserDefinedMessageSubscriptions",
    "UserDefinedMessages",
)


def call_to_json(call: Call) -> dict[str, object]:
    """https://www.twilio.com/docs/voice/api/call-resource#call-properties"""
    path = f"{account_path(call.account_sid)}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "account_sid": call.account_sid,
        "to": call.request.to,
        "to_formatted": for_display(call.request.to),
        "from": call.request.from_,
        "from_formatted": for_display(call.request.from_),
        "status": call.status,
        "direction": call.direction,
        "date_created": rfc_2822(call.date_created),
        "date_updated": rfc_2822(call.date_updated),
        "start_time": rfc_2822(call.start_time),
        "end_time": rfc_2822(call.end_time),
        "duration": None if call.duration is None else str(call.duration),
        "answered_by": call.answered_by,
        "price": _price(call_price(call)),
        "price_unit": "USD",
        "queue_time": str(round(call.queue_seconds * 1000)),
        "api_version": API_VERSION,
        "parent_call_sid": call.parent_sid,
        "phone_number_sid": number_sid(call.account_sid, call.request.from_),
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "trunk_sid": None,
        "uri": f"{path}.json",
        "subresource_uris": {snake_case(part): f"{path}/{part}.json" for part in _CALL_PARTS},
    }


def message_to_json(message: Message) -> dict[str, object]:
    """https://www.twilio.com/docs/messaging/api/message-resource#message-properties"""
    path = f"{account_path(message.account_sid)}/Messages/{message.sid}"
    segments = 0 if message.from_ is None else count_segments(message.request.body)
    return {
        "sid": message.sid,
        "account_sid": message.account_sid,
        "messaging_service_sid": message.request.messaging_service_sid,
        "to": message.request.to,
        "from": message.from_,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "num_segments": str(segments),
        "num_media": str(len(message.request.media_urls)),
        "date_created": rfc_2822(message.date_created),
        "date_updated": rfc_2822(message.date_updated),
        "date_sent": rfc_2822(message.date_sent),
        "error_code": message.error_code,
        "error_message": None
        if message.error_code is None
        else _ERROR_MESSAGES.get(message.error_code, "Unknown error"),
        "price": _price(message_price(message)),
        "price_unit": "USD",
        "api_version": API_VERSION,
        "uri": f"{path}.json",
        "subresource_uris": {"media": f"{path}/Media.json", "feedback": f"{path}/Feedback.json"},
    }


def rfc_2822(moment: datetime | None) -> str | None:
    """`Tue, 31 Aug 2010 20:36:28 +0000`, or None."""
    return None if moment is None else format_datetime(moment)


def call_price(call: Call) -> float:
    """Dollars that a call has cost: begun minutes count whole, calls nobody took are free."""
    if call.duration is None:
        return 0
    return PRICE_PER_MINUTE * max(math.ceil(call.duration / 60), 1)


def message_price(message: Message) -> float:
    """Dollars that a text has cost: so much a segment, once it was sent."""
    if message.date_sent is None:
        return 0
    return PRICE_PER_SEGMENT * count_segments(message.request.body)


def _price(dollars: float) -> str | None:
    return f"-{dollars:.5f}" if dollars else None


def snake_case(name: str) -> str:
    """`IncomingPhoneNumbers` as `incoming_phone_numbers`, `SIP` as `sip`."""
    if name.isupper():
        return name.lower()
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
