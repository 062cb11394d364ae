"""One text message and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from simulator.api.forms import without_password
from simulator.clock import Clock
from simulator.message_request import MessageRequest
from simulator.models.transcript import Trouble

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
