"""The way without SQL: a sentence with choices in it, which says which rows are bad."""

from __future__ import annotations

from collections.abc import Sequence

from htmltools import Tag, TagChild, TagList, tags

from dashboard.rules.form import COMPARISONS
from dashboard.rules.parts import select, text_input
from rules.guided import Guided
from rules.sandbox import Column

NUMBERS = ("INT", "DECIMAL", "DOUBLE", "FLOAT", "REAL")
TIMES = ("TIMESTAMP", "DATE", "TIME")
MISSING = "“A row is known by” says what has to come: the sensor, the tank, the panel."


def guided_tag(guided: Guided, columns: Sequence[Column]) -> Tag:
    """Return the sentence for what is filled in so far, with the source's columns to choose."""
    names = [each.name for each in columns]
    numbers = [each.name for each in columns if is_number(each)] or names
    times = [each.name for each in columns if each.type.startswith(TIMES)] or names
    compared = names if guided.comparison in ("is", "missing") else numbers
    comparisons = {str(name): words for name, words in COMPARISONS.items()}
    against: TagChild
    if guided.comparison == "missing":
        against = TagList(_minutes(guided), " minutes", _by_time(guided, times))
    elif guided.comparison == "jump":
        against = _jump(guided, times)
    else:
        against = _limit(guided, names if guided.comparison == "is" else numbers)
    return tags.div(
        tags.p(
            "A row is bad when ",
            _column("g_column", guided.column, compared, "Column"),
            " ",
            select("g_comparison", comparisons, guided.comparison, label="Comparison"),
            " ",
            against,
            ".",
        ),
        tags.p(MISSING, class_="cb-small") if guided.comparison == "missing" else None,
        class_="guided-sentence",
        data_key=f"{guided.comparison}-{bool(guided.limit_column)}",
    )


def is_number(column: Column) -> bool:
    """Whether a column holds numbers, by the name of its type."""
    return any(each in column.type.upper() for each in NUMBERS)


def _limit(guided: Guided, columns: Sequence[str]) -> TagList:
    against = {"": "this value:"} | {each: each for each in columns if each != guided.column}
    if guided.limit_column:
        against |= {guided.limit_column: guided.limit_column}
    value = _value(guided, "Value", "value")
    return TagList(
        select("g_limit_column", against, guided.limit_column, label="Compared with"),
        None if guided.limit_column else value,
    )


def _jump(guided: Guided, times: Sequence[str]) -> TagList:
    return TagList(
        _value(guided, "Percent", "20"),
        " % of its mean of the week before, as a mean of the last ",
        _minutes(guided),
        " minutes",
        _by_time(guided, times),
    )


def _value(guided: Guided, label: str, example: str) -> Tag:
    return text_input(
        "g_limit", guided.limit, "rules-g_limit", aria_label=label, placeholder=example
    )


def _by_time(guided: Guided, times: Sequence[str]) -> TagList:
    return TagList(
        ", by the time in ",
        _column("g_time_column", guided.time_column, times, "Column with the time"),
    )


def _minutes(guided: Guided) -> Tag:
    return text_input(
        "g_minutes", f"{guided.minutes:g}", "rules-g_minutes", type="number", min="1",
        aria_label="Minutes",
    )  # fmt: skip


def _column(name: str, chosen: str, columns: Sequence[str], label: str) -> Tag:
    offered = {"": "a column"} | {each: each for each in columns}
    if chosen:
        offered |= {chosen: chosen}
    return select(name, offered, chosen, label=label)
