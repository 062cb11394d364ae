"""Dial and Number: a caller put through to somebody else.

https://www.twilio.com/docs/voice/twiml/dial · https://www.twilio.com/docs/voice/twiml/number
"""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal

from twiml.container import Container
from twiml.element import Element, shown
from twiml.errors import TwimlError
from twiml.kinds import OneOf, Pattern, Text, Whole
from twiml.values import (
    PHONE_NUMBER,
    Anything,
    Boolean,
    CallEvents,
    Method,
    RecordingEvents,
    Trim,
    Url,
)

MAX_NUMBERS = 10


@dataclass(frozen=True, repr=False)
class Number(Element):
    """A phone number to dial. Times of machine detection are in milliseconds, but its time-out."""

    tag = "Number"
    content = "phone_number"
    phone_number: Annotated[str, PHONE_NUMBER]
    _: KW_ONLY
    send_digits: Annotated[str | None, Pattern("[0-9*#wW]+", "keys 0 to 9, *, # and w")] = None
    url: Url = None
    method: Method = None
    status_callback_event: CallEvents = None
    status_callback: Url = None
    status_callback_method: Method = None
    byoc: Annotated[str | None, Pattern("BY[0-9a-f]{32}", "a trunk's SID, BY…")] = None
    machine_detection: Annotated[
        Literal["Enable", "DetectMessageEnd"] | None, OneOf("Enable", "DetectMessageEnd")
    ] = None
    machine_detection_timeout: Annotated[int | None, Whole(3, 60)] = None
    machine_detection_speech_threshold: Annotated[int | None, Whole(1000, 6000)] = None
    machine_detection_speech_end_threshold: Annotated[int | None, Whole(500, 5000)] = None
    machine_detection_silence_timeout: Annotated[int | None, Whole(2000, 10_000)] = None
    amd_status_callback: Url = None
    amd_status_callback_method: Method = None


RECORD = (
    "do-not-record",
    "record-from-answer",
    "record-from-ringing",
    "record-from-answer-dual",
    "record-from-ringing-dual",
    "true",
    "false",
)


@dataclass(frozen=True, repr=False)
class Dial(Container):
    """Dials one number given as text, or up to ten `Number`s at once; the first to answer wins.

    It rings for `timeout` seconds, and the call lasts `time_limit` seconds at most.
    """

    tag = "Dial"
    holds = ("Number",)

    action: Url
    method: Method
    timeout: Annotated[int | None, Whole(1, 600)]
    hangup_on_star: Boolean
    time_limit: Annotated[int | None, Whole(1, 86_400)]
    caller_id: Anything
    call_reason: Annotated[str | None, Text(50)]
    record: Annotated[str | None, OneOf(*RECORD)]
    trim: Trim
    recording_status_callback: Url
    recording_status_callback_method: Method
    recording_status_callback_event: RecordingEvents
    recording_track: Annotated[str | None, OneOf("inbound", "outbound", "both")]
    answer_on_bridge: Boolean
    ring_tone: Annotated[str | None, Pattern("[a-z]{2}(-old)?", "a country such as gb")]
    sequential: Boolean
    refer_url: Url
    refer_method: Method

    def __init__(
        self,
        *children: str | Number,
        action: str | None = None,
        method: Literal["GET", "POST"] | None = None,
        timeout: int | None = None,
        hangup_on_star: bool | None = None,
        time_limit: int | None = None,
        caller_id: str | None = None,
        call_reason: str | None = None,
        record: str | None = None,
        trim: Literal["trim-silence", "do-not-trim"] | None = None,
        recording_status_callback: str | None = None,
        recording_status_callback_method: Literal["GET", "POST"] | None = None,
        recording_status_callback_event: str | None = None,
        recording_track: Literal["inbound", "outbound", "both"] | None = None,
        answer_on_bridge: bool | None = None,
        ring_tone: str | None = None,
        sequential: bool | None = None,
        refer_url: str | None = None,
        refer_method: Literal["GET", "POST"] | None = None,
    ) -> None:
        self._build(locals())

    def _check(self) -> None:
        texts = [child for child in self.children if isinstance(child, str)]
        if not self.children or (texts and len(self.children) > 1):
            raise TwimlError("Dial needs one phone number as text, or Numbers.")
        if len(self.children) > MAX_NUMBERS:
            raise TwimlError(f"Dial holds at most {MAX_NUMBERS} Numbers.")
        if texts and not PHONE_NUMBER.allows(texts[0].strip()):
            raise TwimlError(f"Dial needs {PHONE_NUMBER.rule}, not {shown(texts[0])}.")
