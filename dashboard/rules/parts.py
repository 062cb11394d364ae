"""What the Rules page is made of: choices, fields, sheets, and words for times.

rules.js sends the action of each press, and whole forms, to the page's server.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from htmltools import Tag, TagChild, tags

from alerts.time_zones import in_time_zone
from dashboard.alert_status import clock
from dashboard.fields import feedback
from dashboard.page_parts import sheet_head

# The script sends what controls hold, all of a form at once.
UNBOUND: dict[str, Any] = {"data-shiny-no-bind-input": ""}


def select(
    name: str,
    choices: Mapping[str, str],
    chosen: str,
    *,
    label: str = "",
    id: str = "",
    describes: str = "",
) -> Tag:
    """Return a choice that is sent with its form, named by a `label` or by another element.

    `data-value` says what is chosen, for when the server changes it later.
    """
    options = [
        tags.option(words, value=value, selected="" if value == chosen else None)
        for value, words in choices.items()
    ]
    return tags.select(
        *options,
        name=name,
        id=id or None,
        class_="form-select",
        aria_label=label or None,
        aria_describedby=describes or None,
        data_value=chosen,
        **UNBOUND,
    )


def text_input(name: str, value: str, id: str, **attributes: str | None) -> Tag:
    """Return a field of one line that is sent with its form."""
    attributes = {"autocomplete": "off", **attributes}
    return tags.input(
        type=attributes.pop("type", "text"),
        name=name,
        value=value,
        id=id,
        class_="form-control",
        **attributes,
        **UNBOUND,
    )


def text_area(name: str, value: str, id: str, **attributes: str | None) -> Tag:
    """Return a field of several lines that is sent with its form."""
    return tags.textarea(
        value, name=name, id=id, class_="form-control", rows="2", **attributes, **UNBOUND
    )


def switch(name: str, words: TagChild, *, is_on: bool, id: str) -> Tag:
    """Return a switch with its words, which is sent with its form."""
    return tags.label(
        tags.input(
            type="checkbox",
            role="switch",
            name=name,
            id=id,
            class_="cb-switch",
            checked="" if is_on else None,
            **UNBOUND,
        ),
        tags.span(words),
        class_="switch-row",
    )


def field(label: TagChild, control: Tag, line: Tag | None = None) -> Tag:
    """Return a control under its label, and under it the line that says what is wrong."""
    return tags.div(
        tags.label(label, class_="control-label", for_=str(control.attrs["id"])),
        control,
        line,
        class_="form-group",
    )


def line(name: str) -> Tag:
    """Return the place under a field for what is wrong with it; the server fills it in."""
    return tags.div(id=f"rules-line-{name}", class_="feedback-line", data_part=f"line-{name}")


def wrong(sentence: str) -> Tag:
    """Return a sentence about what is wrong, for such a line."""
    return feedback("bad", sentence)


def sheet(title: str, body: TagChild, *actions: TagChild) -> Tag:
    """Return a sheet: a heading, what is in it, and its actions at the bottom."""
    return tags.div(
        sheet_head(title, "rules-sheet-title"),
        tags.div(body, class_="sheet-body"),
        tags.div(*actions, class_="sheet-actions") if actions else None,
        class_="sheet-content",
    )


# --- Words --------------------------------------------------------------------------------------


def rows_words(count: int) -> str:
    """Return "1 row" or "214 rows"."""
    return f"{count:,} row{'s' * (count != 1)}"


def seconds_words(seconds: float) -> str:
    """Return how long something takes: "0.2 s", "48 s", "3 minutes"."""
    if seconds < 10:
        return f"{max(seconds, 0.1):.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def when(moment: datetime | None, zone: str, *, seconds: bool = False) -> str:
    """Return a past moment on the reader's clock; "12 Nov" if it is more than a week ago."""
    if moment is None:
        return "–"
    if datetime.now(UTC) - moment > timedelta(days=7):
        there = in_time_zone(moment, zone)
        return f"{there.day} {there:%b}"
    return clock(moment, zone, seconds=seconds)


def when_next(moment: datetime | None, zone: str) -> str:
    """Return a moment to come: "10:45", "Thu 08:00", "12 Nov 08:00"; "now" if it is due."""
    if moment is None:
        return "–"
    now = datetime.now(UTC)
    if moment <= now:
        return "now"
    there, today = in_time_zone(moment, zone), in_time_zone(now, zone).date()
    days = (there.date() - today).days
    seconds = moment - now < timedelta(minutes=2)
    time = f"{there:%H:%M:%S}" if seconds else f"{there:%H:%M}"
    if days == 0:
        return time
    return f"{there:%a} {time}" if days < 7 else f"{there.day} {there:%b} {time}"
