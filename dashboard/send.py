"""The Send page: a number, a message, and what becomes of them.

A Shiny module: `send.ui("send")` and `send.server("send", desk)`. Its ids are the tutorial's.
"""

from __future__ import annotations

import asyncio
import secrets
from urllib.parse import parse_qs

from htmltools import Tag
from shiny import Inputs, Outputs, Session, module, reactive, render
from shiny import ui as shiny_ui

from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.phone_numbers import international
from dashboard import breakdown
from dashboard.happening import focus_on_the_story, show_what_happens
from dashboard.live import LiveAlert
from dashboard.send_form import send_form
from dashboard.writing import show_what_is_written

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
    request = show_what_is_written(input, session, desk.services)
    live = LiveAlert(desk, session)
    refusal: reactive.Value[str] = reactive.Value("")

    @shiny_ui.bind_task_button(button_id="send_test_call")
    @reactive.extended_task
    async def sending(wanted: AlertRequest) -> Alert:
        alert, _ = await asyncio.gather(desk.send(wanted), asyncio.sleep(DOUBLE_CLICK))
        return alert

    async def send(wanted: AlertRequest) -> None:
        if sending.status() == "running":
            return
        try:
            desk.check(wanted)
        except UnusableInput as problem:
            refusal.set(str(problem))
            # Shiny frees a pressed button by itself, but not while any other visitor's is busy.
            shiny_ui.update_task_button("send_test_call", state="ready")
            await session.send_custom_message("callboard-focus", {"id": session.ns(problem.field)})
            return
        refusal.set("")
        shiny_ui.update_task_button("send_test_call", state="busy")
        live.follow(str(wanted.id))
        # A page that is loaded again goes on with this alert.
        await session.send_custom_message("callboard-address", {"alert": wanted.id})
        await focus_on_the_story(session)
        sending.invoke(wanted)

    show_what_happens(input, session, desk, live, send)

    @reactive.effect
    @reactive.event(input.send_test_call)
    async def send_what_is_written() -> None:
        await send(request(input.phone_number(), secrets.token_hex(8)))

    @reactive.effect
    def find_the_alert_of_the_address() -> None:
        # Not through session.clientdata, which breaks where the browser hasn't told it yet.
        address = session.root_scope().input[".clientdata_url_search"]()
        asked = parse_qs(address.removeprefix("?"))
        if "alert" in asked:
            live.find(asked["alert"][0])

    @reactive.effect
    def explain_breakdown() -> None:
        # An extended task keeps its exception to itself until somebody asks.
        if sending.status() == "error":
            refusal.set(breakdown.in_words(sending.error()))

    @reactive.effect
    def forget_refusal() -> None:
        request(input.phone_number(), None)  # whatever is written anew
        refusal.set("")

    @render.text
    def send_refusal() -> str:
        return refusal()

    @render.text
    def caller() -> str:
        number = international(desk.services.from_number)
        simulated = ", simulated: no real call" if desk.services.simulator else ""
        return f"From {number}{simulated}."

    return live
