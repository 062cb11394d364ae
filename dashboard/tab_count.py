"""The count on a tab: only decisions that wait for a person are counted."""

from __future__ import annotations

from htmltools import Tag, tags


def waiting_words(count: int) -> Tag | None:
    """Return the count on the tab, None if nothing waits for a decision."""
    if not count:
        return None
    them = "1 waits" if count == 1 else f"{count} wait"
    return tags.span(
        tags.span(str(count), aria_hidden="true"),
        tags.span(f" {them} for you", class_="visually-hidden"),
        class_="tab-count",
    )
