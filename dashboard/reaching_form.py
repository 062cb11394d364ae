"""The inputs for what to do if nobody answers, folded away under one line that sums them up."""

from __future__ import annotations

from htmltools import Tag, tags
from shiny import ui
from shiny.module import resolve_id

from alerts.alert import AlertRequest
from alerts.message.compose import MOST_MINUTES

TRIES = {"1": "Never", "2": "Once more", "3": "2 more times", "4": "3 more times"}
NIGHT = "22:00-07:00"
DEFAULTS = AlertRequest("call", "", "")


def reaching_form() -> Tag:
    """The inputs have the names of the request's fields, so that a problem finds its input."""
    return tags.details(
        tags.summary(
            tags.span("If nobody answers", class_="question for-call"),
            tags.span("If it isn't delivered", class_="question for-text"),
            ui.output_text("reaching_summary", inline=True),
        ),
        tags.div(_acknowledge(), class_="for-call"),
        _again(),
        tags.div(_voicemail(), _then_text(), class_="for-call"),
        _then_to(),
        _wait_for_the_morning(),
        class_="reaching",
    )


def described(control: Tag, element: str, *, described_by: str, **attributes: str) -> Tag:
    """Tie the sentence under a control to it, for people who hear the page."""
    for child in control.children:
        if isinstance(child, Tag):
            if child.name == element:
                child.attrs.update({"aria-describedby": described_by}, **attributes)
            described(child, element, described_by=described_by, **attributes)
    return control


def _acknowledge() -> Tag:
    checkbox = described(
        ui.input_checkbox("acknowledge", "Ask them to press 1: the only proof that they heard it"),
        "input",
        described_by=resolve_id("acknowledge_line"),
    )
    return tags.div(checkbox, ui.output_ui("acknowledge_line", class_="choice-line"))


def _again() -> Tag:
    return tags.div(
        ui.input_select("tries", "Try again", TRIES, selected=str(DEFAULTS.tries)),
        ui.input_numeric(
            "minutes_between_tries",
            "Minutes apart",
            DEFAULTS.minutes_between_tries,
            min=0,
            max=MOST_MINUTES,
        ),
        class_="again",
    )


def _voicemail() -> Tag:
    return ui.input_text(
        "voicemail",
        "Short message for voicemail",
        placeholder="None: voicemail hears the whole message",
        width="100%",
    )


def _then_text() -> Tag:
    return ui.input_checkbox("then_text", "Then text them the same")


def _then_to() -> Tag:
    numbers = described(
        ui.input_text_area(
            "then_to",
            tags.span("Then try these people", class_="label"),
            placeholder="Their numbers, one on a line",
            rows=2,
            width="100%",
        ),
        "textarea",
        described_by=resolve_id("then_to_feedback_line"),
    )
    return tags.div(numbers, ui.output_ui("then_to_feedback_line", class_="feedback-line"))


def _wait_for_the_morning() -> Tag:
    return ui.input_checkbox("quiet_hours", "Not between 22:00 and 07:00 where they are")
