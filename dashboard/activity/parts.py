"""What the page consists of before the history is read: its choices, and words until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from htmltools import Tag, tags

from alerts import Channel
from dashboard.live_alert import LOOKING as LOOKING_FOR_ALERT
from dashboard.page_parts import looking

RANGES = {
    "today": "Today",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "all": "All time",
    "custom": "From … to …",
}
CHANNELS: dict[str, tuple[str, Channel | None]] = {
    "": ("Calls and texts", None),
    "call": ("Calls", "call"),
    "text": ("Texts", "text"),
}
# The panel appears when an alert is opened, before that is read.
UNTIL_KNOWN = {"list": looking(), "panel": looking(LOOKING_FOR_ALERT)}
# The script sends what controls hold, as part of the address.
UNBOUND = {"data-shiny-no-bind-input": ""}


def choice(name: str, label: str, choices: Sequence[tuple[str, str]], ns: Any) -> Tag:
    """Return a choice for the part `name` of the address: values, each with its words."""
    control = ns(f"choice_{name}")
    return tags.span(
        tags.label(label, for_=control, class_="visually-hidden"),
        tags.select(
            *(tags.option(words, value=value) for value, words in choices),
            id=control,
            class_="form-select",
            data_part=name,
            **UNBOUND,
        ),
    )


def names_to_choose(names: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """Return the choice of one of these people, or anyone; `chosen` is always among them."""
    every = [*names, *([chosen] if chosen and chosen not in names else [])]
    return [("", "Anybody"), *((each, each) for each in every)]
