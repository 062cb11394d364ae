"""Verifying a caller ID: Twilio calls the number, and whoever answers keys in a code.

https://www.twilio.com/docs/voice/api/outgoing-caller-ids#add-an-outgoing-caller-id
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from simulator.api.forms import Form, read_callback, read_friendly_name
from simulator.call_request import read_call_request
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.models.account import Account, CallerId
from simulator.models.call import Call, Happening, request_parameters
from simulator.models.people import person_at
from simulator.models.phone_numbers import for_display, read_number
from simulator.models.webhooks import Callback

VERIFICATION_NUMBER = "+14157234000"
"""The number from which Twilio calls people to verify theirs."""


@dataclass(frozen=True)
class Verification:
    """A number (E.164) that the account wants to call from, and the code that its owner is told.

    `callback` is told how it ended.
    """

    number: str
    friendly_name: str
    code: str
    callback: Callback | None = None

    def to_json(self, account_sid: str, call_sid: str) -> dict[str, object]:
        """https://www.twilio.com/docs/voice/api/outgoing-caller-ids#outgoingcallerid-properties"""
        return {
            "account_sid": account_sid,
            "call_sid": call_sid,
            "friendly_name": self.friendly_name,
            "phone_number": self.number,
            "validation_code": self.code,
        }


def read_verification(form: Form, account: Account) -> Verification:
    """The verification that `form` asks for. Raises ApiError."""
    text = form.get("PhoneNumber")
    number = read_number(text)
    if number is None:
        raise ApiError(21401, f"PhoneNumber is not a valid phone number: {text}")
    if account.may_call_from(number):
        raise ApiError(21450, "Phone number already validated for your account.")
    name = read_friendly_name(form) or for_display(number)
    code = f"{secrets.randbelow(10**6):06}"
    return Verification(number, name, code, read_callback(form, "StatusCallback"))


def begin(verification: Verification, account: Account, exchange: Exchange) -> Call:
    """Call the number; whoever hears the code to the end keys it in, and the number is verified.

    The call goes out at once, whatever CallDelay says. Raises ApiError for numbers that can't be
    called.
    """
    spoken = " ".join(verification.code)
    twiml = f"<Response><Say>Your verification code is {spoken}.</Say></Response>"
    pairs = (("To", verification.number), ("From", VERIFICATION_NUMBER), ("Twiml", twiml))
    request = read_call_request(Form(pairs), VERIFICATION_NUMBER.__eq__)
    call = exchange.create_call(account.sid, request)

    def conclude(call: Call, happening: Happening) -> None:
        if happening != "completed":
            return
        result = [("VerificationStatus", "failed")]
        if _was_heard(call):
            name, now = verification.friendly_name, exchange.clock.now()
            caller_id = CallerId(account.sid, verification.number, now, name)
            account.verify(caller_id)
            result = [("VerificationStatus", "success"), ("OutgoingCallerIdSid", caller_id.sid)]
        if verification.callback is not None:
            parameters = [*request_parameters(call), *result]
            exchange.callbacks.send(call, verification.callback, parameters)

    call.observers.append(conclude)
    return call


def _was_heard(call: Call) -> bool:
    hung_up = any(line.kind == "hangup" for line in call.transcript)
    is_machine = person_at(call.request.to).is_machine
    return call.status == "completed" and not hung_up and not is_machine
