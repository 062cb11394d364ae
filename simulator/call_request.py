"""What a POST to the Calls resource asks for, checked as Twilio checks it.

https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from simulator.api.forms import (
    Form,
    read_call_events,
    read_callback,
    read_fallback,
    read_instructions,
)
from simulator.errors import ApiError
from simulator.models.call import LONGEST_CALL_SECONDS, CallRequest
from simulator.models.phone_numbers import CALL_FROM, CALL_TO, read_number, refuse_if_magic

SHORTEST_DETECTION_SECONDS, LONGEST_DETECTION_SECONDS = 3, 59


_DETECTION_MODES = frozenset({"Enable", "DetectMessageEnd"})


_SEND_DIGITS = re.compile(r"[0-9A-D#*wW]{0,32}")


def read_call_request(form: Form, may_call_from: Callable[[str], bool]) -> CallRequest:
    """The call that `form` asks for, from a number that the account may use. Raises ApiError."""
    to = _read_to(form)
    from_ = _read_from(form, may_call_from)
    instructions = read_instructions(form)
    if instructions is None:
        if form.get("ApplicationSid"):
            raise ApiError(21218, "ApplicationSid is not valid: this account has no applications.")
        raise ApiError(21205, "Url parameter is required.")
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
        detection_timeout=_seconds(
            form,
            "MachineDetectionTimeout",
            30,
            LONGEST_DETECTION_SECONDS,
            least=SHORTEST_DETECTION_SECONDS,
        ),
        detection_callback=read_callback(form, "AsyncAmdStatusCallback"),
        status_callback=read_callback(form, "StatusCallback"),
        status_events=read_call_events(form),
    )


def change_call_request(request: CallRequest, form: Form) -> CallRequest:
    """`request` with what the update in `form` sets. Raises ApiError.

    https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
    """
    return replace(
        request,
        fallback=read_fallback(form) or request.fallback,
        time_limit=_seconds(form, "TimeLimit", request.time_limit, LONGEST_CALL_SECONDS),
        status_callback=read_callback(form, "StatusCallback") or request.status_callback,
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


def _read_from(form: Form, may_call_from: Callable[[str], bool]) -> str:
    text = form.get("From")
    if not text.strip():
        raise ApiError(21213, "No 'From' number is specified")
    from_ = read_number(text)
    if from_ is None:
        raise ApiError(21212, f"The 'From' number {text} is not a valid phone number.")
    refuse_if_magic(from_, CALL_FROM)
    if not may_call_from(from_):
        raise ApiError(
            21210,
            f"The source phone number provided, {from_}, is not yet verified for your account. "
            "You may only make calls from phone numbers that you've verified or purchased "
            "from Twilio.",
        )
    return from_


def _seconds(form: Form, name: str, default: int, most: int, least: int = 1) -> int:
    text = form.get(name)
    if not text:
        return default
    # isdecimal alone would let through digits of other scripts, and digits without end.
    is_short = text.isascii() and text.isdecimal() and len(text) < 10
    if not (is_short and least <= int(text) <= most):
        raise ApiError(21208, f"{name} must be a whole number of seconds from {least} to {most}.")
    return int(text)
