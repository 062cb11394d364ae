"""When to ask Twilio about a call or text: how often, and for how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alerts.alert import Channel
from alerts.status import Status
from alerts.twilio_status import ACCEPTED, StatusUpdate

# Twilio ends a call after four hours, and stops trying to send a text after ten:
# ValidityPeriod in https://www.twilio.com/docs/messaging/api/message-resource
GIVE_UP_AFTER: dict[Channel, timedelta] = {
    "call": timedelta(hours=4),
    "text": timedelta(hours=10),
}
# Not every carrier confirms delivery: without that a text stays "sent" forever.
CARRIERS_CONFIRM_WITHIN = timedelta(minutes=10)
PLACED = StatusUpdate(Status.PLACED, ACCEPTED)


@dataclass(frozen=True, slots=True)
class PlacedTry:
    """The call or text `sid` of an alert's try, and when Twilio was known to have it."""

    alert_id: str
    try_number: int
    channel: Channel
    sid: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class PollIntervals:
    """Seconds until the first poll, how the waits between polls grow, and the longest of them."""

    first: float
    growth: float
    longest: float


WITHOUT_CALLBACKS = PollIntervals(0.5, 1.25, 5.0)
# With callbacks, polling is only for those that get lost.
WITH_CALLBACKS = PollIntervals(15.0, 1.25, 60.0)
# Twilio usually reports what answered a call within this time after the call's end.
POLL_SOON_SECONDS = 2.0


class PollSchedule:
    """When to poll a placed try next (`next_at`, in the event loop's time), and what was reported.

    `sent_at` is when Twilio handed a text to the carrier, according to the last poll.
    """

    def __init__(self, placed: PlacedTry, intervals: PollIntervals, now: float) -> None:
        self.placed = placed
        self.reported = PLACED
        self.sent_at: datetime | None = None
        self.next_at = now
        self.is_busy = False
        self.is_missing = False
        self._intervals = intervals
        self._wait_from(now, intervals.first)
        if datetime.now(UTC) - placed.placed_at > timedelta(seconds=intervals.first):
            # The try was placed before a restart, and callbacks in between were lost.
            self.poll_soon(now)

    def poll_soon(self, now: float) -> None:
        """Wait no longer than POLL_SOON_SECONDS, because the try may be over."""
        self.next_at = min(self.next_at, now + POLL_SOON_SECONDS)

    def poll_again(self, now: float) -> None:
        """Wait a little longer than before."""
        self._wait_from(now, self._wait * self._intervals.growth)

    def back_off(self, now: float) -> None:
        """Wait a lot longer than before: the last poll failed."""
        self._wait_from(now, self._wait * 2)

    def is_due(self, now: float) -> bool:
        """Whether it is time to poll."""
        return not self.is_busy and self.next_at <= now

    def may_be_polled(self, now: float) -> bool:
        """Whether half the wait is over, so that it can be polled together with others."""
        return not self.is_busy and self.next_at - self._wait / 2 <= now

    @property
    def overdue(self) -> timedelta:
        """How long ago the try should have ended; negative until then."""
        # Measured by the date, so that a restart doesn't begin from zero.
        end = self.placed.placed_at + GIVE_UP_AFTER[self.placed.channel]
        if self.sent_at is not None:
            end = max(self.sent_at, self.placed.placed_at) + CARRIERS_CONFIRM_WITHIN
        return datetime.now(UTC) - end

    def _wait_from(self, now: float, seconds: float) -> None:
        self._wait = min(seconds, self._intervals.longest)
        # Jitter, so that alerts that were sent together aren't polled together forever.
        self.next_at = now + self._wait * random.uniform(0.9, 1.1)  # noqa: S311
        left = -self.overdue.total_seconds()
        if left > 0:
            self.next_at = min(self.next_at, now + left)
