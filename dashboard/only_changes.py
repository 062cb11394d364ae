"""Let outputs react to changes of what they show, not of everything that it is made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from shiny import reactive

T = TypeVar("T")


def only_changes(read: Callable[[], T]) -> Callable[[], T]:
    """Return a reactive read of what `read` returns, which changes only when that does.

    Shiny runs an output again whenever anything it read was set, and tells the page so in three
    messages even if nothing differs. `read` runs at each change; it should be cheap and not fail.
    """
    value: reactive.Value[T] = reactive.Value()

    # Before the outputs, so that each of them runs once.
    @reactive.effect(priority=1)
    def keep() -> None:
        found = read()
        with reactive.isolate():
            is_same = value.is_set() and value() == found
        if not is_same:
            value.set(found)

    return value
