"""How the handset looks: its screen, its keys and its buttons."""

from __future__ import annotations

from htmltools import Tag, tags
from shiny.module import resolve_id

from alerts.phone_numbers import international
from dashboard.assets import phone_assets
from simulator import PEOPLE

KEYS = "123456789*0#"


def phone_form() -> Tag:
    """The whole handset, with the id of the module that asks for it."""
    return tags.aside(
        phone_assets(),
        tags.button(
            "Phone",
            tags.span("No call", class_="bar-state"),
            type="button",
            class_="handset-bar",
            aria_expanded="false",
        ),
        tags.div(
            "Simulated phone",
            tags.button("Ringer on", type="button", class_="silence", aria_pressed="false"),
            class_="handset-top",
        ),
        tags.div(tags.h2("No call"), tags.p(), class_="handset-who", role="status"),
        tags.div(
            _directory(),
            tags.div(class_="captions"),
            tags.p("Answer to hear the message.", class_="quiet hint"),
            tags.p("Waiting for a key.", class_="quiet gathering"),
            tags.div(class_="texts"),
            class_="handset-screen",
            role="log",
            aria_label="What the phone says",
            tabindex="0",
        ),
        tags.div(*(_key(key) for key in KEYS), class_="handset-keys", hidden=""),
        tags.div(
            tags.button("Decline", type="button", class_="decline", hidden=""),
            tags.button("Answer", type="button", class_="answer", hidden=""),
            tags.button("Hang up", type="button", class_="hang-up", hidden=""),
            class_="handset-actions",
        ),
        tags.form(
            tags.input(
                type="text", aria_label="Reply", placeholder="Reply, or STOP", maxlength=160
            ),
            tags.button("Send", type="submit"),
            class_="handset-reply",
            hidden="",
        ),
        class_="handset",
        aria_label="Simulated phone",
        id=resolve_id("handset"),
        data_phase="idle",
    )


def _directory() -> Tag:
    """Who is at the other end, where it isn't just anybody; a number fills in the form."""
    rows = [
        tags.li(
            tags.button(international(person.number), type="button", data_number=person.number),
            tags.span(f"{person.name}. {person.description}"),
        )
        for person in PEOPLE
    ]
    return tags.div(
        tags.p("Calls that you send ring here. These numbers answer for themselves:"),
        tags.ul(rows),
        class_="directory quiet",
    )


def _key(key: str) -> Tag:
    spoken = {"*": "star", "#": "pound"}.get(key)
    return tags.button(key, type="button", data_key=key, aria_label=spoken)
