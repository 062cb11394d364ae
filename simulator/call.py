"""One call: where it stands, and what was heard in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from simulator.call_request import CallRequest
from simulator.clock import Clock
from simulator.errors import TwimlError
from simulator.form import without_password
from simulator.transcript import Kind, Line, Trouble

FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""


@dataclass(eq=False)
class Call:
    """A call of `account_sid`. Its status changes through the methods below and nowhere else."""

    sid: str
    account_sid: str
    request: CallRequest
    clock: Clock = field(repr=False)
    status: str = "queued"
    answered_by: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration: int | None = None
    transcript: list[Line] = field(default_factory=list, repr=False)
    troubles: list[Trouble] = field(default_factory=list, repr=False)
    _answered_at: float | None = None

    def __post_init__(self) -> None:
        self.date_created = self.date_updated = self.clock.now()

    @property
    def is_over(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL_STATUSES

    @property
    def seconds_since_answer(self) -> float:
        """Simulated seconds since somebody answered; 0 before."""
        return 0 if self._answered_at is None else self.clock.seconds() - self._answered_at

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
        self, kind: Kind, text: str, voice: str | None = None, language: str | None = None
    ) -> None:
        """Add a line to the transcript."""
        at = round(self.seconds_since_answer, 2)
        self.transcript.append(Line(at, kind, without_password(text), voice, language))

    def warn(self, code: int | None, message: str) -> None:
        """Note something in the TwiML that Twilio passes over."""
        self.troubles.append(Trouble(code, "warning", without_password(message)))

    def fail(self, error: TwimlError) -> None:
        """Note an error in the instructions, for the transcript too."""
        url = None if error.url is None else without_password(error.url)
        message = without_password(error.message)
        self.troubles.append(Trouble(error.code, "error", message, url))
        self.note("error", f"{error.code}: {message}")

    def _become(self, status: str) -> None:
        self.status = status
        self.date_updated = self.clock.now()
