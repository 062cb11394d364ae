"""An alert: what was asked for, and everything that happened to it since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerts.status import Status
from storage import StorageError
from twilio_client import TwilioError

Channel = Literal["call", "text"]
# Who tells: this program, Twilio (a callback, a look at its resource, or its list of recent ones),
# or a person (the one who was rung, or the one who sent it).
Source = Literal["callboard", "callback", "poll", "lookup", "recipient", "sender"]


@dataclass(frozen=True, slots=True)
class AlertRequest:
    """What somebody asks for.

    `to` is a number the way people write it, `message` may hold `{{ now }}`, `{{ today }}` and
    `{{ user }}`; `id` is the caller's own key: the same id sent twice with one Twilio account is
    one alert. `repeat` says how often a call speaks the message (0: until they hang up).
    `time_zone` is the IANA name of the sender's, "" for this machine's. `name` is who is at that
    number, for people.

    A call can ask for a key press (`acknowledge`), and leave the short message `voicemail` where
    a machine answers ("" finds out nothing about who answered). Where nobody was reached it is
    tried up to `tries` times, `minutes_between_tries` apart; then, with `then_text`, a text
    says the same; then all of this begins again with the next of the numbers `then_to`.

    In `quiet_hours` ("22:00-07:00", where the recipient is) nothing but an `urgent` alert is sent.
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
    name: str = ""
    acknowledge: bool = False
    voicemail: str = ""
    tries: int = 1
    minutes_between_tries: float = 5
    then_text: bool = False
    then_to: tuple[str, ...] = ()
    quiet_hours: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Try:
    """One call or text: to whom, and how many minutes after the try before it has ended."""

    channel: Channel
    to: str
    minutes_later: float = 0


def tries_of(request: AlertRequest) -> tuple[Try, ...]:
    """Every try that the request allows; each is made only if those before reached nobody."""
    return tuple(each for to in (request.to, *request.then_to) for each in _tries_to(to, request))


def _tries_to(to: str, request: AlertRequest) -> list[Try]:
    again = Try(request.channel, to, request.minutes_between_tries)
    tries = [Try(request.channel, to), *[again] * (request.tries - 1)]
    if request.then_text and request.channel == "call":
        tries.append(Try("text", to))
    return tries


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
    """Something that happened to an alert, in words, and the facts that it brought.

    `status` is where the try `try_number` (from 1) stood then; None where the event says nothing
    about that. `answered_by` is what answering-machine detection found ("" if it found nothing);
    `canceling` is somebody's wish that the alert ends. `news` tells whether the event changed where
    the alert stands: what comes late or twice is kept and changes nothing.
    """

    at: datetime
    status: Status | None
    note: str
    source: Source = "callboard"
    try_number: int = 1
    sid: str | None = None
    twiml_url: str | None = None
    error: Problem | None = None
    answered_by: str | None = None
    canceling: bool = False
    news: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What the events of an alert decide: where its try `try_number` (from 1) stands, since when.

    `sid`, `twiml_url`, `error` and `answered_by` are facts about that try; `canceling` says that a
    person wants the alert to end.
    """

    since: datetime
    status: Status = Status.QUEUED
    try_number: int = 1
    sid: str | None = None
    twiml_url: str | None = None
    error: Problem | None = None
    answered_by: str | None = None
    canceling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(AlertState):
    """An alert as it stands, and its whole story.

    `request` is what was asked for, with its numbers in E.164 form and its variables filled in.
    """

    id: str
    request: AlertRequest
    from_: str
    not_before: datetime
    events: tuple[Event, ...]

    @property
    def present_try(self) -> Try:
        """The call or text that stands now; others may follow, also to the next person."""
        return tries_of(self.request)[self.try_number - 1]

    @property
    def channel(self) -> Channel:
        """How the present try is made."""
        return self.present_try.channel

    @property
    def to(self) -> str:
        """The number that the present try is made to."""
        return self.present_try.to

    @property
    def message(self) -> str:
        """What is said or written."""
        return self.request.message

    @property
    def reached(self) -> bool:
        """Whether the person got it, as far as anybody can tell; a key press if it asked for it."""
        return self.status.reaches(acknowledge=self.request.acknowledge)

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
