"""One text message and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from simulator.clock import Clock
from simulator.message_request import MessageRequest

FINAL_STATUSES = frozenset({"delivered", "undelivered", "failed", "canceled"})
"""https://www.twilio.com/docs/messaging/api/message-resource#message-status-values"""


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

    def __post_init__(self) -> None:
        self.date_created = self.date_updated = self.clock.now()
        self.body = self.request.body
        self.from_ = self.request.from_
        if self.request.messaging_service_sid:
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

    def redact(self) -> None:
        """Forget the words; the rest of the record stays."""
        self.body = ""
        self.date_updated = self.clock.now()
