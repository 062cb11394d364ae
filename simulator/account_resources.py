"""Accounts, and what belongs to them, as Twilio shows them in JSON."""

from __future__ import annotations

from simulator.api.resources import rfc_2822, snake_case
from simulator.models.account import Account, CallerId, PhoneNumber
from simulator.models.sids import account_path
from simulator.number_settings import FIRST_SETTINGS

OPENING_BALANCE = 100.0
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


def account_to_json(account: Account) -> dict[str, object]:
    """https://www.twilio.com/docs/iam/api/account#account-properties; the token stays hidden."""
    path = account_path(account.sid)
    return {
        "sid": account.sid,
        "owner_account_sid": account.sid,
        "friendly_name": account.friendly_name,
        "status": account.status,
        "type": "Full",
        "auth_token": None,
        "date_created": rfc_2822(account.date_created),
        "date_updated": rfc_2822(account.date_updated),
        "uri": f"{path}.json",
        "subresource_uris": {snake_case(part): f"{path}/{part}.json" for part in _ACCOUNT_PARTS},
    }


def balance_to_json(account: Account, spent: float) -> dict[str, object]:
    """https://www.twilio.com/docs/usage/api/balance, after `spent` dollars."""
    return {
        "account_sid": account.sid,
        "balance": f"{OPENING_BALANCE - spent:.4f}",
        "currency": "USD",
    }


def number_to_json(number: PhoneNumber) -> dict[str, object]:
    """https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource"""
    return {
        "sid": number.sid,
        "account_sid": number.account_sid,
        "friendly_name": number.friendly_name,
        "phone_number": number.number,
        "date_created": rfc_2822(number.date_created),
        "date_updated": rfc_2822(number.date_updated),
        **FIRST_SETTINGS,
        **number.settings,
        "address_requirements": "none",
        "emergency_address_status": "unregistered",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "origin": "twilio",
        "status": "in-use",
        "type": "local",
        "uri": f"{account_path(number.account_sid)}/IncomingPhoneNumbers/{number.sid}.json",
    }


def caller_id_to_json(caller_id: CallerId) -> dict[str, object]:
    """https://www.twilio.com/docs/voice/api/outgoing-caller-ids"""
    return {
        "sid": caller_id.sid,
        "account_sid": caller_id.account_sid,
        "friendly_name": caller_id.friendly_name,
        "phone_number": caller_id.number,
        "date_created": rfc_2822(caller_id.date_created),
        "date_updated": rfc_2822(caller_id.date_updated),
        "uri": f"{account_path(caller_id.account_sid)}/OutgoingCallerIds/{caller_id.sid}.json",
    }
