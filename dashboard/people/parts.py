"""What the People page and its sheets are made of: icons, and buttons that name their action.

people.js sends the action of whatever is pressed to the page's server.
"""

from __future__ import annotations

from htmltools import HTML, Tag, TagChild, tags

MOST_SEARCH_CHARACTERS = 100
ICONS = {
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>',
    "import": '<path d="M8 11V3M4.5 6 8 2.5 11.5 6M3 13.5h10"/>',
    "add": '<path d="M8 3v10M3 8h10"/>',
    "close": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "moon": '<path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z"/>',
    "file": '<path d="M4 1.8h5.2L12.5 5v9.2H4zM9 2v3.2h3.2"/>',
    "right": '<path d="m6 4 4 4-4 4"/>',
}


def icon(name: str) -> HTML:
    """Return one of ICONS in the color of the text around it."""
    return HTML(f'<svg class="cb-icon" viewBox="0 0 16 16" aria-hidden="true">{ICONS[name]}</svg>')


def button(words: TagChild, act: str, kind: str = "", **attributes: str) -> Tag:
    """Return a button that sends its action, with `data_id` and `data_value` if given."""
    return tags.button(
        words, type="button", class_=f"cb-button {kind}".strip(), data_act=act, **attributes
    )
