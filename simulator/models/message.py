"""One text message: what was asked for, its status, and how many segments it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from simulator.clock import Clock
from simulator.models.call import Trouble
from simulator.models.sids import account_path
from simulator.models.webhooks import Callback
from simulator.untrusted_text import without_password

DOLLARS_PER_SEGMENT = 0.0083
LONGEST_BODY_CHARACTERS = 1600

FINAL_STATUSES = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})
"""https://www.twilio.com/docs/messaging/api/message-resource#message-status-values"""

Direction = Literal["outbound-api", "outbound-reply", "inbound"]

# The GSM 03.38 alphabet. A character of the extension table takes two places.
_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class MessageRequest:
    """A text to send. Numbers are E.164; `from_` may also be a short code or a sender ID, and is
    None if a Messaging Service picks it.

    A scheduled text waits until `send_at`.
    """

    to: str
    from_: str | None
    messaging_service_sid: str | None
    body: str
    media_urls: tuple[str, ...] = ()
    status_callback: Callback | None = None
    send_at: datetime | None = None


@dataclass(eq=False)
class Message:
    """A text of `account_sid`. `from_` is None until a Messaging Service has chosen a sender."""

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
        elif self.from_ is None:
            self.status = "accepted"

    @property
    def path(self) -> str:
        """The text's path in the REST API, without `.json`."""
        return f"{account_path(self.account_sid)}/Messages/{self.sid}"

    @property
    def is_over(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL_STATUSES

    @property
    def segments(self) -> int:
        """How many segments the text was sent in, even after it was redacted."""
        return count_segments(self.request.body)

    @property
    def price(self) -> float:
        """What the text has cost in dollars, by the segment; 0 until it was sent."""
        return 0 if self.date_sent is None else DOLLARS_PER_SEGMENT * self.segments

    def queue(self, from_: str) -> None:
        """Queue the text from the sender that a Messaging Service has chosen."""
        self.from_ = from_
        self.become("queued")

    def send(self) -> None:
        """Pass the text to the carrier."""
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
        """Note that a webhook or a status callback failed."""
        self.troubles.append(Trouble(code, "warning", without_password(message)))

    def redact(self) -> None:
        """Remove the body; the rest of the record stays."""
        self.body = ""
        self.date_updated = self.clock.now()


def count_segments(body: str) -> int:
    """Count the segments of `body`: 160 characters each, or 70 outside the GSM alphabet.

    A text of several segments has room for 153 or 67 in each.
    https://www.twilio.com/docs/glossary/what-sms-character-limit
    """
    if all(character in _GSM_BASIC or character in _GSM_EXTENSION for character in body):
        places = sum(2 if character in _GSM_EXTENSION else 1 for character in body)
        return _divide(places, alone=160, joined=153)
    return _divide(len(body.encode("utf-16-le", "surrogatepass")) // 2, alone=70, joined=67)


def _divide(places: int, *, alone: int, joined: int) -> int:
    if places <= alone:
        return 1
    return -(-places // joined)
