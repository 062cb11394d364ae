"""The choices above the lists whose values are known only once the history is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from htmltools import Tag, tags

# The script sends what controls hold, as part of the address.
UNBOUND = {"data-shiny-no-bind-input": ""}


def late_choice(name: str, label: str, choices: Sequence[tuple[str, str]], ns: Any) -> Tag:
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
