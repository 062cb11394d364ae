"""An input and the line under it, which says what is right or wrong while people type."""

from __future__ import annotations

from typing import Literal

from htmltools import Tag, tags

Tone = Literal["good", "bad", "waiting", "unavailable", ""]
MARKS: dict[Tone, str] = {"good": "✓", "bad": "✕", "waiting": "!"}


def described_by(line_id: str, control: Tag, element: str, **attributes: str) -> Tag:
    """Name the line under `control` as its description, for people who hear the page.

    The description and the other `attributes` go to each `element` ("input", "textarea") inside;
    Shiny's own functions take neither. The script common.js then marks the control as invalid while
    the line says so.
    """
    for child in control.children:
        if isinstance(child, Tag):
            if child.name == element:
                child.attrs.update({"aria-describedby": line_id}, **attributes)
            described_by(line_id, child, element, **attributes)
    return control


def feedback(tone: Tone, words: str) -> Tag:
    """Return the words of such a line, with a mark beside the color for all but "".

    "unavailable" also turns the control off.
    """
    mark = MARKS.get(tone)
    icon = tags.span(mark, aria_hidden="true") if mark else None
    return tags.span(icon, f" {words}" if mark else words, class_=f"feedback {tone}")


# For lines that change with every key, because building a tag takes longer than showing it.
NO_FEEDBACK = feedback("", "")


def unannounced(output: Tag) -> Tag:
    """Keep screen readers from reading out an output at each change, as Shiny makes them do.

    For outputs that change with every key. Say what matters in an element with `role="status"`.
    """
    output.attrs["aria-live"] = "off"
    return output
