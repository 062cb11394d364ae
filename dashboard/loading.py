"""What a page says until its first answer is there.

It is part of the page that the browser loads, since the server may take seconds before it can
answer anything. It appears only after a moment, so that nothing flickers on a quick machine.
"""

from __future__ import annotations

from htmltools import Tag, tags

LOOKING = "Looking…"


def looking(words: str = LOOKING) -> Tag:
    """Return the words, which parts.css shows after a moment."""
    return tags.p(words, class_="cb-looking")


def until_known(output: Tag, words: str = LOOKING) -> Tag:
    """Make an output show these words until its first value comes; returns the output."""
    output.append(looking(words))
    return output
