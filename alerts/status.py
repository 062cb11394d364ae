"""The statuses of an alert. What Twilio's words mean for them is in twilio_status.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Status(StrEnum):
    """Where an alert stands. No other status can follow a `final` one."""

    final: bool

    QUEUED = "queued", False
    SENDING = "sending", False
    PLACED = "placed", False
    RINGING = "ringing", False
    ANSWERED = "answered", False
    COMPLETED = "completed"
    ACKNOWLEDGED = "acknowledged"
    HUNG_UP = "hung_up"
    VOICEMAIL = "voicemail"
    DELIVERED = "delivered"
    UNANSWERED = "unanswered"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"

    def __new__(cls, word: str, final: bool = True) -> Self:
        """Make the status that `word` stands for."""
        status = str.__new__(cls, word)
        status._value_ = word
        status.final = final
        return status

    def reaches(self, *, acknowledge: bool = False) -> bool:
        """Whether the recipient got the message, as far as can be told.

        If the alert asked them to `acknowledge` it, only the key press or the reply counts.
        """
        if acknowledge:
            return self is Status.ACKNOWLEDGED
        return self in {Status.COMPLETED, Status.ACKNOWLEDGED, Status.DELIVERED}


ON_THE_WAY = tuple(status for status in Status if not status.final)


class Stage(StrEnum):
    """How far an alert has come, in the few words by which people sort alerts.

    QUEUED ones wait if they are due later, else they are under way. NOT_REACHED includes what was
    answered but not confirmed, and voicemail: see `Alert.reached`. Each alert's stage is in its
    row, for lists that filter.
    """

    QUEUED = "queued"
    UNDER_WAY = "under way"
    CONFIRMED = "confirmed"
    REACHED = "reached"
    NOT_REACHED = "not reached"
    UNKNOWN = "unknown"
    CANCELED = "canceled"


# The stage of statuses that determine it alone. For others it depends on what was asked for.
STAGES = dict.fromkeys(ON_THE_WAY, Stage.UNDER_WAY) | {
    Status.QUEUED: Stage.QUEUED,
    Status.ACKNOWLEDGED: Stage.CONFIRMED,
    Status.UNKNOWN: Stage.UNKNOWN,
    Status.CANCELED: Stage.CANCELED,
}
