"""Time zones: the sender's by name, and those where a number may be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel.core import get_global

from alerts.errors import UnusableInput
from alerts.phone_numbers import NO_COUNTRY


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


def machine_time_zone() -> str:
    """Return the name of this machine's zone, or "" if it can't be found out."""
    name = os.environ.get("TZ", "").removeprefix(":")
    name = name or os.path.realpath("/etc/localtime").rpartition("/zoneinfo/")[2]
    return name if find_zone(name) else ""


def in_time_zone(moment: datetime, time_zone: str) -> datetime:
    """Return `moment` in an IANA time zone, or in this machine's if the name is "" or unknown."""
    return moment.astimezone(find_zone(time_zone) if time_zone else None)


def midnight(moment: datetime, time_zone: str) -> datetime:
    """Return when the day of `moment` began in an IANA time zone; "" is this machine's."""
    return begin_of(in_time_zone(moment, time_zone).date(), time_zone)


def begin_of(day: date, time_zone: str) -> datetime:
    """Return when `day` begins in an IANA time zone, or in this machine's if the name is ""."""
    begin = moment_of(datetime.combine(day, time()), time_zone)
    if begin.date() < day:
        # Where this machine's clock skips midnight, Python answers with 23:00 of the day before.
        begin = (begin + timedelta(hours=1)).astimezone()
    return begin


def moment_of(shown: datetime, time_zone: str) -> datetime:
    """Return when clocks of an IANA time zone, or this machine's if the name is "", show a time."""
    zone = find_zone(time_zone) if time_zone else None
    return shown.replace(tzinfo=zone) if zone else shown.astimezone()


def clock_time(moment: datetime, now: datetime, time_zone: str, *, seconds: bool = False) -> str:
    """Return the time on the clock of `time_zone`, with the day unless that is today."""
    there, today = in_time_zone(moment, time_zone), in_time_zone(now, time_zone)
    clock = f"{there:%H:%M:%S %Z}" if seconds else f"{there:%H:%M %Z}"
    return clock if there.date() == today.date() else f"{clock} on {there:%A}"


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
