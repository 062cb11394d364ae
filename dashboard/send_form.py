"""How the Send page looks: its inputs and where its outputs go."""

from __future__ import annotations

from htmltools import Tag, TagChild, TagList, tags
from shiny import ui
from shiny.module import resolve_id

from alerts.message.compose import VARIABLES
from alerts.message.languages import LANGUAGE_NAMES, voices_for
from dashboard.assets import page_assets
from dashboard.reaching_form import DEFAULTS, described, reaching_form

FIRST_MESSAGE = (
    "Greetings, it is currently {{ now }}. Batch 1407 of your pale ale shows signs of diacetyl."
)
REPEATS = {"1": "Once", "2": "2 times", "3": "3 times", "5": "5 times", "0": "Until they hang up"}


def send_form() -> Tag:
    """The whole page, with ids of the module that asks for it."""
    page = tags.div(
        tags.div(_new_alert(), class_="cb-card cause"),
        tags.div(_what_they_get(), _what_happens(), class_="effect"),
        class_="callboard send-page",
        data_time_zone_input=resolve_id("time_zone"),
    )
    # The frame's width, and not the window's, decides on one column or two.
    return tags.div(page_assets(), page, class_="callboard-frame")


def _new_alert() -> TagList:
    message = resolve_id("message")
    return TagList(
        tags.div(tags.h1("New alert"), _channel(), class_="card-heading"),
        described(
            ui.input_text(
                "phone_number", "Phone number", placeholder="(412) 857-4309", width="100%"
            ),
            "input",
            inputmode="tel",
            described_by=resolve_id("number_feedback_line"),
        ),
        ui.output_ui("number_feedback_line", class_="feedback-line"),
        described(
            ui.input_text_area(
                "message", "Message", FIRST_MESSAGE, rows=3, autoresize=True, width="100%"
            ),
            "textarea",
            described_by=resolve_id("message_feedback_line"),
        ),
        tags.div(
            *(_insert_button(name, message) for name in VARIABLES),
            class_="variables",
            role="group",
            aria_label="Insert a variable",
        ),
        ui.output_ui("message_feedback_line", class_="feedback-line"),
        tags.div(
            ui.input_select(
                "voice", "Voice", voices_for(DEFAULTS.language), selected=DEFAULTS.voice
            ),
            ui.input_select("language", "Language", LANGUAGE_NAMES, selected=DEFAULTS.language),
            ui.input_select("repeat", "Say it", REPEATS, selected=str(DEFAULTS.repeat)),
            class_="how-to-say-it for-call",
        ),
        reaching_form(),
        tags.div(ui.output_text("send_refusal", inline=True), class_="refusal", role="alert"),
        ui.input_task_button(
            "send_test_call",
            TagList(_for("call", "Send test call"), _for("text", "Send test text")),
            label_busy="Sending…",
            class_="send-button",
        ),
        tags.p(ui.output_text("caller", inline=True), class_="caller"),
    )


def _channel() -> Tag:
    choices = {"call": "Call", "text": "Text"}
    return tags.div(
        ui.input_radio_buttons("channel", "Call or text", choices, inline=True), class_="segmented"
    )


def _what_they_get() -> Tag:
    listen = tags.button(
        tags.span(aria_hidden="true", class_="listen-icon"),
        tags.span("Listen", class_="listen-label"),
        type="button",
        class_="listen for-call",
        data_listen=resolve_id("twiml_preview"),
    )
    heading = tags.h2(_for("call", "What they will hear"), _for("text", "What they will read"))
    return tags.div(
        tags.div(heading, listen, class_="card-heading"),
        tags.div(
            ui.output_code("twiml_preview"),
            class_="for-call twiml",
            role="region",
            aria_label="TwiML document",
            tabindex="0",
        ),
        tags.div(ui.output_text("text_preview"), class_="for-text bubble"),
        class_="cb-card",
    )


def _what_happens() -> Tag:
    return tags.div(
        ui.output_ui("progress"),
        ui.output_ui("actions", class_="actions"),
        tags.div(ui.output_text("announcement"), class_="visually-hidden", role="status"),
        class_="cb-card",
        id=resolve_id("story"),
        tabindex="-1",
    )


def _insert_button(variable: str, textarea_id: str) -> Tag:
    shown = f"{{{{ {variable} }}}}"
    return tags.button(shown, type="button", data_insert=shown, data_into=textarea_id)


def _for(channel: str, words: TagChild) -> Tag:
    """Words that only one channel shows; the stylesheet follows the choice at once."""
    return tags.span(words, class_=f"for-{channel}")
