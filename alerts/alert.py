"""An alert: what was requested, and everything that has happened to it since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from alerts.phone_numbers import international, join_dialed, split_dialed
from alerts.status import STAGES, Stage, Status
from storage import StorageError
from twilio_client import TwilioError

Channel = Literal["call", "text"]
CHANNELS: tuple[Channel, ...] = ("call", "text")
# Where an event comes from: this program; Twilio, in a callback, a poll of the call or text, or a
# lookup in its list of recent ones; or a person, the recipient or the sender.
Source = Literal["callboard", "callback", "poll", "lookup", "recipient", "sender"]
# The limit that holds a try back: its number's hour or the day's spend limit.
HeldFor = Literal["", "number", "spend"]


@dataclass(frozen=True, slots=True)
class AlertRequest:
    """What the sender asks for.

    `to` is a number the way people write it, for a call also with an extension ("x123"). `message`
    may hold `{{ now }}`, `{{ today }}`, `{{ user }}` and `{{ name }}`. `id` is the caller's own
    key: the same id sent twice with one Twilio account is one alert. `repeat` is how many times a
    call speaks the message (0: until they hang up). `time_zone` is the sender's, an IANA name, or
    "" for this machine's. `name` is the recipient's. With `template=False` the message is sent as
    it stands, braces and all, which suits words that come from data.

    With `acknowledge` a call asks for a key press, and a text for a reply. A call can leave the
    short message `voicemail` with an answering machine; "" switches machine detection off. If the
    recipient isn't reached, it is tried up to `tries` times, `minutes_between_tries` apart. Then,
    with `then_text`, a text says the same. Then all of this begins again with the next of the
    numbers in `then_to`.

    `{{ name }}` in a message is the recipient's name, and `variables` are further ones with their
    values, such as the columns of a row of data. `broadcast` is the id of the broadcast that the
    alert belongs to, or "".

    During `quiet_hours` ("22:00-07:00", by the recipient's clock) only `urgent` alerts are sent.
    For the first `hold_seconds`, up to 60, nothing is sent, so that the sender can cancel it.
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
    template: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)
    broadcast: str = ""
    hold_seconds: float = 0


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert that is to be saved for the first time.

    `place` is its place in its broadcast (from 0), if it belongs to one. `rule_id` is the rule that
    sends it, if any.
    """

    id: str
    request: AlertRequest
    from_: str
    place: int | None = None
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One call or text to a number, made `minutes_later` after the end of the try before it.

    `to` is in E.164. `extension` is what a call dials once it is answered, as in `PhoneNumber`.
    """

    channel: Channel
    to: str
    minutes_later: float = 0
    extension: str = ""

    @property
    def dialed(self) -> str:
        """The number and its extension, as in `PhoneNumber.dialed`."""
        return join_dialed(self.to, self.extension)


def tries_of(request: AlertRequest) -> tuple[Try, ...]:
    """Every try that the request allows; each is made only if those before didn't get through."""
    return tuple(each for to in (request.to, *request.then_to) for each in _tries_to(to, request))


def _tries_to(to: str, request: AlertRequest) -> list[Try]:
    to, extension = split_dialed(to)
    first = Try(request.channel, to, extension=extension)
    again = Try(request.channel, to, request.minutes_between_tries, extension)
    tries = [first, *[again] * (request.tries - 1)]
    if request.then_text and request.channel == "call":
        tries.append(Try("text", to))
    return tries


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an alert failed: Twilio's `code` if there is one, what happened, and what to do."""

    code: int | None
    message: str
    hint: str

    @classmethod
    def of(cls, error: StorageError | TwilioError) -> Problem:
        """Describe an error from a storage or from Twilio; `message` is always a sentence."""
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
    """Something that happened to an alert: a `note` for people, and the facts that it brought.

    `status` is the status of try `try_number` (from 1) at that time, or None if the event says
    nothing about it. `answered_by` is what answering-machine detection found ("" if it found
    nothing), and `duration` how many seconds the call lasted after it was answered. `canceling`
    means that a person asked for the alert to end, `send_now` that a person ended its wait.
    `held_until` is when the try may begin at the earliest, and `held_for` why. `news` is whether
    the event changed the alert's state: an event that comes late or twice is kept and changes
    nothing.
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
    duration: int | None = None
    send_now: bool = False
    held_until: datetime | None = None
    held_for: HeldFor = ""
    news: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What an alert's events add up to: the status of try `try_number` (from 1), and since when.

    `sid`, `twiml_url`, `error` and `answered_by` are facts about that try. `canceling` means that a
    person asked for the alert to end, `send_now` that a person ended the try's wait. `held_until`
    is when the try may begin at the earliest if a limit holds it back, and `held_for` which one.
    `asks_reply` means that a text has asked the recipient for a reply, and `reply_until` until when
    the alert stays open for it, once the last text has arrived.
    """

    since: datetime
    status: Status = Status.QUEUED
    try_number: int = 1
    sid: str | None = None
    twiml_url: str | None = None
    error: Problem | None = None
    answered_by: str | None = None
    canceling: bool = False
    send_now: bool = False
    held_until: datetime | None = None
    held_for: HeldFor = ""
    asks_reply: bool = False
    reply_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(AlertState):
    """An alert's present state, and all its events, oldest first.

    `request` is what was asked for, with its numbers as in `PhoneNumber.dialed`, and `tries` are
    all that it allows, as `tries_of` returns them.
    """

    id: str
    request: AlertRequest
    from_: str
    not_before: datetime
    events: tuple[Event, ...]
    tries: tuple[Try, ...]

    @property
    def present_try(self) -> Try:
        """The try that is under way, or the last one made; others may follow it."""
        return self.tries[self.try_number - 1]

    @property
    def label(self) -> str:
        """What people call the recipient: the name, or the number if there is none."""
        return self.request.name or international(self.request.to)

    @property
    def channel(self) -> Channel:
        """Whether the present try is a call or a text."""
        return self.present_try.channel

    @property
    def to(self) -> str:
        """The number that the present try calls or texts, in E.164 and without extension."""
        return self.present_try.to

    @property
    def message(self) -> str:
        """The message as it was written: each try fills in its variables again."""
        return self.request.message

    @property
    def reached(self) -> bool:
        """Whether the recipient got it, as far as can be told; see `Status.reaches`."""
        return self.status.reaches(acknowledge=self.request.acknowledge)

    @property
    def stage(self) -> Stage:
        """How far it has come."""
        if stage := STAGES.get(self.status):
            return stage
        return Stage.REACHED if self.reached else Stage.NOT_REACHED

    @property
    def trouble(self) -> Problem | None:
        """What was wrong the last time that anything happened; None once it has ended."""
        return None if self.status.final else self.events[-1].error

    def as_json(self) -> dict[str, object]:
        """The object that the command line prints."""
        error = self.error
        if error is None and self.trouble:
            # It goes on, so the hint, to send it once more, would make it a second alert.
            error = replace(self.trouble, hint="")
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
