"""What a page says until its first answer is there.

It is in the page as the browser gets it, since the server may take seconds before it can answer
anything. It shows only if that takes a while, so that nothing flickers on a quick machine.
"""

from __future__ import annotations

from htmltools import Tag, tags

LOOKING = "Looking…"


def looking(words: str = LOOKING) -> Tag:
    """Return the words, which parts.css shows after a moment."""
    return tags.p(words, class_="cb-looking")


def until_known(output: Tag, words: str = LOOKING) -> Tag:
    """Have an output say so until its first value comes; returns it."""
    output.append(looking(words))
    return output
