"""What they will hear or read: the message as it will be sent, beside the form it is written in."""

from __future__ import annotations

from collections.abc import Callable

from htmltools import Tag, TagList, tags
from shiny import reactive, render, req, ui
from shiny.module import resolve_id

from alerts import AlertRequest, UnusableInput
from alerts.message.call_twiml import write_document
from alerts.message.compose import write_message
from alerts.message.segments import character_name, count_segments, in_words, savings
from dashboard.fields import feedback
from dashboard.send.form import for_channel
from twiml import Response

# How old the time that replaces `{{ now }}` may get before it is read again.
MAX_NOW_AGE_SECONDS = 20
MAX_CHARACTERS_NAMED = 5


def preview_ui() -> Tag:
    """Return the card: the TwiML of a call, to look at and listen to, or the words of a text."""
    listen = tags.button(
        tags.span(aria_hidden="true", class_="listen-icon"),
        tags.span("Listen", class_="listen-label"),
        type="button",
        class_="listen for-call",
        data_listen=resolve_id("twiml_preview"),
    )
    heading = tags.h2(
        for_channel("call", "What they will hear"), for_channel("text", "What they will read")
    )
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


def preview_server(form: Callable[[], AlertRequest | UnusableInput]) -> None:
    """Write the message and its TwiML while the form changes, and say what is wrong with them.

    `form` is a reactive read of the request, or of why there is none. For use inside a module's
    server.
    """

    @reactive.calc
    def message() -> str | UnusableInput:
        request = form()
        if isinstance(request, UnusableInput):
            return request
        if "{{" in request.message:
            reactive.invalidate_later(MAX_NOW_AGE_SECONDS)
        try:
            return write_message(request)
        except UnusableInput as problem:
            return problem

    @reactive.calc
    def document() -> Response | UnusableInput:
        request, words = form(), message()
        if isinstance(request, UnusableInput):
            return request
        if isinstance(words, UnusableInput):
            return words
        try:
            return write_document(request, words)
        except UnusableInput as problem:
            return problem

    @render.ui
    def message_feedback_line() -> Tag | TagList:
        request = form()
        is_text = isinstance(request, AlertRequest) and request.channel == "text"
        written = message() if is_text else document()
        # A voice that doesn't speak the language is about to follow it, so say nothing of that.
        if isinstance(written, UnusableInput) and written.field == "message":
            return feedback("bad", str(written))
        if isinstance(written, str):
            return segments_feedback(written)
        return feedback("", "")

    @render.text
    def twiml_preview() -> str:
        written = document()
        req(isinstance(written, Response))
        return written.to_xml(indent=True) if isinstance(written, Response) else ""

    @render.text
    def text_preview() -> str:
        written = message()
        return written if isinstance(written, str) else ""


def segments_feedback(text: str) -> TagList:
    """Say how many segments a text is billed as, which characters make it more, and a way out."""
    segments = count_segments(text)
    counted = f"{in_words(segments)} · {segments.units} characters in {segments.encoding}"
    if not segments.costlier:
        return TagList(feedback("", f"{counted}."))
    named = ", ".join(map(character_name, segments.costlier[:MAX_CHARACTERS_NAMED]))
    more = len(segments.costlier) - MAX_CHARACTERS_NAMED
    others = f" and {more} more" if more > 0 else ""
    force = "forces" if len(segments.costlier) == 1 else "force"
    words = f"{counted}: {named}{others} {force} the costlier encoding (70 a segment). "
    saved = savings(text)
    way_out = ui.input_action_link("write_composed", "Write it that way") if saved else None
    return TagList(feedback("waiting", words + saved), " ", way_out)
