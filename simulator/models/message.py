"""One text message: what was asked for, where it stands, and its segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from simulator.clock import Clock
from simulator.masking import without_password
from simulator.models.transcript import Trouble
from simulator.models.webhooks import Callback


@dataclass(frozen=True)
class MessageRequest:
    """A text to send. Numbers are E.164; `from_` is None if a Messaging Service picks it.

    A scheduled text waits until `send_at`.
    """

    to: str
    from_: str | None
    messaging_service_sid: str | None
    body: str
    media_urls: tuple[str, ...] = ()
    status_callback: Callback | None = None
    send_at: datetime | None = None


FINAL_STATUSES = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})
"""https://www.twilio.com/docs/messaging/api/message-resource#message-status-values"""


Direction = Literal["outbound-api", "outbound-reply", "inbound"]


@dataclass(eq=False)
class Message:
    """A text of `account_sid`. `from_` is empty until a Messaging Service has chosen one."""

    sid: str
    account_sid: str
    request: MessageRequest
    clock: Clock = field(repr=False)
    status: str = "queued"
    error_code: int | None = None
    date_sent: datetime | None = None
    direction: Direction = "outbound-api"
    troubles: list[Trouble] = field(default_factory=list, repr=False)
    observers: list[Callable[[Message], None]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.date_created = self.date_updated = self.clock.now()
        self.body = self.request.body
        self.from_ = self.request.from_
        if self.request.send_at is not None:
            self.status = "scheduled"
        elif self.request.messaging_service_sid:
            self.status = "accepted"

    @property
    def is_over(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL_STATUSES

    def queue(self, from_: str) -> None:
        """A Messaging Service has chosen the sender."""
        self.from_ = from_
        self.become("queued")

    def send(self) -> None:
        """The text has left for the carrier."""
        self.date_sent = self.clock.now()
        self.become("sent")

    def become(self, status: str, error_code: int | None = None) -> None:
        """Take the next status."""
        self.status = status
        self.error_code = error_code
        self.date_updated = self.clock.now()
        for observer in self.observers:
            observer(self)

    def warn(self, code: int | None, message: str) -> None:
        """Note that somebody's server didn't take what Twilio told it."""
        self.troubles.append(Trouble(code, "warning", without_password(message)))

    def redact(self) -> None:
        """Forget the words; the rest of the record stays."""
        self.body = ""
        self.date_updated = self.clock.now()


# The GSM 03.38 alphabet; what is in the extension table takes two places.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


_EXTENSION = frozenset("\f^{}\\[~]|€")


def count_segments(body: str) -> int:
    """Segments that `body` is sent in: 160 characters each, or 70 outside the GSM alphabet."""
    if all(character in _BASIC or character in _EXTENSION for character in body):
        places = sum(2 if character in _EXTENSION else 1 for character in body)
        return _divide(places, alone=160, joined=153)
    return _divide(len(body.encode("utf-16-le", "surrogatepass")) // 2, alone=70, joined=67)


def _divide(places: int, *, alone: int, joined: int) -> int:
    if places <= alone:
        return 1
    return -(-places // joined)
