"""Quiet hours: at night by the recipient's clock, only urgent alerts are sent.

Whether they hold an alert back now is decided in state.py, with everything else that does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from babel.dates import get_timezone_location

from alerts.errors import UnusableInput
from alerts.time_zones import time_zones

# If the quiet hours haven't ended in all of a number's time zones by then, they never do.
LONGEST_SEARCH_FOR_END = timedelta(days=3)
_CLOCK = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"
_HOURS = re.compile(rf"\s*{_CLOCK}\s*[-\u2013]\s*{_CLOCK}\s*")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until just before `end`, by the recipient's clock, if need be over midnight."""

    start: time
    end: time

    def end_after(self, moment: datetime, number: str) -> datetime | None:
        """Return when the quiet hours end for `number` (E.164), in UTC; None if it is day there.

        A number may be in one of several time zones: the end is when they are over in all of them.
        If that never happens because the zones go all around the clock, the first zone where it is
        quiet at `moment` counts.
        """
        zones = time_zones(number)
        first = next((zone for zone in zones if self._are_on(moment, zone)), None)
        if first is None:
            return None
        end = moment
        while end < moment + LONGEST_SEARCH_FOR_END:
            ends = [self._end_in(end, zone) for zone in zones if self._are_on(end, zone)]
            if not ends:
                return end
            end = max(ends)
        return self._end_in(moment, first)

    def words(self, number: str) -> str:
        """Describe them for `number` (E.164), such as "22:00 to 07:00 in Chicago"."""
        hours = f"{self.start:%H:%M} to {self.end:%H:%M}"
        zones = time_zones(number)
        if len(zones) > 2:
            return f"{hours} in any time zone of that number"
        if zones[0] is UTC:
            return f"{hours} UTC"
        return f"{hours} in {' or '.join(_city(str(zone)) for zone in zones)}"

    def _are_on(self, moment: datetime, zone: tzinfo) -> bool:
        clock = moment.astimezone(zone).time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def _end_in(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return when they end in one zone where they are on at `moment`."""
        local = moment.astimezone(zone).replace(second=0, microsecond=0)
        begun = local.astimezone(UTC)
        minutes = (self.end.hour - local.hour) * 60 + self.end.minute - local.minute
        end = begun + timedelta(minutes=minutes % (24 * 60))
        if end.astimezone(zone).utcoffset() == local.utcoffset():
            return end
        # The clocks change in between, so look minute by minute for the end.
        end = begun
        while self._are_on(end, zone):
            end += timedelta(minutes=1)
        return end


def read_quiet_hours(text: str) -> QuietHours | None:
    """Read quiet hours such as "22:00-07:00"; None for "". Raises `UnusableInput` otherwise."""
    if not text.strip():
        return None
    written = _HOURS.fullmatch(text)
    if written is None:
        raise UnusableInput("quiet_hours", "Write quiet hours as 22:00-07:00.")
    hour, minute, end_hour, end_minute = map(int, written.groups())
    start, end = time(hour, minute), time(end_hour, end_minute)
    if start == end:
        raise UnusableInput(
            "quiet_hours", "Quiet hours can't end when they begin. Write them as 22:00-07:00."
        )
    return QuietHours(start, end)


def _city(zone: str) -> str:
    return get_timezone_location(zone, locale="en", return_city=True).rpartition("/")[2]
