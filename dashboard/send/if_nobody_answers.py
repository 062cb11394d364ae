""" "If nobody answers": further tries, voicemail, a text, other people, and quiet hours.

Folded away under one line that sums it up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from htmltools import Tag, tags
from shiny import Inputs, render, ui
from shiny.module import resolve_id

from alerts import AlertRequest, UnusableInput
from alerts.message.compose import MOST_MINUTES_BETWEEN_TRIES
from alerts.phone_numbers import Regions, read_number, shortened
from alerts.services import Services
from dashboard.fields import described_by, feedback

TRIES = {"1": "Never", "2": "Once more", "3": "2 more times", "4": "3 more times"}
NIGHT = "22:00-07:00"
# Keys of an extension after a comma or "ext=", up to the next number.
SEPARATOR = re.compile(r"\n|[,;](?![,;]*(?:ext=)?[0-9*]{1,6}#?[^\S\n]*(?:[\n,;]|$))")
DEFAULTS = AlertRequest("call", "", "")


def if_nobody_answers_ui() -> Tag:
    """Return the inputs, each named like its field of `AlertRequest`.

    `UnusableInput` names that field, so the page can put the focus on the input that is wrong.
    """
    return tags.details(
        tags.summary(
            tags.span("If nobody answers", class_="question for-call"),
            tags.span("If it isn't delivered", class_="question for-text"),
            ui.output_text("reaching_summary", inline=True),
        ),
        tags.div(_acknowledge(), class_="for-call"),
        _tries(),
        tags.div(_voicemail(), _then_text(), class_="for-call"),
        _then_to(),
        _quiet_hours(),
        class_="if-nobody-answers",
    )


def if_nobody_answers_server(input: Inputs, services: Services) -> None:
    """Sum up what is on, and say what can't be done. For use inside a module's server."""

    @render.text
    def reaching_summary() -> str:
        return summary(with_escalation(AlertRequest(input.channel(), "", ""), input))

    @render.ui
    def acknowledge_line() -> Tag | None:
        if services.callbacks is not None:
            return None
        return feedback("unavailable", "Needs PUBLIC_URL, so that Twilio can report the key.")

    @render.ui
    def then_to_feedback_line() -> Tag:
        return numbers_feedback(numbers_in(input.then_to()), services.regions)


def with_escalation(request: AlertRequest, input: Inputs) -> AlertRequest:
    """Return the request with these inputs in it; what only a call can do is off for a text."""
    is_call = request.channel == "call"
    minutes = input.minutes_between_tries()
    return replace(
        request,
        acknowledge=is_call and input.acknowledge(),
        voicemail=input.voicemail().strip() if is_call else "",
        tries=int(input.tries()),
        # Desk.check refuses NaN with a sentence that says which numbers the empty field takes.
        minutes_between_tries=math.nan if minutes is None else float(minutes),
        then_text=is_call and input.then_text(),
        then_to=numbers_in(input.then_to()),
        quiet_hours=NIGHT if input.quiet_hours() else "",
    )


def summary(request: AlertRequest) -> str:
    """Sum up what is on: "Asks to press 1 · 3 tries, 5 minutes apart · then a text"."""
    others = len(request.then_to)
    parts = [
        ("asks to press 1", request.acknowledge),
        (_tries_in_words(request), request.tries > 1),
        ("short message on voicemail", request.voicemail),
        ("then a text", request.then_text),
        ("then 1 more person" if others == 1 else f"then {others} more people", others),
        ("not at night", request.quiet_hours),
    ]
    words = " · ".join(words for words, is_on in parts if is_on) or "one attempt"
    return words[0].upper() + words[1:]


def _tries_in_words(request: AlertRequest) -> str:
    minutes = request.minutes_between_tries
    if math.isnan(minutes) or minutes == 0:
        return f"{request.tries} tries"
    apart = "1 minute" if minutes == 1 else f"{minutes:g} minutes"
    return f"{request.tries} tries, {apart} apart"


def numbers_in(text: str) -> tuple[str, ...]:
    """Split numbers that stand one per line, or between commas or semicolons.

    A comma or semicolon right before a few keys is part of a number: an extension.
    """
    return tuple(number.strip() for number in SEPARATOR.split(text) if number.strip())


def numbers_feedback(numbers: Sequence[str], regions: Regions) -> Tag:
    """Say who else will be tried, in order, or which of the numbers can't be called."""
    read = []
    for number in numbers:
        try:
            read.append(read_number(number, regions))
        except UnusableInput as problem:
            return feedback("bad", f"{shortened(number)}: {problem}")
    for each in read:
        if each.warning:
            return feedback("waiting", f"{each.international}: {each.warning}")
    shown = " · ".join(each.international for each in read)
    return feedback("good", shown) if read else feedback("", "")


def _acknowledge() -> Tag:
    checkbox = ui.input_checkbox(
        "acknowledge", "Ask them to press 1: the only proof that they heard it"
    )
    return tags.div(
        described_by(resolve_id("acknowledge_line"), checkbox, "input"),
        ui.output_ui("acknowledge_line", class_="choice-line"),
    )


def _tries() -> Tag:
    return tags.div(
        ui.input_select("tries", "Try again", TRIES, selected=str(DEFAULTS.tries)),
        ui.input_numeric(
            "minutes_between_tries",
            "Minutes apart",
            DEFAULTS.minutes_between_tries,
            min=0,
            max=MOST_MINUTES_BETWEEN_TRIES,
        ),
        class_="tries",
    )


def _voicemail() -> Tag:
    return ui.input_text(
        "voicemail",
        "Short message for voicemail",
        placeholder="Same as the message",
        width="100%",
    )


def _then_text() -> Tag:
    return ui.input_checkbox("then_text", "Then text them the same")


def _then_to() -> Tag:
    numbers = ui.input_text_area(
        "then_to",
        tags.span("Then try these people", class_="label"),
        placeholder="Their numbers, one per line",
        rows=2,
        width="100%",
    )
    return tags.div(
        described_by(resolve_id("then_to_feedback_line"), numbers, "textarea"),
        ui.output_ui("then_to_feedback_line", class_="feedback-line"),
    )


def _quiet_hours() -> Tag:
    return ui.input_checkbox("quiet_hours", "Not between 22:00 and 07:00 where they are")
