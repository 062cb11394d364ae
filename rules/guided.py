"""The guided way to a rule: the SQL is written from a source, a column and a comparison."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from alerts.errors import UnusableInput
from database.characters import can_be_kept
from rules.sandbox.quoting import readable, text

# What is compared: a value with a limit; or, over time, whether rows still come, and whether the
# latest mean jumps away from that of the week before.
Comparison = Literal["over", "under", "is", "missing", "jump"]
OVER_TIME: tuple[Comparison, ...] = ("missing", "jump")

MOST_LIMIT_CHARACTERS = 200
MOST_MINUTES = 7 * 24 * 60
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guided:
    """What the guided way was filled in with.

    A row of `source` is bad if its `column` is over, under or equal to `limit`. `limit` is a value
    as people type it; with `limit_column`, each row has its own. With "missing", a thing is bad if
    no row with that column came for `minutes`; with "jump", if its mean of the last `minutes`
    differs by more than `limit` percent from its mean of the week before them. `key` are the
    columns that tell the things apart, and `time_column` says when a row is from. With "jump",
    `also` are further columns to return, from the newest row.
    """

    source: str
    column: str
    comparison: Comparison
    limit: str = ""
    limit_column: str = ""
    key: tuple[str, ...] = ()
    time_column: str = ""
    minutes: float = 60
    also: tuple[str, ...] = ()


def guided_sql(guided: Guided) -> str:
    """Return the query. Raises `UnusableInput` for the first of the fields that is wrong."""
    _check(guided)
    if guided.comparison == "missing":
        return _missing(guided)
    if guided.comparison == "jump":
        return _jump(guided)
    sign = {"over": ">", "under": "<", "is": "="}[guided.comparison]
    limit = readable(guided.limit_column) if guided.limit_column else _limit(guided)
    return (
        f"SELECT *\nFROM {readable(guided.source)}\nWHERE {readable(guided.column)} {sign} {limit}"
    )


def guided_key(guided: Guided) -> tuple[str, ...]:
    """Return the key columns of the query."""
    return guided.key or (("source",) if guided.comparison in OVER_TIME else ())


def _check(guided: Guided) -> None:
    if not guided.source:
        raise UnusableInput("source", "Choose a source.")
    if not guided.column:
        raise UnusableInput("column", "Choose a column.")
    if guided.comparison not in get_args(Comparison):
        raise UnusableInput("comparison", "Choose what makes a row bad.")
    for field in ("source", "column", "limit_column", "time_column", "limit"):
        _check_text(field, getattr(guided, field))
    for field in ("key", "also"):
        for each in getattr(guided, field):
            _check_text(field, each)
    if guided.comparison != "missing":
        _check_limit(guided)
    if guided.comparison in OVER_TIME:
        if not guided.time_column:
            raise UnusableInput("time_column", "Choose the column that says when a row is from.")
        # Written this way round so that NaN is refused too.
        if not 1 <= guided.minutes <= MOST_MINUTES:
            raise UnusableInput("minutes", f"Name 1 to {MOST_MINUTES:,} minutes (a week).")


def _check_text(field: str, text: str) -> None:
    if not can_be_kept(text):
        raise UnusableInput(
            field, "It holds a broken character (half an emoji) or a zero byte: delete it."
        )


def _check_limit(guided: Guided) -> None:
    limit = guided.limit.strip()
    if guided.comparison == "jump":
        if not NUMBER.fullmatch(limit) or float(limit) <= 0:
            raise UnusableInput("limit", "Say by how many percent it may differ, such as 20.")
        return
    if not limit and not guided.limit_column and guided.comparison != "is":
        raise UnusableInput("limit", "Type a limit, or choose the column that has it.")
    if len(limit) > MOST_LIMIT_CHARACTERS:
        raise UnusableInput("limit", f"A limit has {MOST_LIMIT_CHARACTERS} characters at most.")


def _limit(guided: Guided) -> str:
    limit = guided.limit.strip()
    # With "is", digits may be a text. With the others they must be numbers: as text, 9 is over 10.
    is_number = guided.comparison != "is" and NUMBER.fullmatch(limit)
    return limit.removeprefix("+") if is_number else text(limit)


def _missing(guided: Guided) -> str:
    """Select the newest row of each thing, if that is too old."""
    moment = readable(guided.time_column)
    things = ", ".join(map(readable, guided.key))
    each = f"PARTITION BY {things} " if things else ""
    named = "" if guided.key else f"{text(guided.source)} AS source, "
    return (
        f"SELECT {named}*\nFROM {readable(guided.source)}\n"
        f"WHERE {readable(guided.column)} IS NOT NULL\n"
        f"QUALIFY row_number() OVER ({each}ORDER BY {moment} DESC NULLS LAST) = 1\n"
        f"  AND {moment} < now() - INTERVAL {_span(guided.minutes)}"
    )


def _jump(guided: Guided) -> str:
    column, moment = readable(guided.column), readable(guided.time_column)
    recent = f"{moment} > now() - INTERVAL {_span(guided.minutes)}"
    things = ", ".join(map(readable, guided.key))
    first = things or f"{text(guided.source)} AS source"
    also = [each for each in guided.also if each not in guided.key]
    newest = [f"arg_max({readable(each)}, {moment}) AS {readable(each)}" for each in also]
    chosen = ",\n    ".join(
        [
            first,
            *newest,
            f"avg({column}) FILTER (WHERE {recent}) AS mean_now",
            f"avg({column}) FILTER (WHERE NOT ({recent})) AS mean_before",
        ]
    )
    grouped = f"  GROUP BY {things}\n" if things else ""
    return (
        "SELECT * REPLACE (round(mean_now, 2) AS mean_now, round(mean_before, 2) AS mean_before)\n"  # noqa: S608
        f"FROM (\n  SELECT\n    {chosen}\n  FROM {readable(guided.source)}\n"
        f"  WHERE {moment} > now() - INTERVAL {_span(guided.minutes)} - INTERVAL 7 DAY\n"
        f"    AND {moment} <= now()\n{grouped})\n"
        f"WHERE abs(mean_now - mean_before) > abs(mean_before) * {guided.limit.strip()} / 100"
    )


def _span(minutes: float) -> str:
    """Return a span as SQL writes it: in whole minutes if possible, else in seconds."""
    if minutes == int(minutes):
        return f"{int(minutes)} MINUTE"
    return f"{round(minutes * 60)} SECOND"
