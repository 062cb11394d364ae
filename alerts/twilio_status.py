"""Twilio's words about a call or text, from its resource or from callbacks, turned into ours.

One function per channel maps Twilio's status to ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from alerts.alert import Event, Problem, Source
from alerts.status import Status
from twilio_client import Call, Message, hint_for

ACCEPTED = "Accepted by Twilio"
CALL_NOTES = {
    "ringing": "Ringing",
    "in-progress": "Answered",
    "completed": "Call ended",
    "busy": "The line was busy",
    "no-answer": "Nobody answered",
    "canceled": "Canceled",
    "failed": "The call couldn't be connected",
}
MESSAGE_NOTES = {
    "delivered": "Delivered",
    "read": "Read",
    "undelivered": "The carrier couldn't deliver it",
    "failed": "Twilio couldn't send it",
    "canceled": "Canceled",
}
NOT_CONNECTED = "Twilio couldn't connect the call."
CHECK_THE_NUMBER = (
    "Check the number; the call's page in Twilio's console says what the carrier answered."
)
# SIP codes of a carrier for a number that isn't in use. https://www.rfc-editor.org/rfc/rfc3261
SIP_NO_SUCH_NUMBER = {"404", "410", "484", "604"}


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What Twilio says now about a call or text.

    `status` is None if it says nothing about that. `answered_by` is what answering-machine
    detection found: None as long as it may still find something, "" if it found nothing.
    `duration` is how many seconds a call lasted after it was answered, once it is over. `sent_at`
    is when a text was handed to the carrier, if that hasn't confirmed it yet.
    """

    status: Status | None
    note: str
    error: Problem | None = None
    answered_by: str | None = None
    # Not compared: a change of these alone isn't worth an event.
    duration: int | None = field(default=None, compare=False)
    sent_at: datetime | None = field(default=None, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether no other status can follow."""
        return self.status is not None and self.status.final

    def as_event(self, try_number: int, source: Source, sid: str | None = None) -> Event:
        """Return the update as an event, now, of the try whose call or text is `sid`."""
        return Event(
            datetime.now(UTC),
            self.status,
            self.note,
            source,
            try_number,
            sid=sid,
            error=self.error,
            answered_by=self.answered_by,
            duration=self.duration,
        )


def status_of_call(word: str) -> Status:
    """Map a Call's status, https://www.twilio.com/docs/voice/api/call-resource#call-status-values

    "completed" includes calls that a machine answered: `answered_by` tells.
    """
    return {
        "queued": Status.PLACED,
        "initiated": Status.PLACED,
        "ringing": Status.RINGING,
        "in-progress": Status.ANSWERED,
        "completed": Status.COMPLETED,
        "busy": Status.UNANSWERED,
        "no-answer": Status.UNANSWERED,
        "canceled": Status.CANCELED,
        "failed": Status.FAILED,
    }.get(word, Status.PLACED)


def status_of_message(word: str) -> Status:
    """Map a Message's status.

    "sent" only means that the carrier has it, not that it has arrived.
    https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
    """
    return {
        "delivered": Status.DELIVERED,
        "read": Status.DELIVERED,
        "undelivered": Status.FAILED,
        "failed": Status.FAILED,
        "canceled": Status.CANCELED,
    }.get(word, Status.PLACED)


def call_update(call: Call) -> StatusUpdate:
    """Read a Call resource. https://www.twilio.com/docs/voice/api/call-resource

    If the call is over and nothing was detected, `answered_by` is "".
    """
    word = call.status or ""
    status = status_of_call(word)
    answered_by = call.answered_by or ("" if status.final else None)
    error = _not_connected() if status is Status.FAILED else None
    duration = call.duration if status is Status.COMPLETED else None
    return StatusUpdate(status, _call_note(word, answered_by), error, answered_by, duration)


def call_callback_update(form: Mapping[str, str]) -> StatusUpdate:
    """Read a call's status callback, or the callback of answering-machine detection.

    The latter says only who answered, and may come after the end of the call.
    https://www.twilio.com/docs/voice/api/call-resource#statuscallback
    https://www.twilio.com/docs/voice/answering-machine-detection#asyncamdstatuscallback
    """
    word, answered_by = form.get("CallStatus", ""), form.get("AnsweredBy") or None
    status = status_of_call(word) if word else None
    error = None
    if status is Status.FAILED:
        error = _not_connected(_number(form.get("ErrorCode")), form.get("SipResponseCode", ""))
    duration = _number(form.get("CallDuration")) if status is Status.COMPLETED else None
    return StatusUpdate(status, _call_note(word, answered_by), error, answered_by, duration)


def message_update(message: Message) -> StatusUpdate:
    """Read a Message resource. https://www.twilio.com/docs/messaging/api/message-resource"""
    seen = _text(message.status or "", message.error_code, message.error_message)
    return replace(seen, sent_at=message.date_sent) if message.status == "sent" else seen


def message_callback_update(form: Mapping[str, str]) -> StatusUpdate:
    """Read a text's status callback.

    https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
    """
    return _text(form.get("MessageStatus", ""), _number(form.get("ErrorCode")), None)


def _call_note(word: str, answered_by: str | None) -> str:
    if word == "completed" and (answered_by or "").startswith("machine"):
        return "Voicemail took the call"
    if word in {"", "in-progress"} and answered_by:
        return _answered_note(answered_by)
    return CALL_NOTES.get(word, ACCEPTED)


def _answered_note(answered_by: str) -> str:
    """Put Twilio's AnsweredBy in words.

    https://www.twilio.com/docs/voice/answering-machine-detection
    """
    if answered_by.startswith("machine"):
        return "A machine answered"
    return {"human": "A person answered", "fax": "A fax machine answered"}.get(
        answered_by, "Answered, by a person or a machine"
    )


def _not_connected(code: int | None = None, sip_code: str = "") -> Problem:
    if code is not None:
        return Problem(code, NOT_CONNECTED, hint_for(code))
    if sip_code in SIP_NO_SUCH_NUMBER:
        return Problem(None, NOT_CONNECTED, "The number isn't in use: check its digits.")
    return Problem(None, NOT_CONNECTED, CHECK_THE_NUMBER)


def _text(word: str, code: int | None, message: str | None) -> StatusUpdate:
    status, note = status_of_message(word), MESSAGE_NOTES.get(word, ACCEPTED)
    if status is not Status.FAILED:
        return StatusUpdate(status, note)
    return StatusUpdate(status, note, Problem(code, message or f"{note}.", hint_for(code)))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None
