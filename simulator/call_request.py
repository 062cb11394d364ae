"""What a POST to the Calls resource asks for, checked as Twilio checks it.

https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simulator.errors import ApiError
from simulator.form import Form
from simulator.instructions import (
    Instructions,
    check_status_callback,
    read_fallback,
    read_instructions,
)
from simulator.magic_numbers import CALL_FROM, CALL_TO, VALID_FROM, refuse_if_magic
from simulator.phone_numbers import read_number

LONGEST_CALL_SECONDS = 4 * 60 * 60
_DETECTION_MODES = frozenset({"Enable", "DetectMessageEnd"})
_SEND_DIGITS = re.compile(r"[0-9A-D#*wW]{0,32}")


@dataclass(frozen=True)
class CallRequest:
    """A call to place. Numbers are E.164; `timeout` and `time_limit` are seconds.

    `machine_detection` is `Enable`, `DetectMessageEnd` or None; with `detects_in_background`
    the instructions are followed without waiting for its result.
    """

    to: str
    from_: str
    instructions: Instructions
    fallback: Instructions | None
    timeout: int
    time_limit: int
    machine_detection: str | None
    detects_in_background: bool


def read_call_request(form: Form, own_number: str) -> CallRequest:
    """The call that `form` asks for; `own_number` is the account's. Raises ApiError."""
    to = _read_to(form)
    from_ = _read_from(form, own_number)
    instructions = read_instructions(form)
    if instructions is None:
        if form.get("ApplicationSid"):
            raise ApiError(21218, "ApplicationSid is not valid: this account has no applications.")
        raise ApiError(21205, "Url parameter is required.")
    check_status_callback(form)
    if not _SEND_DIGITS.fullmatch(form.get("SendDigits")):
        raise ApiError(21206, "SendDigits may hold 32 of the characters 0-9, A-D, #, *, w and W.")
    detection = form.get("MachineDetection")
    return CallRequest(
        to=to,
        from_=from_,
        instructions=instructions,
        fallback=read_fallback(form),
        timeout=_seconds(form, "Timeout", default=60, most=600),
        time_limit=_seconds(form, "TimeLimit", LONGEST_CALL_SECONDS, LONGEST_CALL_SECONDS),
        machine_detection=detection if detection in _DETECTION_MODES else None,
        detects_in_background=form.get("AsyncAmd").lower() == "true",
    )


def _read_to(form: Form) -> str:
    text = form.get("To")
    if not text.strip():
        raise ApiError(21201, "No 'To' number is specified")
    to = read_number(text)
    if to is None:
        raise ApiError(21211, f"The phone number you are attempting to call, {text}, is not valid.")
    refuse_if_magic(to, CALL_TO)
    return to


def _read_from(form: Form, own_number: str) -> str:
    text = form.get("From")
    if not text.strip():
        raise ApiError(21213, "No 'From' number is specified")
    from_ = read_number(text)
    if from_ is None:
        raise ApiError(21212, f"The 'From' number {text} is not a valid phone number.")
    refuse_if_magic(from_, CALL_FROM)
    if from_ not in {own_number, VALID_FROM}:
        raise ApiError(
            21210,
            f"The source phone number provided, {from_}, is not yet verified for your account. "
            "You may only make calls from phone numbers that you've verified or purchased "
            "from Twilio.",
        )
    return from_


def _seconds(form: Form, name: str, default: int, most: int) -> int:
    text = form.get(name)
    if not text:
        return default
    # isdecimal alone would let through digits of other scripts, and digits without end.
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= most):
        raise ApiError(21208, f"{name} must be a whole number of seconds from 1 to {most}.")
    return int(text)
