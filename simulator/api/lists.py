"""Lists in pages, newest first, in Twilio's envelope.

https://www.twilio.com/docs/usage/twilios-response#pagination
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from simulator.api.forms import Form
from simulator.errors import ApiError

DEFAULT_PAGE_SIZE = 50
LARGEST_PAGE_SIZE = 1000
_AFTER, _BEFORE = "PA", "PB"
_TOKEN = re.compile(r"(PA|PB)([A-Z]{2}[0-9a-fA-F]{32})([0-9a-f]{1,14})")
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)


class Listed(Protocol):
    """Anything with a SID and a date."""

    sid: str
    date_created: datetime


Record = TypeVar("Record", bound=Listed)


def list_page(
    records: Sequence[Record],
    key: str,
    path: str,
    query: Form,
    to_json: Callable[[Record], dict[str, object]],
) -> dict[str, object]:
    """One page of `records` (newest first) under `key`; `path` is the list's own.

    The page token names a record and its date, so that pages stay put while new records come in
    and old ones are deleted.
    Raises ApiError for a page that can't be.
    """
    size = _whole_number(query, "PageSize", DEFAULT_PAGE_SIZE, 1)
    if size > LARGEST_PAGE_SIZE:
        raise ApiError(20007, f"Page size must be {LARGEST_PAGE_SIZE} or less.")
    number = _whole_number(query, "Page", 0, 0)
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


def _first_index(records: Sequence[Listed], token: str, number: int, size: int) -> int:
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
            # The record itself was deleted; this one came next.
            return index if direction == _AFTER else max(index - size, 0)
    return len(records)


def _token(direction: str, record: Listed) -> str:
    microseconds = (record.date_created - _EPOCH) // _MICROSECOND
    return f"{direction}{record.sid}{microseconds:x}"


def _whole_number(query: Form, name: str, default: int, least: int) -> int:
    text = query.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
        raise ApiError(20001, f"{name} must be a whole number from {least}.")
    return int(text)
