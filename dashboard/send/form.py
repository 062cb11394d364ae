"""The form of the Send page: whom to call or text, what to say, and in which voice."""

from __future__ import annotations

import unicodedata

from htmltools import Tag, TagChild, TagList, tags
from shiny import Inputs, reactive, render, ui
from shiny.module import resolve_id

from access.actor import Permission
from alerts import AlertRequest, UnusableInput
from alerts.message.compose import VARIABLES
from alerts.message.languages import LANGUAGE_NAMES, check_voice, language_name, voices_for
from alerts.phone_numbers import international
from alerts.services import Services
from alerts.time_zones import find_zone
from dashboard.fields import described_by, unannounced
from dashboard.inputs import count, switch, text
from dashboard.permissions import may_not
from dashboard.send.from_file import column_buttons
from dashboard.send.if_nobody_answers import (
    CHANNELS,
    DEFAULTS,
    if_nobody_answers_server,
    if_nobody_answers_ui,
    read_channel,
    tries_to_choose,
    with_escalation,
)
from dashboard.send.recipients import to_field
from dashboard.send.templates import keep_ui, templates_ui

SAMPLE_MESSAGE = (
    "Greetings, it is currently {{ now }}. Batch 1407 of your pale ale shows signs of diacetyl."
)
MOST_REPEATS = 1000  # more than fit into any call
REPEATS = {"1": "once", "2": "2 times", "3": "3 times", "5": "5 times", "0": "until they hang up"}


def form_ui(to: str, message: str) -> TagList:
    """Return every input, filled in with `to` and `message`, and under each what is wrong."""
    return TagList(
        tags.div(tags.h1("New alert"), _channel(), class_="card-heading"),
        to_field(to),
        _message(message),
        _acknowledge(),
        _how_to_say_it(),
        if_nobody_answers_ui(),
        keep_ui(),
        tags.div(
            # On phones it has to be visible, as the button below it is.
            tags.div(ui.output_text("send_refusal", inline=True), class_="refusal", role="alert"),
            tags.a(
                unannounced(ui.output_text("in_short", inline=True)),
                href=f"#{resolve_id('story')}",
                class_="to-story",
            ),
            may_not(Permission.SEND),
            ui.input_task_button(
                "send_test_call",
                _until_connected(ui.output_text("send_label", inline=True), "Call now"),
                label_busy="Sending…",
                class_="send-button",
            ),
            class_="dock",
        ),
        tags.div(
            tags.p(unannounced(ui.output_text("caller", inline=True)), class_="caller"),
            ui.output_ui("sent_before"),
            class_="under-button",
        ),
    )


def form_server(input: Inputs, services: Services) -> None:
    """Offer the language's voices, and rewrite the message in composed characters on request.

    Say what the switch for confirming needs as well. For use inside a module's server.
    """
    if_nobody_answers_server(input, services)
    shown = voices_for(DEFAULTS.language)

    @reactive.effect
    @reactive.event(input.language)
    def offer_voices() -> None:
        try:
            language, voice = text(input.language(), "language"), text(input.voice(), "voice")
        except UnusableInput:
            return  # shown at the button
        nonlocal shown
        voices = voices_to_choose(language, voice)
        if voices == shown and voice in voices:
            return  # the page is made that way
        shown = voices
        chosen = voice if voice in voices else next(iter(voices), DEFAULTS.voice)
        ui.update_select("voice", choices=voices, selected=chosen)

    @reactive.effect
    @reactive.event(input.write_composed)
    def write_composed() -> None:
        try:
            written = text(input.message(), "message")
        except UnusableInput:
            return  # shown under the message
        ui.update_text_area("message", value=unicodedata.normalize("NFC", written))

    @render.ui
    def acknowledge_line() -> Tag | None:
        if services.callbacks is not None:
            return None
        words = "Needs PUBLIC_URL, so that Twilio can report the key."
        return tags.span(words, class_="feedback unavailable for-call")


def read_form(input: Inputs, services: Services, user: str) -> AlertRequest:
    """Return the request that the form describes, in the name of `user`.

    A reactive read of all inputs but the number, so that typing one doesn't draw the preview again.
    Raises `UnusableInput` for a value of the wrong kind, or one too long for any input.
    """
    request = AlertRequest(
        channel=read_channel(input),
        to="",
        message=text(input.message(), "message"),
        voice=text(input.voice(), "voice"),
        language=text(input.language(), "language"),
        repeat=count(input.repeat(), "repeat", MOST_REPEATS),
        user=user,
        time_zone=time_zone_of(input, services),
        acknowledge=switch(input.acknowledge(), "acknowledge"),
    )
    return with_escalation(request, lambda name: input[name]())


def fill_in_request(request: AlertRequest, to: str) -> None:
    """Fill the form in with a request, and the To field with `to`.

    Its voice, its language and its numbers may be ones that the form doesn't offer otherwise. For
    use inside a module's server. What the form has no field for is ignored.
    """
    ui.update_text("phone_number", value=to)
    ui.update_text_area("message", value=request.message)
    ui.update_radio_buttons("channel", selected=request.channel)
    ui.update_select(
        "language", choices=languages_to_choose(request.language), selected=request.language
    )
    voices = voices_to_choose(request.language, request.voice)
    ui.update_select("voice", choices=voices, selected=request.voice)
    ui.update_select(
        "repeat", choices=repeats_to_choose(request.repeat), selected=str(request.repeat)
    )
    ui.update_switch("acknowledge", value=request.acknowledge)
    ui.update_text("voicemail", value=request.voicemail)
    ui.update_select("tries", choices=tries_to_choose(request.tries), selected=str(request.tries))
    ui.update_numeric("minutes_between_tries", value=request.minutes_between_tries)
    ui.update_checkbox("then_text", value=request.then_text)
    ui.update_text_area("then_to", value="\n".join(map(international, request.then_to)))
    ui.update_checkbox("quiet_hours", value=bool(request.quiet_hours))


def repeats_to_choose(repeat: int) -> dict[str, str]:
    """Return the choices of how often a call says its message, with `repeat` among them."""
    return REPEATS | {str(repeat): REPEATS.get(str(repeat), f"{repeat} times")}


def languages_to_choose(language: str) -> dict[str, str]:
    """Return the choices of a language, with `language` among them."""
    return LANGUAGE_NAMES | {language: language_name(language)}


def voices_to_choose(language: str, voice: str) -> dict[str, str]:
    """Return the voices of a language, with `voice` among them unless it doesn't speak it."""
    offered = voices_for(language)
    try:
        check_voice(voice, language)
    except UnusableInput:
        return offered
    return offered | {voice: offered.get(voice, voice)}


def time_zone_of(input: Inputs, services: Services) -> str:
    """Return the browser's zone, or the services' if this machine doesn't know it."""
    named = text(input.time_zone(), "time_zone") if input.time_zone.is_set() else ""
    return named if named and find_zone(named) else services.time_zone


def for_channel(channel: str, words: TagChild) -> Tag:
    """Return words shown for one channel only; the stylesheet follows the choice at once."""
    return tags.span(words, class_=f"for-{channel}")


def _until_connected(output: Tag, words: str) -> Tag:
    """Return the output, unannounced, showing `words` until the server sends others."""
    output.append(words)
    return unannounced(output)


def _channel() -> Tag:
    return tags.div(
        ui.input_radio_buttons("channel", "Call or text", CHANNELS, inline=True),
        class_="segmented",
    )


def _message(message: str) -> Tag:
    field = ui.input_text_area(
        "message",
        "Message",
        message,
        rows=2,
        autoresize=True,
        width="100%",
        placeholder="What they should know, and what to do",
    )
    return tags.div(
        templates_ui(),
        described_by(resolve_id("message_feedback_line"), field, "textarea"),
        tags.div(
            *map(_insert_button, VARIABLES),
            column_buttons(),
            class_="variables",
            role="group",
            aria_label="Insert a variable",
        ),
        unannounced(ui.output_ui("message_feedback_line", class_="feedback-line")),
        class_="message-field",
    )


def _insert_button(variable: str) -> Tag:
    shown = f"{{{{ {variable} }}}}"
    return tags.button(shown, type="button", data_insert=shown, data_into=resolve_id("message"))


def _acknowledge() -> Tag:
    label = tags.span(
        for_channel("call", "Ask them to press 1 to confirm"),
        for_channel("text", "Ask them to reply 1 to confirm"),
        tags.span("The only proof that a person got it", class_="under"),
    )
    return tags.div(
        described_by(
            resolve_id("acknowledge_line"), ui.input_switch("acknowledge", label), "input"
        ),
        ui.output_ui("acknowledge_line", class_="choice-line"),
        class_="ask",
    )


def _how_to_say_it() -> Tag:
    """Return a sentence with a choice in place of each word that is rarely changed."""
    voices = voices_for(DEFAULTS.language)
    return tags.div(
        ui.input_select("voice", "Said by", voices, selected=DEFAULTS.voice),
        ui.input_select("language", "in", LANGUAGE_NAMES, selected=DEFAULTS.language),
        ui.input_select(
            "repeat",
            tags.span("How often", class_="visually-hidden"),
            REPEATS,
            selected=str(DEFAULTS.repeat),
        ),
        class_="how-to-say-it for-call",
    )
