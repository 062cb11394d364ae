"""The Send page: a number, a message, and what becomes of them.

A Shiny module: `send.ui("send")` and `send.server("send", desk)`. Its ids are the tutorial's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from htmltools import HTML, Tag
from shiny import Inputs, Outputs, Session, module, reactive, render, req
from shiny import ui as shiny_ui

from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.compose import write_document, write_message
from alerts.segments import count_segments
from alerts.voices import voices_for
from dashboard.feedback import number_feedback, segments_feedback, sentence
from dashboard.live import LiveAlert
from dashboard.send_form import send_form
from dashboard.story import story
from dashboard.viewer import viewer_name

log = logging.getLogger(__name__)

# Seconds within which the second press of a double click comes: the button stays busy as long,
# even if Twilio has the alert long before.
DOUBLE_CLICK = 1.0


@module.ui
def ui() -> Tag:
    """The page: what you write on the left, what they will hear and what happens on the right."""
    return send_form()


@module.server
def server(input: Inputs, output: Outputs, session: Session, desk: Desk) -> None:
    """What the page does. Everything that waits happens outside of Shiny's flush."""
    desk.warm_up()
    live = LiveAlert(desk, session)
    refusal: reactive.Value[str] = reactive.Value("")

    def request(to: str = "", alert_id: str | None = None) -> AlertRequest:
        return AlertRequest(
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

    @reactive.calc
    def message() -> str | UnusableInput:
        try:
            return write_message(request())
        except UnusableInput as problem:
            return problem

    @reactive.effect
    @reactive.event(input.language, ignore_init=True)
    def offer_voices() -> None:
        voices = voices_for(input.language())
        chosen = input.voice() if input.voice() in voices else "alice"
        shiny_ui.update_select("voice", choices=voices, selected=chosen)

    @render.ui
    def number_feedback_line() -> Tag:
        return number_feedback(input.phone_number(), desk.means.regions)

    @render.ui
    def message_feedback_line() -> Tag:
        written = message()
        if isinstance(written, UnusableInput):
            return sentence("bad", str(written))
        if input.channel() == "text":
            return segments_feedback(count_segments(written))
        return sentence("", "")

    @render.text
    def twiml_preview() -> str:
        written = message()
        req(isinstance(written, str))
        try:
            return write_document(request(), str(written)).to_xml(indent=True)
        except UnusableInput:  # the voice is about to follow the language
            req(False)
            raise

    @render.text
    def text_preview() -> str:
        written = message()
        return written if isinstance(written, str) else ""

    @shiny_ui.bind_task_button(button_id="send_test_call")
    @reactive.extended_task
    async def sending(wanted: AlertRequest) -> Alert:
        alert, _ = await asyncio.gather(desk.send(wanted), asyncio.sleep(DOUBLE_CLICK))
        return alert

    @reactive.effect
    @reactive.event(input.send_test_call)
    def send() -> None:
        if sending.status() == "running":
            return
        wanted = request(input.phone_number(), secrets.token_hex(8))
        try:
            desk.check(wanted)
        except UnusableInput as problem:
            refusal.set(str(problem))
            return
        refusal.set("")
        live.follow(str(wanted.id))
        sending.invoke(wanted)

    @reactive.effect
    def explain_breakdown() -> None:
        # An extended task keeps its exception to itself until somebody asks.
        if sending.status() == "error":
            log.error("Sending failed", exc_info=sending.error())
            refusal.set("Callboard itself failed while sending this. Its log says why.")

    @render.text
    def send_refusal() -> str:
        return refusal()

    @render.ui
    def progress() -> HTML:
        alert = live()
        line_of_dots = story(alert.channel if alert else input.channel(), alert)
        # Left to Shiny, it would look through every tag for something that is still to become
        # tags, three times while the call is on its way to Twilio.
        return HTML(line_of_dots.get_html_string())

    @render.text
    def announcement() -> str:
        alert = live()
        if alert is None:
            return ""
        return f"{alert.events[-1].note}. {alert.error or ''}"
