"""The voice verbs that nest nothing: Play, Pause, Redirect, Hangup, Reject and Record."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal

from twiml.element import Element
from twiml.errors import TwimlError
from twiml.kinds import OneOf, Pattern, Whole
from twiml.values import (
    URL,
    URL_FORM,
    URL_RULE,
    Anything,
    Boolean,
    Loop,
    Method,
    RecordingEvents,
    Seconds,
    Trim,
    Url,
)


@dataclass(frozen=True, repr=False)
class Play(Element):
    """Plays the sound file at `url`, or the tones of `digits` (`w` waits half a second).

    `loop` is how often (0: until the call ends). https://www.twilio.com/docs/voice/twiml/play
    """

    tag = "Play"
    content = "url"
    url: Annotated[str, Pattern(f"({URL_FORM})?", URL_RULE)] = ""
    _: KW_ONLY
    loop: Loop = None
    digits: Annotated[str | None, Pattern("[0-9*#wW]+", "keys 0 to 9, *, # and w")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.url and self.digits is None:
            raise TwimlError("Play needs the URL of a sound file, or digits.")


@dataclass(frozen=True, repr=False)
class Pause(Element):
    """Waits in silence for `length` seconds; 1 if not given.

    https://www.twilio.com/docs/voice/twiml/pause
    """

    tag = "Pause"
    length: Seconds = None


@dataclass(frozen=True, repr=False)
class Redirect(Element):
    """Goes on with the document at `url`. https://www.twilio.com/docs/voice/twiml/redirect"""

    tag = "Redirect"
    content = "url"
    url: Annotated[str, URL]
    _: KW_ONLY
    method: Method = None


@dataclass(frozen=True, repr=False)
class Hangup(Element):
    """Ends the call. https://www.twilio.com/docs/voice/twiml/hangup"""

    tag = "Hangup"


@dataclass(frozen=True, repr=False)
class Reject(Element):
    """Turns an incoming call away. https://www.twilio.com/docs/voice/twiml/reject"""

    tag = "Reject"
    reason: Annotated[Literal["rejected", "busy"] | None, OneOf("rejected", "busy")] = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Record(Element):
    """Records the caller until a key, `timeout` seconds of silence, or `max_length` seconds.

    https://www.twilio.com/docs/voice/twiml/record
    """

    tag = "Record"
    action: Url = None
    method: Method = None
    timeout: Seconds = None
    finish_on_key: Annotated[str | None, Pattern("[0-9*#]+", "keys 0 to 9, * and #")] = None
    max_length: Annotated[int | None, Whole(2, 86_400)] = None
    play_beep: Boolean = None
    trim: Trim = None
    recording_status_callback: Url = None
    recording_status_callback_method: Method = None
    recording_status_callback_event: RecordingEvents = None
    transcribe: Boolean = None
    transcribe_callback: Url = None
    recording_configuration_id: Anything = None
