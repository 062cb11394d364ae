"""Quiet hours: when it is night where the recipient is, only what is urgent is sent."""

from __future__ import annotations

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

MINUTE = timedelta(minutes=1)
# If it hasn't been day everywhere by then, it never will be.
LONGEST_NIGHT = timedelta(days=3)
_CLOCK = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"
_HOURS = re.compile(rf"\s*{_CLOCK}\s*[-\u2013]\s*{_CLOCK}\s*")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until before `end`, by the recipient's clock; over midnight if it ends first."""

    start: time
    end: time

    def end_after(self, moment: datetime, number: str) -> datetime | None:
        """When they end for `number` (E.164), in UTC; None if they aren't on at `moment`.

        Where a number may be in several time zones, when they have ended in all of them. If that
        never happens because the zones go all around the clock, the first that has them now counts.
        """
        zones = time_zones(number)
        first = next((zone for zone in zones if self._are_on(moment, zone)), None)
        if first is None:
            return None
        end = moment
        while end < moment + LONGEST_NIGHT:
            ends = [self._end_in(end, zone) for zone in zones if self._are_on(end, zone)]
            if not ends:
                return end
            end = max(ends)
        return self._end_in(moment, first)

    def words(self, number: str) -> str:
        """ "22:00 to 07:00 in Chicago", for the place where `number` (E.164) is."""
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
        """When they end in one zone, if they are on there at `moment`."""
        local = moment.astimezone(zone).replace(second=0, microsecond=0)
        begun = local.astimezone(UTC)
        minutes = (self.end.hour - local.hour) * 60 + self.end.minute - local.minute
        end = begun + minutes % (24 * 60) * MINUTE
        if end.astimezone(zone).utcoffset() == local.utcoffset():
            return end
        # The clocks change in between: they may end an hour sooner or later, or in the change.
        end = begun
        while self._are_on(end, zone):
            end += MINUTE
        return end


def read_quiet_hours(text: str) -> QuietHours | None:
    """Quiet hours from "22:00-07:00"; None from "". Raises `UnusableInput` for anything else."""
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
    """Where `number` (E.164) may be: by its area code, else by its country, else UTC."""
    # Not on the way to the first page: few alerts have quiet hours.
    from phonenumbers import timezone  # noqa: PLC0415

    parsed = phonenumbers.parse(number)
    zones = _known(timezone.time_zones_for_number(parsed))
    if not zones:
        # Such as the mobile phones of Great Britain.
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
