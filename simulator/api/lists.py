"""Lists as Twilio answers them: filtered, newest first, in pages.

https://www.twilio.com/docs/usage/twilios-response#pagination
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from simulator.api.forms import Form
from simulator.errors import ApiError
from simulator.models.phone_numbers import read_number
from simulator.untrusted_text import whole_number

DEFAULT_PAGE_SIZE = 50
LARGEST_PAGE_SIZE = 1000
_AFTER, _BEFORE = "PA", "PB"
_TOKEN = re.compile(r"(PA|PB)([A-Z]{2}[0-9a-fA-F]{32})([0-9a-f]{1,14})")
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)


def matches_text(form: Form, name: str, value: str) -> bool:
    """Whether `value` is what the filter asks for; without a filter anything is."""
    wanted = form.get(name)
    return not wanted or wanted == value


def matches_number(form: Form, name: str, number: str | None) -> bool:
    """Whether `number` is the one that the filter asks for, however it is written there."""
    wanted = form.get(name)
    return not wanted or (read_number(wanted) or wanted) == number


def date_filter(form: Form, name: str) -> Callable[[datetime | None], bool]:
    """Return a test for the date or time `name`: at, from (`>=`), until (`<=`), after or before.

    A date counts as the whole UTC day, and so does a midnight, because Twilio's SDKs send a date
    that way. Raises ApiError for a date that can't be read.
    """
    bounds = [_bounds(sign, text, name) for sign, text in _date_filters(form, name)]

    def test(moment: datetime | None) -> bool:
        if moment is None:
            return not bounds
        # Compared in whole seconds, which is all that Twilio's dates have.
        moment = moment.replace(microsecond=0)
        return all(
            (first is None or moment >= first) and (end is None or moment < end)
            for first, end in bounds
        )

    return test


def _date_filters(form: Form, name: str) -> Iterator[tuple[str, str]]:
    """Yield the sign (`=`, `>=`, `<=`, `>` or `<`) and the date of every filter for `name`.

    Clients differ in where the first equals sign of `StartTime>=2009-07-06` ends up: in the name,
    between the two, or nowhere, and some put the sign before the date.
    """
    pattern = re.compile(rf"{name}(?:=?(?P<sign>[<>])(?P<equal>=*)|=)(?P<date>.*)", re.DOTALL)
    for key, value in form.pairs:
        found = pattern.fullmatch(f"{key}={value}" if value else key)
        if found and found["date"]:
            is_inclusive = bool(found["equal"]) or not found["sign"]
            yield f"{found['sign'] or ''}{'=' if is_inclusive else ''}", found["date"]


def _bounds(sign: str, text: str, name: str) -> tuple[datetime | None, datetime | None]:
    """Return the first moment that a filter lets through, and the first after them."""
    first = _read_moment(text, name)
    end = _end(first)
    match sign:
        case "=":
            return first, end
        case ">=":
            return first, None
        case "<=":
            return None, end
        case ">":
            # Nothing comes after the last day there is.
            return (end, None) if end else (first, first)
        case _:
            return None, first


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
        return None  # no date comes after the last one


def _no_date(name: str, text: str) -> ApiError:
    return ApiError(20001, f"{name} is not a date: {text}")


class _Listed(Protocol):
    @property
    def sid(self) -> str: ...

    @property
    def date_created(self) -> datetime: ...


_Record = TypeVar("_Record", bound=_Listed)


def list_page(
    records: Sequence[_Record],
    key: str,
    path: str,
    query: Form,
    to_json: Callable[[_Record], dict[str, object]],
) -> dict[str, object]:
    """Return one page of `records` (newest first) under `key`; `path` is that of the list.

    The page token names a record and its date, so that pages stay the same while records are added
    and deleted. Raises ApiError for an unusable size, number or token.
    """
    size = _read_whole_number(query, "PageSize", DEFAULT_PAGE_SIZE, least=1)
    if size > LARGEST_PAGE_SIZE:
        raise ApiError(20007, f"Page size must be {LARGEST_PAGE_SIZE} or less.")
    number = _read_whole_number(query, "Page", 0, least=0)
    start = _first_index(records, query.get("PageToken"), number, size)
    shown = records[start : start + size]

    def address(page: int, token: str = "") -> str:
        kept = [pair for pair in query.pairs if pair[0] not in {"Page", "PageSize", "PageToken"}]
        paging = [("PageSize", str(size)), ("Page", str(page))]
        return f"{path}?{urlencode(kept + paging + ([('PageToken', token)] if token else []))}"

    has_next = start + size < len(records)
    has_previous = start > 0 and number > 0
    return {
        key: [to_json(record) for record in shown],
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(len(shown) - 1, 0),
        "uri": address(number, query.get("PageToken")),
        "first_page_uri": address(0),
        "next_page_uri": address(number + 1, _token(_AFTER, shown[-1]))
        if has_next and shown
        else None,
        "previous_page_uri": (
            address(number - 1, _token(_BEFORE, shown[0])) if has_previous and shown else None
        ),
    }


def _first_index(records: Sequence[_Listed], token: str, number: int, size: int) -> int:
    if not token:
        return number * size
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise ApiError(20001, "Invalid page token.")
    direction, sid, microseconds = found.groups()
    date = _EPOCH + int(microseconds, 16) * _MICROSECOND
    for index, record in enumerate(records):
        if record.sid == sid:
            return index + 1 if direction == _AFTER else max(index - size, 0)
        if record.date_created < date:
            # The record itself was deleted; this is the next one.
            return index if direction == _AFTER else max(index - size, 0)
    return len(records)


def _token(direction: str, record: _Listed) -> str:
    microseconds = (record.date_created - _EPOCH) // _MICROSECOND
    return f"{direction}{record.sid}{microseconds:x}"


def _read_whole_number(query: Form, name: str, default: int, least: int) -> int:
    text = query.get(name)
    if not text:
        return default
    number = whole_number(text)
    if number is None or number < least:
        raise ApiError(20001, f"{name} must be a whole number from {least}.")
    return number
