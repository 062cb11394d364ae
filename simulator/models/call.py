"""One call: what was asked for, where it stands, and what was heard in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from simulator.clock import Clock
from simulator.errors import TwimlError
from simulator.masking import without_password
from simulator.models.callee import OtherEnd
from simulator.models.transcript import Kind, Line, Trouble
from simulator.models.webhooks import Callback, Instructions

LONGEST_CALL_SECONDS = 4 * 60 * 60


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


FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""


MOST_LINES = 10_000
"""Of a transcript; a document that repeats itself for ever must not fill the memory."""


MOST_TROUBLES = 1_000


Happening = Literal["initiated", "ringing", "answered", "completed", "let go", "line", "gathering"]
"""What observers are told of: a call event as Twilio names them, a handset given up, a new line in
the transcript, or that keys are waited for or not any more."""


_EVENTS: dict[str, Happening] = {"ringing": "ringing", "in-progress": "answered"}


Observer: TypeAlias = Callable[["Call", Happening], None]


@dataclass(eq=False)
class Call:
    """A call of `account_sid`. Its status changes through the methods below and nowhere else."""

    sid: str
    account_sid: str
    request: CallRequest
    clock: Clock = field(repr=False)
    parent_sid: str | None = None
    status: str = "queued"
    answered_by: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration: int | None = None
    transcript: list[Line] = field(default_factory=list, repr=False)
    troubles: list[Trouble] = field(default_factory=list, repr=False)
    other_end: OtherEnd = field(default_factory=OtherEnd, repr=False)
    observers: list[Observer] = field(default_factory=list, repr=False)
    detection_seconds: float | None = None
    queue_seconds: float = 0
    gathering: bool = False
    _answered_at: float | None = None

    def __post_init__(self) -> None:
        self.date_created = self.date_updated = self.clock.now()

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
        """Simulated seconds since somebody answered; 0 before."""
        return 0 if self._answered_at is None else self.clock.seconds() - self._answered_at

    def initiate(self) -> None:
        """The call leaves the queue. Its status stays `queued` until the other end rings."""
        self._tell("initiated")

    def ring(self) -> None:
        """The other end rings."""
        self.start_time = self.clock.now()
        self._become("ringing")

    def answer(self) -> None:
        """Somebody or something picks up."""
        self._answered_at = self.clock.seconds()
        self._become("in-progress")

    def end(self, status: str) -> None:
        """The call is over with one of FINAL_STATUSES; the first end counts."""
        if self.is_over:
            return
        if status == "completed":
            self.end_time = self.clock.now()
            self.duration = round(self.seconds_since_answer)
        self._become(status)

    def note(
        self,
        kind: Kind,
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
        self._tell("line")

    def listen_for_keys(self, gathering: bool) -> None:
        """Keys are waited for from now on, or not any more."""
        self.gathering = gathering
        self._tell("gathering")

    def let_go(self) -> None:
        """Whoever has the handset didn't answer: the directory's character decides."""
        self.other_end.let_go()
        self._tell("let go")

    def warn(self, code: int | None, message: str) -> None:
        """Note something in the TwiML that Twilio passes over."""
        self._trouble(Trouble(code, "warning", without_password(message)))

    def fail(self, error: TwimlError) -> None:
        """Note an error in the instructions, for the transcript too."""
        url = None if error.url is None else without_password(error.url)
        message = without_password(error.message)
        self._trouble(Trouble(error.code, "error", message, url))
        self.note("error", f"{error.code}: {message}")

    def _become(self, status: str) -> None:
        self.status = status
        self.date_updated = self.clock.now()
        self._tell(_EVENTS.get(status, "completed"))

    def _trouble(self, trouble: Trouble) -> None:
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(trouble)

    def _tell(self, happening: Happening) -> None:
        for observer in tuple(self.observers):
            observer(self, happening)


def request_parameters(call: Call) -> list[tuple[str, str]]:
    """The parameters of every request that is about `call`."""
    parameters = [
        ("CallSid", call.sid),
        ("AccountSid", call.account_sid),
        ("From", call.request.from_),
        ("To", call.request.to),
        ("Caller", call.request.from_),
        ("Called", call.request.to),
        ("CallStatus", call.status),
        ("ApiVersion", "2010-04-01"),
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
