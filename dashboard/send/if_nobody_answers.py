""" "If nobody answers": further tries, voicemail, a text, other people, and quiet hours.

Folded away under one line that sums it up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from htmltools import Tag, TagList, tags
from shiny import Inputs, render, ui
from shiny.module import resolve_id

from alerts import AlertRequest, UnusableInput
from alerts.alert import Channel
from alerts.message.compose import (
    MOST_FURTHER_NUMBERS,
    MOST_MINUTES_BETWEEN_TRIES,
    MOST_TRIES,
)
from alerts.phone_numbers import Regions, read_number, shortened
from alerts.services import Services
from dashboard.fields import NO_FEEDBACK, described_by, feedback, unannounced
from dashboard.inputs import choice, count, number, switch, text
from people.recipients import parts_of

CHANNELS = {"call": "Call", "text": "Text"}
TRIES = {"1": "Never", "2": "Once more", "3": "2 more times", "4": "3 more times"}
NIGHT = "22:00-07:00"
DEFAULTS = AlertRequest("call", "", "")


def if_nobody_answers_ui(chosen: AlertRequest = DEFAULTS) -> Tag:
    """Return the inputs, filled in as `chosen`, each named like its field of `AlertRequest`.

    `UnusableInput` names that field, so the page can put the focus on the input that is wrong.
    """
    return tags.details(
        tags.summary(
            tags.span("If nobody answers", class_="question for-call"),
            tags.span("If it isn't delivered", class_="question for-text"),
            unannounced(ui.output_text("reaching_summary", inline=True)),
        ),
        *if_nobody_answers_inputs(chosen, _then_to(chosen)),
        class_="if-nobody-answers",
    )


def if_nobody_answers_inputs(chosen: AlertRequest, then_to: Tag) -> TagList:
    """Return the inputs alone, for a page that folds them away with others.

    `then_to` is the field for the people who are tried next.
    """
    return TagList(
        _tries(chosen),
        tags.div(_voicemail(chosen), _then_text(chosen), class_="for-call"),
        then_to,
        _quiet_hours(chosen),
    )


def if_nobody_answers_server(input: Inputs, services: Services) -> None:
    """Sum up the options in use, and say which can't be. For use inside a module's server."""

    @render.text
    def reaching_summary() -> str:
        try:
            request = AlertRequest(read_channel(input), "", "")
            return summary(with_escalation(request, lambda name: input[name]()))
        except UnusableInput as problem:
            return str(problem)

    @render.ui
    def then_to_feedback_line() -> Tag:
        try:
            others = parts_of(text(input.then_to(), "then_to"))
            return numbers_feedback(others, services.regions)
        except UnusableInput as problem:
            return feedback("bad", str(problem))


def with_escalation(request: AlertRequest, value: Callable[[str], object]) -> AlertRequest:
    """Return the request with these inputs in it; options that only calls have are off for a text.

    `value` returns what the input of a name holds. Raises `UnusableInput` for a value of the wrong
    kind, or one too long for any input.
    """
    is_call = request.channel == "call"
    return replace(
        request,
        voicemail=text(value("voicemail"), "voicemail").strip() if is_call else "",
        tries=count(value("tries"), "tries", MOST_TRIES),
        # Desk.check refuses NaN with a sentence that says which numbers the empty field takes.
        minutes_between_tries=number(value("minutes_between_tries"), "minutes_between_tries"),
        then_text=is_call and switch(value("then_text"), "then_text"),
        then_to=parts_of(text(value("then_to"), "then_to")),
        quiet_hours=NIGHT if switch(value("quiet_hours"), "quiet_hours") else "",
    )


def tries_to_choose(tries: int) -> dict[str, str]:
    """Return the choices of how often it is tried, with `tries` among them."""
    return TRIES | {str(tries): TRIES.get(str(tries), f"{tries - 1} more times")}


def read_channel(input: Inputs) -> Channel:
    """Return whether to call or to text; a reactive read. Raises `UnusableInput`."""
    return "call" if choice(input.channel(), "channel", CHANNELS) == "call" else "text"


def summary(request: AlertRequest) -> str:
    """Sum up what is on: "3 tries, 5 minutes apart · then a text"."""
    others = len(request.then_to)
    parts = [
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


def numbers_feedback(numbers: Sequence[str], regions: Regions) -> Tag:
    """Say who else will be tried, in order, or which of the numbers can't be called."""
    if len(numbers) > MOST_FURTHER_NUMBERS:
        return feedback("bad", f"Name {MOST_FURTHER_NUMBERS} further numbers at most.")
    read = []
    for each in numbers:
        try:
            read.append(read_number(each, regions))
        except UnusableInput as problem:
            return feedback("bad", f"{shortened(each)}: {problem}")
    for found in read:
        if found.warning:
            return feedback("waiting", f"{found.international}: {found.warning}")
    shown = " · ".join(found.international for found in read)
    return feedback("good", shown) if read else NO_FEEDBACK


def _tries(chosen: AlertRequest) -> Tag:
    return tags.div(
        ui.input_select(
            "tries", "Try again", tries_to_choose(chosen.tries), selected=str(chosen.tries)
        ),
        ui.input_numeric(
            "minutes_between_tries",
            "Minutes apart",
            chosen.minutes_between_tries,
            min=0,
            max=MOST_MINUTES_BETWEEN_TRIES,
        ),
        class_="tries",
    )


def _voicemail(chosen: AlertRequest) -> Tag:
    return ui.input_text(
        "voicemail",
        "Short message for voicemail",
        chosen.voicemail,
        placeholder="Same as the message",
        width="100%",
    )


def _then_text(chosen: AlertRequest) -> Tag:
    return ui.input_checkbox("then_text", "Then text them the same", chosen.then_text)


def _then_to(chosen: AlertRequest) -> Tag:
    numbers = ui.input_text_area(
        "then_to",
        tags.span("Then try these people", class_="label"),
        "\n".join(chosen.then_to),
        placeholder="Their numbers, one per line",
        rows=2,
        width="100%",
    )
    return tags.div(
        described_by(resolve_id("then_to_feedback_line"), numbers, "textarea"),
        ui.output_ui("then_to_feedback_line", class_="feedback-line"),
    )


def _quiet_hours(chosen: AlertRequest) -> Tag:
    words = "Not between 22:00 and 07:00 where they are"
    return ui.input_checkbox("quiet_hours", words, bool(chosen.quiet_hours))
