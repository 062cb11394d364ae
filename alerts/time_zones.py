"""Time zones: the sender's by name, the recipient's by number; and the recipient's quiet hours.

During quiet hours, at night by the recipient's clock, only urgent alerts are sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel.core import get_global
from babel.dates import get_timezone_location

from alerts.errors import UnusableInput
from alerts.phone_numbers import NO_COUNTRY

# If the quiet hours haven't ended in all of a number's time zones by then, they never do.
LONGEST_SEARCH_FOR_END = timedelta(days=3)
_CLOCK = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"
_HOURS = re.compile(rf"\s*{_CLOCK}\s*[-\u2013]\s*{_CLOCK}\s*")


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, or None if this machine doesn't know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def check_zone(name: str) -> None:
    """Raise `UnusableInput` for a zone that doesn't exist; "" is this machine's."""
    if name and find_zone(name) is None:
        shown = f"{name[:40]!r}"
        raise UnusableInput(
            "time_zone", f"{shown} is not a time zone. Name one such as America/New_York."
        )


def this_machines() -> str:
    """Return the name of this machine's zone, or "" if it can't be found out."""
    name = os.environ.get("TZ", "").removeprefix(":")
    name = name or os.path.realpath("/etc/localtime").rpartition("/zoneinfo/")[2]
    return name if find_zone(name) else ""


def in_time_zone(moment: datetime, time_zone: str) -> datetime:
    """Return `moment` in an IANA time zone, or in this machine's if the name is "" or unknown."""
    return moment.astimezone(find_zone(time_zone) if time_zone else None)


def clock_time(moment: datetime, now: datetime, time_zone: str, *, seconds: bool = False) -> str:
    """Return the time on the clock of `time_zone`, with the day unless that is today."""
    there, today = in_time_zone(moment, time_zone), in_time_zone(now, time_zone)
    time = f"{there:%H:%M:%S %Z}" if seconds else f"{there:%H:%M %Z}"
    return time if there.date() == today.date() else f"{time} on {there:%A}"


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


def time_zones(number: str) -> tuple[tzinfo, ...]:
    """The zones where `number` (E.164) may be: by area code, else by country, else UTC."""
    # Imported here because few alerts have quiet hours, and the first page shouldn't wait for it.
    from phonenumbers import timezone  # noqa: PLC0415

    parsed = phonenumbers.parse(number)
    zones = _known(timezone.time_zones_for_number(parsed))
    if not zones:
        # Some numbers have no area, such as British mobile phones.
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        countries = get_global("territory_zones")
        zones = () if region == NO_COUNTRY else _known(countries.get(region, ()))
    return zones or (UTC,)


def _known(names: Iterable[str]) -> tuple[tzinfo, ...]:
    zones: list[tzinfo] = []
    for name in names:
        with suppress(ZoneInfoNotFoundError):
            zones.append(ZoneInfo(name))
    return tuple(zones)


def _city(zone: str) -> str:
    return get_timezone_location(zone, locale="en", return_city=True).rpartition("/")[2]
