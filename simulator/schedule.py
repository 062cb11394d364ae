"""When a scheduled text is to be sent. https://www.twilio.com/docs/messaging/features/message-scheduling"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from simulator.api.forms import Form
from simulator.errors import ApiError

EARLIEST = timedelta(seconds=300)
LATEST = timedelta(days=35)


def read_send_at(form: Form, service: str | None) -> datetime | None:
    """`SendAt` if `ScheduleType` is `fixed`, else None; `service` is the Messaging Service.

    Raises ApiError for a time that Twilio can't wait for.
    """
    if form.get("ScheduleType") != "fixed":
        return None
    if service is None:
        raise ApiError(35118, "MessagingServiceSid is required to schedule a message")
    text = form.get("SendAt")
    if not text:
        raise ApiError(35111, "SendAt timestamp is missing")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(35114, f"SendAt is not a timestamp: {text}") from None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if not EARLIEST <= moment - datetime.now(UTC) <= LATEST:
        raise ApiError(35114, "SendAt time must be between 300 seconds and 35 days in the future")
    return moment
