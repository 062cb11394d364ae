"""The form of the Send page: whom to call or text, what to say, and in which voice."""

from __future__ import annotations

import unicodedata

from htmltools import Tag, TagChild, TagList, tags
from shiny import Inputs, Session, reactive, render, ui
from shiny.module import resolve_id

from alerts import AlertRequest, UnusableInput
from alerts.alert import Channel
from alerts.message.compose import VARIABLES, refuse_extension
from alerts.message.languages import LANGUAGE_NAMES, voices_for
from alerts.phone_numbers import Regions, international, read_number
from alerts.services import Services
from alerts.time_zones import find_zone
from dashboard.fields import described_by, feedback
from dashboard.inputs import choice, text
from dashboard.send.if_nobody_answers import (
    CHANNELS,
    DEFAULTS,
    if_nobody_answers_server,
    if_nobody_answers_ui,
    read_channel,
    with_escalation,
)
from dashboard.shell import viewer_name

FIRST_MESSAGE = (
    "Greetings, it is currently {{ now }}. Batch 1407 of your pale ale shows signs of diacetyl."
)
REPEATS = {"1": "Once", "2": "2 times", "3": "3 times", "5": "5 times", "0": "Until they hang up"}


def form_ui() -> TagList:
    """Return every input, and under each the line that says what is right or wrong with it."""
    return TagList(
        tags.div(tags.h1("New alert"), _channel(), class_="card-heading"),
        _phone_number(),
        _message(),
        tags.div(
            ui.input_select(
                "voice", "Voice", voices_for(DEFAULTS.language), selected=DEFAULTS.voice
            ),
            ui.input_select("language", "Language", LANGUAGE_NAMES, selected=DEFAULTS.language),
            ui.input_select("repeat", "Say it", REPEATS, selected=str(DEFAULTS.repeat)),
            class_="how-to-say-it for-call",
        ),
        if_nobody_answers_ui(),
        tags.div(ui.output_text("send_refusal", inline=True), class_="refusal", role="alert"),
        ui.input_task_button(
            "send_test_call",
            TagList(for_channel("call", "Send test call"), for_channel("text", "Send test text")),
            label_busy="Sending…",
            class_="send-button",
        ),
        tags.p(ui.output_text("caller", inline=True), class_="caller"),
    )


def form_server(input: Inputs, services: Services) -> None:
    """Check what is typed, offer the voices of the language, and say which number calls.

    For use inside a module's server.
    """
    if_nobody_answers_server(input, services)

    @reactive.effect
    @reactive.event(input.language, ignore_init=True)
    def offer_voices() -> None:
        try:
            language, voice = text(input.language(), "language"), text(input.voice(), "voice")
        except UnusableInput:
            return  # said at the button
        voices = voices_for(language)
        chosen = voice if voice in voices else next(iter(voices), DEFAULTS.voice)
        ui.update_select("voice", choices=voices, selected=chosen)

    @reactive.effect
    @reactive.event(input.write_composed)
    def write_composed() -> None:
        try:
            written = text(input.message(), "message")
        except UnusableInput:
            return  # said under the message
        ui.update_text_area("message", value=unicodedata.normalize("NFC", written))

    @render.ui
    def number_feedback_line() -> Tag:
        try:
            typed, channel = read_typed_number(input), read_channel(input)
        except UnusableInput as problem:
            return feedback("bad", str(problem))
        return number_feedback(typed, services.regions, channel)

    @render.text
    def caller() -> str:
        number = international(services.from_number)
        simulated = ", simulated: no real call" if services.simulator else ""
        return f"From {number}{simulated}."


def read_form(input: Inputs, session: Session, services: Services) -> AlertRequest:
    """Return the request that the form describes; a reactive read of all inputs but the number.

    The number is left out, so that typing one doesn't draw the preview again. Raises
    `UnusableInput` for what isn't of the input's kind, or too long for any.
    """
    request = AlertRequest(
        channel=read_channel(input),
        to="",
        message=text(input.message(), "message"),
        voice=text(input.voice(), "voice"),
        language=text(input.language(), "language"),
        repeat=int(choice(input.repeat(), "repeat", REPEATS)),
        user=viewer_name(session),
        time_zone=_time_zone(input, services),
    )
    return with_escalation(request, input)


def _time_zone(input: Inputs, services: Services) -> str:
    """The browser's zone. One that this machine doesn't know mustn't stop an alert."""
    named = text(input.time_zone(), "time_zone") if input.time_zone.is_set() else ""
    return named if named and find_zone(named) else services.time_zone


def read_typed_number(input: Inputs) -> str:
    """Return the number as it is typed; a reactive read. Raises `UnusableInput`."""
    return text(input.phone_number(), "phone_number")


def number_feedback(typed: str, regions: Regions, channel: Channel = "call") -> Tag:
    """Say which number will be called and where it is, or why it can't be called or texted."""
    if not typed.strip():
        return feedback(
            "", f"Any format works. Without a country code it is a {regions.default} number."
        )
    try:
        number = read_number(typed, regions)
        refuse_extension("phone_number", number, channel)
    except UnusableInput as problem:
        return feedback("bad", str(problem))
    place = ", ".join(part for part in (number.place, number.country) if part)
    if number.warning:
        return feedback("waiting", f"{number.international} · {place}. {number.warning}")
    return feedback("good", f"{number.international} · {place}")


def for_channel(channel: str, words: TagChild) -> Tag:
    """Return words that show for one channel only; the stylesheet follows the choice at once."""
    return tags.span(words, class_=f"for-{channel}")


def _channel() -> Tag:
    return tags.div(
        ui.input_radio_buttons("channel", "Call or text", CHANNELS, inline=True),
        class_="segmented",
    )


def _phone_number() -> TagList:
    number = ui.input_text(
        "phone_number", "Phone number", placeholder="(412) 857-4309", width="100%"
    )
    return TagList(
        described_by(resolve_id("number_feedback_line"), number, "input", inputmode="tel"),
        ui.output_ui("number_feedback_line", class_="feedback-line"),
    )


def _message() -> TagList:
    message = ui.input_text_area(
        "message", "Message", FIRST_MESSAGE, rows=3, autoresize=True, width="100%"
    )
    return TagList(
        described_by(resolve_id("message_feedback_line"), message, "textarea"),
        tags.div(
            *map(_insert_button, VARIABLES),
            class_="variables",
            role="group",
            aria_label="Insert a variable",
        ),
        ui.output_ui("message_feedback_line", class_="feedback-line"),
    )


def _insert_button(variable: str) -> Tag:
    shown = f"{{{{ {variable} }}}}"
    return tags.button(shown, type="button", data_insert=shown, data_into=resolve_id("message"))
