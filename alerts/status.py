"""The statuses of an alert. What Twilio's words mean for them is in twilio_status.py."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where an alert stands. A final status never changes."""

    QUEUED = "queued"
    SENDING = "sending"
    PLACED = "placed"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    ACKNOWLEDGED = "acknowledged"
    HUNG_UP = "hung_up"
    VOICEMAIL = "voicemail"
    DELIVERED = "delivered"
    UNANSWERED = "unanswered"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether no other status can follow."""
        return self not in ON_THE_WAY

    def reaches(self, *, acknowledge: bool = False) -> bool:
        """Whether the recipient got the message, as far as can be told.

        If the alert asked them to `acknowledge` it, only the key press or the reply counts.
        """
        if acknowledge:
            return self is Status.ACKNOWLEDGED
        return self in {Status.COMPLETED, Status.ACKNOWLEDGED, Status.DELIVERED}


ON_THE_WAY = (Status.QUEUED, Status.SENDING, Status.PLACED, Status.RINGING, Status.ANSWERED)
