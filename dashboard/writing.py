"""The Send page while somebody writes: what is right or wrong, and what they will hear or read."""

from __future__ import annotations

from collections.abc import Callable

from htmltools import Tag
from shiny import Inputs, Session, reactive, render, req, ui

from alerts import AlertRequest, UnusableInput
from alerts.message.call_twiml import write_document
from alerts.message.compose import write_message
from alerts.message.languages import voices_for
from alerts.message.segments import count_segments
from alerts.services import Services
from dashboard.feedback import number_feedback, others_feedback, segments_feedback, sentence
from dashboard.reaching import numbers_in, summary, with_reaching
from dashboard.viewer import viewer_name
from twiml import Response

# How old `{{ now }}` may get in the preview.
SECONDS_BETWEEN_CLOCKS = 20

RequestMaker = Callable[[str, str | None], AlertRequest]


def show_what_is_written(input: Inputs, session: Session, services: Services) -> RequestMaker:
    """Fill the outputs of the form; gives a function from a number and an id to what it asks for.

    For use inside a module's server.
    """

    def request(to: str, alert_id: str | None) -> AlertRequest:
        written = AlertRequest(
            channel=input.channel(),
            to=to,
            message=input.message(),
            id=alert_id,
            voice=input.voice(),
            language=input.language(),
            repeat=int(input.repeat()),
            user=viewer_name(session),
            time_zone=input.time_zone() if input.time_zone.is_set() else "",
        )
        return with_reaching(written, input)

    @reactive.calc
    def message() -> str | UnusableInput:
        if "{{" in input.message():
            reactive.invalidate_later(SECONDS_BETWEEN_CLOCKS)
        try:
            return write_message(request("", None))
        except UnusableInput as problem:
            return problem

    @reactive.calc
    def document() -> Response | UnusableInput:
        written = message()
        if isinstance(written, UnusableInput):
            return written
        try:
            return write_document(request("", None), written)
        except UnusableInput as problem:
            return problem

    @reactive.effect
    @reactive.event(input.language, ignore_init=True)
    def offer_voices() -> None:
        voices = voices_for(input.language())
        chosen = input.voice() if input.voice() in voices else "alice"
        ui.update_select("voice", choices=voices, selected=chosen)

    @render.ui
    def number_feedback_line() -> Tag:
        return number_feedback(input.phone_number(), services.regions)

    @render.ui
    def message_feedback_line() -> Tag:
        written = message() if input.channel() == "text" else document()
        # A voice that doesn't speak the language is about to follow it.
        if isinstance(written, UnusableInput) and written.field == "message":
            return sentence("bad", str(written))
        if isinstance(written, str):
            return segments_feedback(count_segments(written))
        return sentence("", "")

    @render.text
    def reaching_summary() -> str:
        return summary(request("", None))

    @render.ui
    def acknowledge_line() -> Tag | None:
        if services.callbacks is not None:
            return None
        return sentence("unavailable", "Needs PUBLIC_URL, so that Twilio can tell of the key.")

    @render.ui
    def then_to_feedback_line() -> Tag:
        return others_feedback(numbers_in(input.then_to()), services.regions)

    @render.text
    def twiml_preview() -> str:
        spoken = document()
        req(isinstance(spoken, Response))
        return spoken.to_xml(indent=True) if isinstance(spoken, Response) else ""

    @render.text
    def text_preview() -> str:
        written = message()
        return written if isinstance(written, str) else ""

    return request
