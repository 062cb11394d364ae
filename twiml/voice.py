"""The voice verbs: what Twilio does in a call.

Each links to its page at Twilio. Durations are in seconds unless they say otherwise.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal

from twiml.element import (
    PHONE_NUMBER,
    URL,
    URL_EXPRESSION,
    URL_RULE,
    AnyOf,
    AnyText,
    Boolean,
    Container,
    Element,
    Language,
    Method,
    OneOf,
    Pattern,
    Seconds,
    Text,
    TwimlError,
    Url,
    WholeNumber,
    shown,
    text_of,
)
from twiml.ssml import IN_SPEECH, Ssml

# In characters, tags not counted. https://www.twilio.com/docs/api/errors/13521
MAX_SAY_CHARACTERS = 4096
MAX_POLLY_CHARACTERS = 3000

# Types of attributes. Each allows None, which leaves the attribute out.
# 0 repeats until the call ends.
Loop = Annotated[int | None, WholeNumber(0)]
Count = Annotated[int | None, WholeNumber(1)]
# Keys to press; each w waits half a second.
Tones = Annotated[str | None, Pattern("[0-9*#wW]+", "keys 0 to 9, *, # and w")]
Voice = Annotated[
    str | None,
    Pattern(
        r"man|woman|alice|[A-Za-z]+\.\S+",
        "man, woman, alice, or a provider's voice such as Polly.Amy",
    ),
]
Trim = Annotated[
    Literal["trim-silence", "do-not-trim"] | None, OneOf("trim-silence", "do-not-trim")
]
RecordingEvents = Annotated[str | None, AnyOf("in-progress", "completed", "absent")]
CallEvents = Annotated[str | None, AnyOf("initiated", "ringing", "answered", "completed")]

MAX_DIALED_NUMBERS = 10
DIAL_RECORDINGS = (
    "do-not-record",
    "record-from-answer",
    "record-from-ringing",
    "record-from-answer-dual",
    "record-from-ringing-dual",
    "true",
    "false",
)


@dataclass(frozen=True, repr=False)
class Say(Container):
    """Speak text, with SSML elements where the voice needs help.

    `loop` is how many times (0: until the call ends). It takes up to 4,096 characters, or 3,000
    with a Polly voice. Text without words is refused, because Twilio refuses it (error 13520).
    https://www.twilio.com/docs/voice/twiml/say
    """

    tag = "Say"
    child_tags = IN_SPEECH
    is_speech = True

    voice: Voice
    language: Language
    loop: Loop

    def __init__(
        self,
        *children: str | Ssml,
        voice: str | None = None,
        language: str | None = None,
        loop: int | None = None,
    ) -> None:
        self._build(locals())

    def _check(self) -> None:
        spoken = text_of(self.children)
        if not spoken.strip():
            raise TwimlError("Say needs words to speak.")
        polly = self.voice is not None and self.voice.startswith("Polly.")
        most = MAX_POLLY_CHARACTERS if polly else MAX_SAY_CHARACTERS
        if len(spoken) > most:
            whose = " with a Polly voice" if polly else ""
            raise TwimlError(
                f"Say takes at most {most:,} characters{whose}; this has {len(spoken):,}."
            )


@dataclass(frozen=True, repr=False)
class Play(Element):
    """Play the sound file at `url`, or the tones of `digits` (`w` waits half a second).

    `loop` is how many times (0: until the call ends).
    https://www.twilio.com/docs/voice/twiml/play
    """

    tag = "Play"
    content = "url"
    url: Annotated[str, Pattern(f"({URL_EXPRESSION})?", URL_RULE)] = ""
    _: KW_ONLY
    loop: Loop = None
    digits: Tones = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.url and self.digits is None:
            raise TwimlError("Play needs the URL of a sound file, or digits.")


@dataclass(frozen=True, repr=False)
class Pause(Element):
    """Wait in silence for `length` seconds, or for one second.

    https://www.twilio.com/docs/voice/twiml/pause
    """

    tag = "Pause"
    length: Seconds = None


@dataclass(frozen=True, repr=False)
class Gather(Container):
    """Wait for keys (`input="dtmf"`, the default) or speech while the children play.

    Twilio sends the input to `action` after `num_digits` keys, after `finish_on_key`, or after
    `timeout` seconds without a key.
    https://www.twilio.com/docs/voice/twiml/gather
    """

    tag = "Gather"
    child_tags = ("Say", "Play", "Pause")
    allows_text = False

    input: Annotated[str | None, AnyOf("dtmf", "speech")]
    action: Url
    method: Method
    timeout: Seconds
    speech_timeout: Annotated[int | Literal["auto"] | None, WholeNumber(1, words=("auto",))]
    max_speech_time: Seconds
    profanity_filter: Boolean
    finish_on_key: Annotated[str | None, Pattern("[0-9*#]?", "one key 0 to 9, * or #, or empty")]
    num_digits: Count
    partial_result_callback: Url
    partial_result_callback_method: Method
    language: Language
    hints: AnyText
    barge_in: Boolean
    debug: Boolean
    action_on_empty_result: Boolean
    speech_model: Annotated[str | None, Pattern(r"\S+", "a model such as phone_call")]
    enhanced: Boolean

    def __init__(
        self,
        *children: Say | Play | Pause,
        input: str | None = None,
        action: str | None = None,
        method: Literal["GET", "POST"] | None = None,
        timeout: int | None = None,
        speech_timeout: int | Literal["auto"] | None = None,
        max_speech_time: int | None = None,
        profanity_filter: bool | None = None,
        finish_on_key: str | None = None,
        num_digits: int | None = None,
        partial_result_callback: str | None = None,
        partial_result_callback_method: Literal["GET", "POST"] | None = None,
        language: str | None = None,
        hints: str | None = None,
        barge_in: bool | None = None,
        debug: bool | None = None,
        action_on_empty_result: bool | None = None,
        speech_model: str | None = None,
        enhanced: bool | None = None,
    ) -> None:
        self._build(locals())


@dataclass(frozen=True, kw_only=True, repr=False)
class Record(Element):
    """Record the caller until a key, `timeout` seconds of silence, or `max_length` seconds.

    https://www.twilio.com/docs/voice/twiml/record
    """

    tag = "Record"
    action: Url = None
    method: Method = None
    timeout: Seconds = None
    finish_on_key: Annotated[str | None, Pattern("[0-9*#]+", "keys 0 to 9, * and #")] = None
    max_length: Annotated[int | None, WholeNumber(2, 86_400)] = None
    play_beep: Boolean = None
    trim: Trim = None
    recording_status_callback: Url = None
    recording_status_callback_method: Method = None
    recording_status_callback_event: RecordingEvents = None
    transcribe: Boolean = None
    transcribe_callback: Url = None
    recording_configuration_id: AnyText = None


@dataclass(frozen=True, repr=False)
class Number(Element):
    """One phone number that `Dial` calls.

    `machine_detection_timeout` is in seconds, the other times of machine detection in milliseconds.
    https://www.twilio.com/docs/voice/twiml/number
    """

    tag = "Number"
    content = "phone_number"
    phone_number: Annotated[str, PHONE_NUMBER]
    _: KW_ONLY
    send_digits: Tones = None
    url: Url = None
    method: Method = None
    status_callback_event: CallEvents = None
    status_callback: Url = None
    status_callback_method: Method = None
    byoc: Annotated[str | None, Pattern("BY[0-9a-f]{32}", "a trunk's SID, BY…")] = None
    machine_detection: Annotated[
        Literal["Enable", "DetectMessageEnd"] | None, OneOf("Enable", "DetectMessageEnd")
    ] = None
    machine_detection_timeout: Annotated[int | None, WholeNumber(3, 60)] = None
    machine_detection_speech_threshold: Annotated[int | None, WholeNumber(1000, 6000)] = None
    machine_detection_speech_end_threshold: Annotated[int | None, WholeNumber(500, 5000)] = None
    machine_detection_silence_timeout: Annotated[int | None, WholeNumber(2000, 10_000)] = None
    amd_status_callback: Url = None
    amd_status_callback_method: Method = None


@dataclass(frozen=True, repr=False)
class Dial(Container):
    """Connect the caller to one number given as text, or to the first of up to ten to answer.

    It rings for `timeout` seconds, and the call lasts at most `time_limit` seconds.
    https://www.twilio.com/docs/voice/twiml/dial
    """

    tag = "Dial"
    child_tags = ("Number",)

    action: Url
    method: Method
    timeout: Annotated[int | None, WholeNumber(1, 600)]
    hangup_on_star: Boolean
    time_limit: Annotated[int | None, WholeNumber(1, 86_400)]
    caller_id: AnyText
    call_reason: Annotated[str | None, Text(50)]
    record: Annotated[str | None, OneOf(*DIAL_RECORDINGS)]
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
        if len(self.children) > MAX_DIALED_NUMBERS:
            raise TwimlError(f"Dial takes at most {MAX_DIALED_NUMBERS} Numbers.")
        if texts and not PHONE_NUMBER.allows(texts[0].strip()):
            raise TwimlError(f"Dial needs {PHONE_NUMBER.rule}, not {shown(texts[0])}.")


@dataclass(frozen=True, repr=False)
class Redirect(Element):
    """Continue with the document at `url`. https://www.twilio.com/docs/voice/twiml/redirect"""

    tag = "Redirect"
    content = "url"
    url: Annotated[str, URL]
    _: KW_ONLY
    method: Method = None


@dataclass(frozen=True, repr=False)
class Hangup(Element):
    """End the call. https://www.twilio.com/docs/voice/twiml/hangup"""

    tag = "Hangup"


@dataclass(frozen=True, repr=False)
class Reject(Element):
    """Turn an incoming call away. https://www.twilio.com/docs/voice/twiml/reject"""

    tag = "Reject"
    reason: Annotated[Literal["rejected", "busy"] | None, OneOf("rejected", "busy")] = None
