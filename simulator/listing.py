"""Lists in pages, newest first, in Twilio's envelope.

https://www.twilio.com/docs/usage/twilios-response#pagination
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from simulator.errors import ApiError
from simulator.form import Form

DEFAULT_PAGE_SIZE = 50
LARGEST_PAGE_SIZE = 1000
_AFTER, _BEFORE = "PA", "PB"


class Listed(Protocol):
    """Anything with a SID."""

    sid: str


Record = TypeVar("Record", bound=Listed)


def list_page(
    records: Sequence[Record],
    key: str,
    path: str,
    query: Form,
    to_json: Callable[[Record], dict[str, object]],
) -> dict[str, object]:
    """One page of `records` (newest first) under `key`; `path` is the list's own.

    The page token names a record, so that pages stay put while new records come in.
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
        "next_page_uri": address(number + 1, _AFTER + shown[-1].sid)
        if has_next and shown
        else None,
        "previous_page_uri": (
            address(number - 1, _BEFORE + shown[0].sid) if has_previous and shown else None
        ),
    }


def _first_index(records: Sequence[Listed], token: str, number: int, size: int) -> int:
    if not token:
        return number * size
    direction, sid = token[:2], token[2:]
    index = next((i for i, record in enumerate(records) if record.sid == sid), None)
    if index is None or direction not in {_AFTER, _BEFORE}:
        raise ApiError(20001, "Invalid page token.")
    return index + 1 if direction == _AFTER else max(index - size, 0)


def _whole_number(query: Form, name: str, default: int, least: int) -> int:
    text = query.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
        raise ApiError(20001, f"{name} must be a whole number from {least}.")
    return int(text)
