"""How far Twilio's clock is from this machine's, learnt from the Date of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The header has whole seconds, and some servers write it anew once a second only.
_DATE_MAY_BE_OLD_BY = timedelta(seconds=2)


def clock_offset(
    known: timedelta, date: str | None, asked: datetime, answered: datetime
) -> timedelta:
    """What to add to our time to get Twilio's: `known` unless an answer proves it wrong.

    `date` is its Date header (RFC 9110, 6.6.1), `asked` and `answered` are our times before and
    after. Twilio wrote the date between those two, so a slow answer proves little.
    """
    moment = _read(date)
    if moment is None:
        return known
    return min(max(known, moment - answered), moment + _DATE_MAY_BE_OLD_BY - asked)


def _read(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
