"""The Send page: a number, a message, and what becomes of them.

A Shiny module: `send.ui("send")` and `send.server("send", desk)`. Its ids are the tutorial's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from htmltools import HTML, Tag
from shiny import Inputs, Outputs, Session, module, reactive, render
from shiny import ui as shiny_ui

from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.numbers import international
from dashboard.live import LiveAlert
from dashboard.send_form import send_form
from dashboard.story import story
from dashboard.writing import show_what_is_written

log = logging.getLogger(__name__)

# Seconds within which the second press of a double click comes: the button stays busy as long,
# even if Twilio has the alert long before.
DOUBLE_CLICK = 1.0


@module.ui
def ui() -> Tag:
    """The page: what you write on the left, what they will hear and what happens on the right."""
    return send_form()


@module.server
def server(input: Inputs, output: Outputs, session: Session, desk: Desk) -> LiveAlert:
    """What the page does; gives the alert that it is about.

    Everything that waits happens outside of Shiny's flush.
    """
    request = show_what_is_written(input, session, desk.means.regions)
    live = LiveAlert(desk, session)
    refusal: reactive.Value[str] = reactive.Value("")

    @shiny_ui.bind_task_button(button_id="send_test_call")
    @reactive.extended_task
    async def sending(wanted: AlertRequest) -> Alert:
        alert, _ = await asyncio.gather(desk.send(wanted), asyncio.sleep(DOUBLE_CLICK))
        return alert

    @reactive.effect
    @reactive.event(input.send_test_call)
    async def send() -> None:
        if sending.status() == "running":
            return
        wanted = request(input.phone_number(), secrets.token_hex(8))
        try:
            desk.check(wanted)
        except UnusableInput as problem:
            refusal.set(str(problem))
            # Shiny frees a pressed button by itself, but not while any other visitor's is busy.
            shiny_ui.update_task_button("send_test_call", state="ready")
            await session.send_custom_message("callboard-focus", {"id": session.ns(problem.field)})
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

    @reactive.effect
    @reactive.event(input.channel, input.phone_number, input.message, input.voice, input.repeat)
    def forget_refusal() -> None:
        refusal.set("")

    @render.text
    def send_refusal() -> str:
        return refusal()

    @render.text
    def caller() -> str:
        number = international(desk.means.from_number)
        simulated = ", simulated: no real call" if desk.means.simulator else ""
        return f"From {number}{simulated}."

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

    return live
