"""One call: what was asked for, its status, its transcript, and the callee's telephone."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from simulator.clock import Clock
from simulator.errors import TwimlError
from simulator.models.sids import API_VERSION, account_path
from simulator.models.webhooks import Callback, Instructions
from simulator.untrusted_text import without_password

KEYS = frozenset("0123456789*#")
LineKind = Literal[
    "fetch",
    "say",
    "play",
    "pause",
    "gather",
    "digits",
    "record",
    "dial",
    "redirect",
    "hangup",
    "error",
]
TWILIO_API_URL = "https://api.twilio.com"
LONGEST_CALL_SECONDS = 4 * 60 * 60
DOLLARS_PER_MINUTE = 0.014

FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""

MOST_LINES = 10_000
"""Lines of a transcript; a document that repeats itself forever must not fill the memory."""
MOST_TROUBLES = 1_000

CallEvent = Literal[
    "initiated", "ringing", "answered", "completed", "handset detached", "line", "gathering"
]
"""What observers are told of: the call events as Twilio names them, a handset that wasn't used, a
new line in the transcript, and that the call starts or stops waiting for keys."""

_EVENTS: dict[str, CallEvent] = {"ringing": "ringing", "in-progress": "answered"}

CallObserver: TypeAlias = Callable[["Call", CallEvent], None]


class Callee:
    """The telephone at the other end of one call: picked up, its keys pressed, hung up.

    The directory's character operates it, or a handset while `on_handset` is set. The handset may
    leave the call ringing for `ring_seconds` of simulated time.
    """

    def __init__(self) -> None:
        self.on_handset = asyncio.Event()
        self.ring_seconds = 0.0
        self.decided = asyncio.Event()
        self.picks_up = False
        self.hung_up = asyncio.Event()
        self.key_pressed = asyncio.Event()
        self._keys: deque[str] = deque()

    def attach_handset(self, ring_seconds: float) -> None:
        """Let a handset decide from now on."""
        self.ring_seconds = ring_seconds
        self.on_handset.set()

    def detach_handset(self) -> None:
        """Let the character decide, because the handset wasn't used."""
        self.on_handset.clear()

    def decide(self, *, picks_up: bool) -> None:
        """Answer or decline; the first decision counts."""
        if not self.decided.is_set():
            self.picks_up = picks_up
            self.decided.set()

    def press(self, keys: str) -> None:
        """Press keys one after the other. Characters that are on no telephone are skipped."""
        pressed = [key for key in keys if key in KEYS]
        if pressed:
            self._keys.extend(pressed)
            self.key_pressed.set()

    def take_key(self) -> str | None:
        """Return the oldest key that wasn't taken yet, or None."""
        key = self._keys.popleft() if self._keys else None
        if not self._keys:
            self.key_pressed.clear()
        return key

    def clear_keys(self) -> None:
        """Drop the keys pressed so far: they count only while a verb waits for them."""
        self._keys.clear()
        self.key_pressed.clear()


@dataclass(frozen=True)
class Line:
    """One thing that happened, `at` simulated seconds after the call was answered.

    `text` is what was said, played or pressed; `voice` and `language` are those of a `say`.
    `seconds` is how long it takes, where that is known when it begins.
    """

    at: float
    kind: LineKind
    text: str
    voice: str | None = None
    language: str | None = None
    seconds: float = 0


@dataclass(frozen=True)
class Trouble:
    """An error or a warning, as Twilio's debugger lists them. After a warning the call goes on."""

    code: int | None
    level: Literal["error", "warning"]
    message: str
    url: str | None = None


@dataclass(frozen=True)
class CallRequest:
    """A call to place. Numbers are E.164; `timeout` and `time_limit` are seconds.

    `machine_detection` is `Enable`, `DetectMessageEnd` or None; with `detects_in_background`
    the instructions are followed without waiting for its result, which goes to
    `detection_callback`. `status_callback` is told of the events in `status_events`.
    """

    to: str
    from_: str
    instructions: Instructions
    fallback: Instructions | None
    timeout: int
    time_limit: int
    machine_detection: str | None
    detects_in_background: bool = False
    detection_timeout: int = 30
    detection_callback: Callback | None = None
    status_callback: Callback | None = None
    status_events: frozenset[str] = frozenset({"completed"})


@dataclass(eq=False)
class Call:
    """A call of `account_sid`. Its status changes through the methods below and nowhere else.

    `api_url` is where the REST API was reached that placed it, and its recordings can be fetched.
    """

    sid: str
    account_sid: str
    request: CallRequest
    clock: Clock = field(repr=False)
    parent_sid: str | None = None
    api_url: str = TWILIO_API_URL
    status: str = "queued"
    answered_by: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration: int | None = None
    transcript: list[Line] = field(default_factory=list, repr=False)
    troubles: list[Trouble] = field(default_factory=list, repr=False)
    callee: Callee = field(default_factory=Callee, repr=False)
    observers: list[CallObserver] = field(default_factory=list, repr=False)
    detection_seconds: float | None = None
    queue_seconds: float = 0
    gathering: bool = False
    _answered_at: float | None = None

    def __post_init__(self) -> None:
        self.date_created = self.date_updated = self.clock.now()

    @property
    def path(self) -> str:
        """The call's path in the REST API, without `.json`."""
        return f"{account_path(self.account_sid)}/Calls/{self.sid}"

    @property
    def is_over(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL_STATUSES

    @property
    def direction(self) -> str:
        """Twilio's word for who placed the call: the REST API, or a Dial in another call."""
        return "outbound-api" if self.parent_sid is None else "outbound-dial"

    @property
    def seconds_since_answer(self) -> float:
        """Simulated seconds since the call was answered; 0 before."""
        return 0 if self._answered_at is None else self.clock.seconds() - self._answered_at

    @property
    def price(self) -> float:
        """What the call has cost in dollars, by the started minute; 0 if it wasn't answered."""
        if self.duration is None:
            return 0
        return DOLLARS_PER_MINUTE * billed_minutes(self.duration)

    def initiate(self) -> None:
        """Leave the queue. The status stays `queued` until the callee's telephone rings."""
        self._notify("initiated")

    def ring(self) -> None:
        """Let the callee's telephone ring."""
        self.start_time = self.clock.now()
        self._become("ringing")

    def answer(self) -> None:
        """Note that a person or a machine picked up."""
        self._answered_at = self.clock.seconds()
        self._become("in-progress")

    def end(self, status: str) -> None:
        """End the call with one of FINAL_STATUSES; the first end counts."""
        if self.is_over:
            return
        if status == "completed":
            self.end_time = self.clock.now()
            self.duration = round(self.seconds_since_answer)
        self._become(status)

    def note(
        self,
        kind: LineKind,
        text: str,
        voice: str | None = None,
        language: str | None = None,
        seconds: float = 0,
    ) -> None:
        """Add a line to the transcript, unless it is full."""
        if len(self.transcript) >= MOST_LINES:
            return
        at = round(self.seconds_since_answer, 2)
        line = Line(at, kind, without_password(text), voice, language, round(seconds, 2))
        self.transcript.append(line)
        self._notify("line")

    def set_gathering(self, gathering: bool) -> None:
        """Start or stop waiting for keys."""
        self.gathering = gathering
        self._notify("gathering")

    def detach_handset(self) -> None:
        """Let the directory's character decide, because the handset wasn't used."""
        self.callee.detach_handset()
        self._notify("handset detached")

    def warn(self, code: int | None, message: str) -> None:
        """Note something in the TwiML that Twilio only warns of."""
        self._add_trouble(Trouble(code, "warning", without_password(message)))

    def fail(self, error: TwimlError) -> None:
        """Note an error in the instructions, in the transcript too."""
        url = None if error.url is None else without_password(error.url)
        message = without_password(error.message)
        self._add_trouble(Trouble(error.code, "error", message, url))
        self.note("error", f"{error.code}: {message}")

    def _become(self, status: str) -> None:
        self.status = status
        self.date_updated = self.clock.now()
        self._notify(_EVENTS.get(status, "completed"))

    def _add_trouble(self, trouble: Trouble) -> None:
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(trouble)

    def _notify(self, event: CallEvent) -> None:
        for observer in tuple(self.observers):
            observer(self, event)


def billed_minutes(seconds: int) -> int:
    """The minutes that Twilio bills for a call of this many seconds: at least one."""
    return max(math.ceil(seconds / 60), 1)


def request_parameters(call: Call) -> list[tuple[str, str]]:
    """The form fields of every request to a customer's server that is about `call`.

    https://www.twilio.com/docs/voice/twiml#request-parameters
    """
    parameters = [
        ("CallSid", call.sid),
        ("AccountSid", call.account_sid),
        ("From", call.request.from_),
        ("To", call.request.to),
        ("Caller", call.request.from_),
        ("Called", call.request.to),
        ("CallStatus", call.status),
        ("ApiVersion", API_VERSION),
        ("Direction", call.direction),
    ]
    if call.parent_sid is not None:
        parameters.append(("ParentCallSid", call.parent_sid))
    if call.answered_by is not None:
        parameters.append(("AnsweredBy", call.answered_by))
    if call.detection_seconds is not None:
        milliseconds = round(call.detection_seconds * 1000)
        parameters.append(("MachineDetectionDuration", str(milliseconds)))
    return parameters
