"""When to ask Twilio about a call or text: how often, and for how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alerts.alert import Channel
from alerts.status import Status
from alerts.twilio_status import ACCEPTED, StatusUpdate

# Twilio ends a call after four hours, and tries to send a text for ten at the longest:
# ValidityPeriod in https://www.twilio.com/docs/messaging/api/message-resource
GIVE_UP_AFTER: dict[Channel, timedelta] = {
    "call": timedelta(hours=4),
    "text": timedelta(hours=10),
}
# Carriers needn't confirm delivery: without their word a text stays "sent" for ever.
CARRIERS_CONFIRM_WITHIN = timedelta(minutes=10)
PLACED = StatusUpdate(Status.PLACED, ACCEPTED)


@dataclass(frozen=True, slots=True)
class PlacedTry:
    """The call or text `sid` of an alert's try, and when Twilio was asked for it."""

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


POLLING = PollIntervals(0.5, 1.25, 5.0)
# Where callbacks bring the news, polling is for those that get lost.
SAFETY_NET = PollIntervals(15.0, 1.25, 60.0)
# Usual seconds between the end of a call and the word of what had answered it.
SOON_SECONDS = 2.0


class PollSchedule:
    """When to poll a placed try next (`next_at`, in the event loop's time), and what was reported.

    `sent_at` is when Twilio handed a text to the carrier, as far as the last poll tells.
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
            # What Twilio reported while no process was there is lost.
            self.poll_soon(now)

    def poll_soon(self, now: float) -> None:
        """Wait no longer than for news that is on its way: its end may have come."""
        self.next_at = min(self.next_at, now + SOON_SECONDS)

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
        """Whether polling makes sense because others are polled too: half the wait is over."""
        return not self.is_busy and self.next_at - self._wait / 2 <= now

    @property
    def overdue(self) -> timedelta:
        """How long ago its end should have come; less than nothing while there is time."""
        # By the date, so that a restart doesn't begin from zero.
        end = self.placed.placed_at + GIVE_UP_AFTER[self.placed.channel]
        if self.sent_at is not None:
            end = max(self.sent_at, self.placed.placed_at) + CARRIERS_CONFIRM_WITHIN
        return datetime.now(UTC) - end

    def _wait_from(self, now: float, seconds: float) -> None:
        self._wait = min(seconds, self._intervals.longest)
        # Jitter, so that alerts that were sent together aren't polled together for ever.
        self.next_at = now + self._wait * random.uniform(0.9, 1.1)  # noqa: S311
        left = -self.overdue.total_seconds()
        if left > 0:
            self.next_at = min(self.next_at, now + left)
