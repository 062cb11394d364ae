"""Calls, messages and accounts as Twilio shows them in JSON."""

from __future__ import annotations

import math
from datetime import datetime
from email.utils import format_datetime

from simulator.call import Call
from simulator.message import Message
from simulator.phone_numbers import for_display
from simulator.segments import count_segments

API_VERSION = "2010-04-01"
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
_ACCOUNT_PARTS = (
    "AvailablePhoneNumbers",
    "Calls",
    "Conferences",
    "IncomingPhoneNumbers",
    "Notifications",
    "OutgoingCallerIds",
    "Recordings",
    "Transcriptions",
    "Addresses",
    "SigningKeys",
    "ConnectApps",
    "SIP",
    "AuthorizedConnectApps",
    "Usage",
    "Keys",
    "Applications",
    "Queues",
    "Messages",
    "Balance",
)


def account_path(account_sid: str) -> str:
    """The path of an account, without `.json`."""
    return f"/{API_VERSION}/Accounts/{account_sid}"


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
        "direction": "outbound-api",
        "date_created": rfc_2822(call.date_created),
        "date_updated": rfc_2822(call.date_updated),
        "start_time": rfc_2822(call.start_time),
        "end_time": rfc_2822(call.end_time),
        "duration": None if call.duration is None else str(call.duration),
        "answered_by": call.answered_by,
        "price": _call_price(call),
        "price_unit": "USD",
        "queue_time": "0",
        "api_version": API_VERSION,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "trunk_sid": None,
        "uri": f"{path}.json",
        "subresource_uris": {_snake_case(part): f"{path}/{part}.json" for part in _CALL_PARTS},
    }


def message_to_json(message: Message) -> dict[str, object]:
    """https://www.twilio.com/docs/messaging/api/message-resource#message-properties"""
    path = f"{account_path(message.account_sid)}/Messages/{message.sid}"
    segments = 0 if message.from_ is None else count_segments(message.request.body)
    sent = message.date_sent is not None
    return {
        "sid": message.sid,
        "account_sid": message.account_sid,
        "messaging_service_sid": message.request.messaging_service_sid,
        "to": message.request.to,
        "from": message.from_,
        "body": message.body,
        "status": message.status,
        "direction": "outbound-api",
        "num_segments": str(segments),
        "num_media": str(len(message.request.media_urls)),
        "date_created": rfc_2822(message.date_created),
        "date_updated": rfc_2822(message.date_updated),
        "date_sent": rfc_2822(message.date_sent),
        "error_code": message.error_code,
        "error_message": None
        if message.error_code is None
        else _ERROR_MESSAGES[message.error_code],
        "price": f"-{PRICE_PER_SEGMENT * segments:.5f}" if sent else None,
        "price_unit": "USD",
        "api_version": API_VERSION,
        "uri": f"{path}.json",
        "subresource_uris": {"media": f"{path}/Media.json", "feedback": f"{path}/Feedback.json"},
    }


def account_to_json(account_sid: str, opened: datetime) -> dict[str, object]:
    """https://www.twilio.com/docs/iam/api/account#account-properties; the token stays hidden."""
    path = account_path(account_sid)
    return {
        "sid": account_sid,
        "owner_account_sid": account_sid,
        "friendly_name": "Simulated account",
        "status": "active",
        "type": "Full",
        "auth_token": None,
        "date_created": rfc_2822(opened),
        "date_updated": rfc_2822(opened),
        "uri": f"{path}.json",
        "subresource_uris": {_snake_case(part): f"{path}/{part}.json" for part in _ACCOUNT_PARTS},
    }


def rfc_2822(moment: datetime | None) -> str | None:
    """`Tue, 31 Aug 2010 20:36:28 +0000`, or None."""
    return None if moment is None else format_datetime(moment)


def _call_price(call: Call) -> str | None:
    if call.duration is None:
        return None
    return f"-{PRICE_PER_MINUTE * max(math.ceil(call.duration / 60), 1):.5f}"


def _snake_case(name: str) -> str:
    if name.isupper():
        return name.lower()
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
