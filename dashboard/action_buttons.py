"""Buttons that name their action, and the heads of sheets, which have one that closes them.

The page's script sends the action of the button that is pressed to the page's server.
"""

from __future__ import annotations

from htmltools import Tag, TagChild, tags

from dashboard.icons import icon


def button(words: TagChild, act: str, kind: str = "", **attributes: str | None) -> Tag:
    """Return a button that sends its action, with `data_id` and `data_value` if given."""
    return tags.button(
        words, type="button", class_=f"cb-button {kind}".strip(), data_act=act, **attributes
    )


def sheet_head(title: str, id: str) -> Tag:
    """Return a sheet's heading, which has this `id`, and the button that closes the sheet."""
    return tags.div(
        tags.h2(title, id=id),
        tags.button(
            icon("close"),
            type="button",
            class_="cb-icon-button",
            data_act="close",
            aria_label="Close",
        ),
        class_="sheet-head",
    )
