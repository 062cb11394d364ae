"""The parameters of a request: written as Twilio reads them, and checked before it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

Fields = dict[str, list[str]]
HttpMethod = Literal["GET", "POST"]

Value = str | int | bool | datetime | None


def fields(**parameters: Value | Iterable[str]) -> Fields:
    """Write the fields of a form or query as Twilio reads them, without those that are None.

    A field with several values is repeated; a time becomes UTC in ISO 8601. Raise ValueError for
    text that cannot be written as UTF-8, and for a time without a time zone.
    """
    written = {
        name: [_written(name, value) for value in _each(values)]
        for name, values in parameters.items()
    }
    return {name: values for name, values in written.items() if values}


def _each(values: Value | Iterable[str]) -> Iterable[str | int | datetime]:
    if values is None:
        return []
    return [values] if isinstance(values, str | int | datetime) else values


def _written(name: str, value: str | int | datetime) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name} needs a time zone.")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} contains half a character: remove it.") from None
    return text


def require(condition: object, sentence: str) -> None:
    """Raise ValueError with this sentence unless the condition is true."""
    if not condition:
        raise ValueError(sentence)


def require_sid(name: str, sid: str, prefixes: str) -> None:
    """Raise ValueError unless `sid` has one of the prefixes and is safe in a URL's path.

    Twilio's have 32 hexadecimal digits after the prefix; test servers often use fewer.
    https://www.twilio.com/docs/glossary/what-is-a-sid
    """
    require(
        re.fullmatch(rf"({prefixes})[0-9A-Za-z]+", sid),
        f"The {name} must be {prefixes.replace('|', ' or ')} and then letters and digits.",
    )


def require_page(page_size: int, limit: int | None) -> None:
    """Raise ValueError unless Twilio has pages of this size and `limit` is at least one."""
    require(1 <= page_size <= 1000, "The page size must be 1 to 1,000 items.")
    require(limit is None or limit >= 1, "The limit must be at least 1.")
