"""An alert: what was asked for, what was sent, and every step since."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from alerts.status import Status, may_follow
from storage import StorageError
from twilio_client import TwilioError

Channel = Literal["call", "text"]


@dataclass(frozen=True, slots=True)
class AlertRequest:
    """What somebody asks for.

    `to` is a number the way people write it, `message` may hold `{{ now }}`, `{{ today }}` and
    `{{ user }}`; `id` is the caller's own key: the same id sent twice is one alert. `repeat` says
    how often a call speaks the message (0: until they hang up). `time_zone` is the IANA name of
    the sender's, "" for this machine's.
    """

    channel: Channel
    to: str
    message: str
    id: str | None = None
    voice: str = "alice"
    language: str = "en-GB"
    repeat: int = 3
    user: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an alert failed: Twilio's `code` if it has one, plain words, and what to do."""

    code: int | None
    message: str
    hint: str

    @classmethod
    def of(cls, error: StorageError | TwilioError) -> Problem:
        """What went wrong at a storage or at Twilio; `message` is a sentence in any case."""
        if isinstance(error, StorageError):
            return cls(None, error.message, error.hint)
        message = error.message if error.code else str(error)
        return cls(error.code, message, error.hint)

    def __str__(self) -> str:
        if self.code is None:
            return f"{self.message} {self.hint}"
        return f"{self.hint} (Twilio error {self.code}: {self.message})"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an alert: the status that it brought, and words for people."""

    at: datetime
    status: Status
    note: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands. Each step gives a new value; `events` is the whole story."""

    id: str
    channel: Channel
    to: str
    from_: str
    message: str
    events: tuple[Event, ...]
    sid: str | None = None
    twiml_url: str | None = None
    error: Problem | None = None

    @property
    def status(self) -> Status:
        """Where it stands now."""
        return self.events[-1].status

    def with_event(
        self,
        status: Status,
        note: str,
        *,
        sid: str | None = None,
        twiml_url: str | None = None,
        error: Problem | None = None,
    ) -> Alert:
        """The alert after `status`; itself where that is no news."""
        if not may_follow(self.status, status):
            return self
        return replace(
            self,
            events=(*self.events, Event(datetime.now(UTC), status, note)),
            sid=sid or self.sid,
            twiml_url=twiml_url or self.twiml_url,
            error=error or self.error,
        )

    def as_json(self) -> dict[str, object]:
        """The object that the command line prints."""
        error = self.error
        return {
            "id": self.id,
            "channel": self.channel,
            "to": self.to,
            "from": self.from_,
            "status": self.status.value,
            "sid": self.sid,
            "twiml_url": self.twiml_url,
            "error": error and {"code": error.code, "message": error.message, "hint": error.hint},
        }
