"""Time zones by their IANA names: the sender's, or this machine's."""

from __future__ import annotations

import os
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.errors import UnusableInput


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, or None if this machine knows none by it."""
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
    """Return the name of this machine's zone, or "" if it can't be told."""
    name = os.environ.get("TZ", "").removeprefix(":")
    name = name or os.path.realpath("/etc/localtime").rpartition("/zoneinfo/")[2]
    return name if find_zone(name) else ""


def in_time_zone(moment: datetime, time_zone: str) -> datetime:
    """Return `moment` in an IANA time zone, or in this machine's if the name is "" or unknown."""
    return moment.astimezone(find_zone(time_zone) if time_zone else None)
