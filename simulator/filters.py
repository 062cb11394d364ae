"""The filters of list requests: numbers, statuses and dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime

from simulator.api.forms import Form
from simulator.errors import ApiError
from simulator.models.phone_numbers import read_number


def matches_text(form: Form, name: str, value: str) -> bool:
    """Whether `value` is what the filter asks for; no filter takes everything."""
    wanted = form.get(name)
    return not wanted or wanted == value


def matches_number(form: Form, name: str, number: str | None) -> bool:
    """The same for telephone numbers, however they are written."""
    wanted = form.get(name)
    return not wanted or (read_number(wanted) or wanted) == number


def date_filter(form: Form, name: str) -> Callable[[datetime | None], bool]:
    """A test for `name`, `name>` (on or after) and `name<` (before), each a date or a time.

    Just `name` at midnight means the whole UTC day: Twilio's SDKs send a date in that way.
    Raises ApiError for a date that can't be read.
    """
    first = _start(form, f"{name}>")
    last = _start(form, f"{name}<")
    if exact := form.get(name):
        first = _read_moment(exact, name)
        last = _end(first)

    def test(moment: datetime | None) -> bool:
        if first is None and last is None:
            return True
        if moment is None:
            return False
        # Twilio's dates have no fractions of a second, so neither has what is compared.
        moment = moment.replace(microsecond=0)
        return (first is None or moment >= first) and (last is None or moment < last)

    return test


def _start(form: Form, name: str) -> datetime | None:
    text = form.get(name)
    return _read_moment(text, name) if text else None


def _read_moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            raise _no_date(name, text) from None
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        raise _no_date(name, text) from None


def _end(first: datetime) -> datetime | None:
    is_midnight = first.time() == time()
    try:
        return first + (timedelta(days=1) if is_midnight else timedelta(seconds=1))
    except OverflowError:
        return None  # nothing comes after the last day there is


def _no_date(name: str, text: str) -> ApiError:
    return ApiError(20001, f"{name} is not a date: {text}")
