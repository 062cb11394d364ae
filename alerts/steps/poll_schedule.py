"""A call or text that is looked at again and again: how often, and how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alerts.alert import Channel
from alerts.status import Status
from alerts.twilio_status import StatusUpdate

# Twilio ends a call after four hours, and tries to send a text for ten at the longest:
# ValidityPeriod in https://www.twilio.com/docs/messaging/api/message-resource
GIVE_UP_AFTER: dict[Channel, timedelta] = {
    "call": timedelta(hours=4),
    "text": timedelta(hours=10),
}
# Carriers needn't tell that it arrived: without their word it stays "sent" for ever.
CARRIERS_TELL_WITHIN = timedelta(minutes=10)
# Whoever follows it has been placed.
PLACED = StatusUpdate(Status.PLACED, "Twilio has it")
NO_WORD = StatusUpdate(Status.UNKNOWN, "No word of its end ever came")


@dataclass(frozen=True, slots=True)
class Followed:
    """The call or text `sid` of an alert's try, and when Twilio was asked for it."""

    alert_id: str
    try_number: int
    channel: Channel
    sid: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds up to the first look, how the waits between looks grow, and the longest of them."""

    first: float
    growth: float
    longest: float


POLLING = Pace(0.5, 1.25, 5.0)
# Where callbacks bring the news, and a look is for those that get lost.
SAFETY_NET = Pace(15.0, 1.25, 60.0)
# Seconds between the end of a call and the word of what had answered it, as a rule.
SOON = 2.0


class Watch:
    """When to look at `followed` next (`next_at`, in the event loop's time), and what was told.

    `sent_at` is when Twilio handed a text over to the carrier, as far as the last look tells.
    """

    def __init__(self, followed: Followed, pace: Pace, now: float) -> None:
        self.followed = followed
        self.told = PLACED
        self.sent_at: datetime | None = None
        self.next_at = now
        self.is_busy = False
        self.is_missing = False
        self._pace = pace
        self._wait_from(now, pace.first)
        if datetime.now(UTC) - followed.placed_at > timedelta(seconds=pace.first):
            # What Twilio told while no process was there is lost.
            self.look_soon(now)

    def look_soon(self, now: float) -> None:
        """Wait no longer than for news that is on its way: its end may have come."""
        self.next_at = min(self.next_at, now + SOON)

    def look_again(self, now: float) -> None:
        """Wait a little longer than before."""
        self._wait_from(now, self._wait * self._pace.growth)

    def back_off(self, now: float) -> None:
        """Wait a lot longer than before: the last look failed."""
        self._wait_from(now, self._wait * 2)

    def is_due(self, now: float) -> bool:
        """Whether it is time to look."""
        return not self.is_busy and self.next_at <= now

    def may_be_looked_at(self, now: float) -> bool:
        """Whether a look makes sense because others are looked at too: half the wait is over."""
        return not self.is_busy and self.next_at - self._wait / 2 <= now

    @property
    def overdue(self) -> timedelta:
        """How long ago its end should have come; less than nothing while there is time."""
        # By the date, so that a restart doesn't begin anew.
        end = self.followed.placed_at + GIVE_UP_AFTER[self.followed.channel]
        if self.sent_at is not None:
            end = max(self.sent_at, self.followed.placed_at) + CARRIERS_TELL_WITHIN
        return datetime.now(UTC) - end

    def _wait_from(self, now: float, seconds: float) -> None:
        self._wait = min(seconds, self._pace.longest)
        # Jitter, so that alerts that were sent together aren't looked up together for ever.
        self.next_at = now + self._wait * random.uniform(0.9, 1.1)  # noqa: S311
        left = -self.overdue.total_seconds()
        if left > 0:
            self.next_at = min(self.next_at, now + left)
