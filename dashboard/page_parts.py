"""Parts that several pages share: icons, buttons, heads of sheets, counts, words while waiting."""

from __future__ import annotations

from htmltools import HTML, Tag, TagChild, tags

# Drawn in a box of 16 by 16.
ICONS = {
    "add": '<path d="M8 3v10M3 8h10"/>',
    "again": '<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3"/>',
    "close": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "copy": '<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/>'
    '<path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2"/>',
    "download": '<path d="M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10"/>',
    "file": '<path d="M4 1.8h5.2L12.5 5v9.2H4zM9 2v3.2h3.2"/>',
    "import": '<path d="M8 11V3M4.5 6 8 2.5 11.5 6M3 13.5h10"/>',
    "moon": '<path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z"/>',
    "play": '<path d="M5 3.2v9.6L12.5 8z" fill="currentcolor"/>',
    "print": '<path d="M4.5 6V2.5h7V6M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7v4h-7z"/>',
    "right": '<path d="m6 4 4 4-4 4"/>',
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>',
}
LOOKING = "Looking…"


def icon(name: str) -> HTML:
    """Return one of ICONS in the color of the text around it.

    Words stand beside it, so screen readers skip it.
    """
    return HTML(f'<svg class="cb-icon" viewBox="0 0 16 16" aria-hidden="true">{ICONS[name]}</svg>')


def button(words: TagChild, act: str, kind: str = "", **attributes: str | None) -> Tag:
    """Return a button that sends its action, with `data_id` and `data_value` if given.

    The page's script sends it to the page's server.
    """
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


def waiting_words(count: int) -> Tag | None:
    """Return the count on a tab of the decisions that wait, None if there are none."""
    if not count:
        return None
    them = "1 waits" if count == 1 else f"{count} wait"
    return tags.span(
        tags.span(str(count), aria_hidden="true"),
        tags.span(f" {them} for you", class_="visually-hidden"),
        class_="tab-count",
    )


def looking(words: str = LOOKING) -> Tag:
    """Return what a page says until its first answer is there, which may take seconds.

    parts.css shows it after a moment, so that nothing flickers on a quick machine.
    """
    return tags.p(words, class_="cb-looking")


def until_known(output: Tag, words: str = LOOKING) -> Tag:
    """Make an output show these words until its first value comes; returns the output."""
    output.append(looking(words))
    return output
