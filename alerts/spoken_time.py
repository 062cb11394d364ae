"""Times as a person would say them, in the language that the voice speaks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime


def spoken_now(moment: datetime, language: str) -> str:
    """ "9:42 AM on Friday"; in other languages the day and the clock as people write them there."""
    locale = _locale(language)
    if locale.language == "en":
        return format_datetime(moment, "h:mm a 'on' EEEE", locale=locale)
    return format_datetime(moment, f"EEEE, {locale.time_formats['short'].pattern}", locale=locale)


def spoken_today(moment: datetime, language: str) -> str:
    """ "Friday, November 20, 2026", in full, the way the language has it."""
    return format_date(moment, "full", locale=_locale(language))


def in_time_zone(moment: datetime, time_zone: str) -> datetime:
    """`moment` on the clock of the IANA zone, or of this machine where the name says nothing."""
    try:
        return moment.astimezone(ZoneInfo(time_zone) if time_zone else None)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A browser may report a zone that this machine's tables lack; the alert matters more.
        return moment.astimezone()


def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")
