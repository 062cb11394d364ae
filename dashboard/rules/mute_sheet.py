"""The sheet for muting a rule, or one of its rows: for a while, weekly, or for a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from htmltools import Tag, TagList, tags

from alerts import UnusableInput
from alerts.phone_numbers import Regions, international, read_number
from dashboard.inputs import choice, text
from dashboard.page_parts import button
from dashboard.rules.parts import field, sheet, text_input, when_next, wrong
from rules.mutes import Mute

WEEKLY = "weekly"
MUTE_MINUTES = {"60": 60, "480": 480, "1440": 1440, "10080": 10_080}
MUTE_CHOICES = {
    "60": "For an hour",
    "480": "For 8 hours",
    "1440": "For a day",
    "10080": "For a week",
    "": "Until it is ended by hand",
    WEEKLY: "Every week at",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of the sheet asks for; `until` is None if a person has to end the mute."""

    until: datetime | None
    weekly: str
    recipient: str


def read_mute(fields: Mapping[str, object], regions: Regions) -> Asked:
    """Return what the sheet's form holds. Raises `UnusableInput` for `weekly` and `recipient`."""
    how = choice(fields.get("how_long", ""), "how_long", MUTE_CHOICES)
    typed = text(fields.get("recipient", ""), "recipient").strip()
    weekly = text(fields.get("weekly", ""), "weekly").strip()
    if how == WEEKLY and not weekly:
        raise UnusableInput("weekly", "Say on which days, such as sat sun or mon-fri 18:00-07:00.")
    try:
        recipient = read_number(typed, regions).dialed if typed else ""
    except UnusableInput as problem:
        raise UnusableInput("recipient", str(problem)) from None
    minutes = MUTE_MINUTES.get(how)
    until = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None
    return Asked(until, weekly if how == WEEKLY else "", recipient)


def mute_sheet(
    name: str,
    mutes: Sequence[Mute],
    zone: str,
    *,
    problem: UnusableInput | None = None,
    fields: Mapping[str, object],
) -> Tag:
    """Return the sheet for muting a rule, or one of its rows, and for ending mutes.

    With a `problem`, the form still holds the `fields` that were sent.
    """
    held = {each: str(fields.get(each, "")) for each in ("weekly", "recipient")}
    chosen = str(fields.get("how_long", "60"))
    body = TagList(
        tags.p("What is still bad at the end is told then, together.", class_="cb-quiet cb-small"),
        tags.fieldset(
            tags.legend("Tell nobody of it", class_="visually-hidden"),
            *(_how_long(value, words, chosen) for value, words in MUTE_CHOICES.items()),
        ),
        _mute_field("weekly", "Days and hours", held["weekly"], "sat sun", problem),
        _mute_field(
            "recipient", "Mute it for", held["recipient"], "everybody, or one number", problem
        ),
        tags.h3("Muted now") if mutes else None,
        tags.ul(*(_mute_row(each, zone) for each in mutes), class_="sheet-list") if mutes else None,
    )
    return tags.form(
        sheet(
            f"Mute {name}",
            body,
            tags.button("Mute", type="submit", class_="cb-button ink"),
            button("Back", "close", "bare"),
        ),
        data_submit="mute",
        novalidate="",
    )


def _how_long(value: str, words: str, chosen: str) -> Tag:
    return tags.label(
        tags.input(
            type="radio",
            name="how_long",
            value=value,
            checked="" if value == chosen else None,
        ),
        tags.span(words),
        class_="check",
    )


def _mute_field(
    name: str, label: str, value: str, example: str, problem: UnusableInput | None
) -> Tag:
    control = text_input(
        name, value, f"rules-mute-{name}", placeholder=example,
        aria_describedby=f"rules-mute-{name}-line",
    )  # fmt: skip
    sentence = str(problem) if problem and problem.field == name else ""
    line = tags.div(wrong(sentence) if sentence else None, id=f"rules-mute-{name}-line")
    return tags.div(field(label, control, line), class_=f"mute-{name}")


def _mute_row(mute: Mute, zone: str) -> Tag:
    return tags.li(
        tags.div(
            tags.span(_muted(mute), class_="cb-strong"),
            tags.span(_until(mute, zone), class_="under"),
        ),
        button("End", "unmute", "low", data_id=mute.id, aria_label=f"End: {_muted(mute)}"),
    )


def _muted(mute: Mute) -> str:
    what = mute.key_words or "all of it"
    return f"{what}, to {international(mute.recipient)}" if mute.recipient else what


def _until(mute: Mute, zone: str) -> str:
    by = f", by {mute.muted_by}" if mute.muted_by else ""
    if mute.weekly:
        return f"weekly, {mute.weekly}{by}"
    until = f"until {when_next(mute.until, zone)}" if mute.until else "until it is ended by hand"
    return until + by
