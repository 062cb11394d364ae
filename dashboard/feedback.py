"""The sentences under the inputs, which say what is right or wrong while people type."""

from __future__ import annotations

from collections.abc import Sequence

from htmltools import Tag, tags

from alerts import UnusableInput
from alerts.message.segments import Segments
from alerts.phone_numbers import Regions, read_number

SHOWN_CHARACTERS = 5


def number_feedback(text: str, regions: Regions) -> Tag:
    """Which number will be called and where it is, or why it can't be."""
    if not text.strip():
        return sentence(
            "", f"Written any way. Without a country code it is a {regions.default} number."
        )
    try:
        number = read_number(text, regions)
    except UnusableInput as problem:
        return sentence("bad", str(problem))
    place = ", ".join(part for part in (number.place, number.country) if part)
    return sentence("good", f"{number.international} · {place}")


def others_feedback(numbers: Sequence[str], regions: Regions) -> Tag:
    """Who else will be tried, in this order, or which of the numbers can't be."""
    read = []
    for number in numbers:
        try:
            read.append(read_number(number, regions).international)
        except UnusableInput as problem:
            return sentence("bad", f"{number}: {problem}")
    return sentence("good", " · ".join(read)) if read else sentence("", "")


def segments_feedback(segments: Segments) -> Tag:
    """What a text costs, and which characters make it cost more."""
    parts = "1 segment" if segments.count == 1 else f"{segments.count} segments"
    counted = f"{parts} · {segments.units} characters in {segments.encoding}"
    if not segments.costlier:
        return sentence("", f"{counted}.")
    shown = " ".join(segments.costlier[:SHOWN_CHARACTERS])
    more = len(segments.costlier) - SHOWN_CHARACTERS
    others = f" and {more} more" if more > 0 else ""
    which = "forces" if len(segments.costlier) == 1 else "force"
    return sentence(
        "waiting", f"{counted}: {shown}{others} {which} the costlier encoding (70 a segment)."
    )


def sentence(state: str, words: str) -> Tag:
    """One line of feedback; `state` is good, bad, waiting or "" for neither."""
    mark = {"good": "✓", "bad": "✕", "waiting": "!"}.get(state)
    icon = tags.span(mark, aria_hidden="true") if mark else None
    return tags.span(icon, f" {words}" if mark else words, class_=f"feedback {state}")
