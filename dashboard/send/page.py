"""The Send page's Shiny module: a number, a message, and what becomes of them.

Its ids are the tutorial's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from urllib.parse import parse_qs

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, reactive, render
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from alerts import Alert, AlertRequest, Desk, UnusableInput
from dashboard.assets import assets
from dashboard.inputs import text
from dashboard.live_alert import LiveAlert, failure_sentence
from dashboard.send.form import form_server, form_ui, read_form, read_typed_number
from dashboard.send.preview import preview_server, preview_ui
from dashboard.send.progress import focus_on_progress, progress_server, progress_ui

# The second press of a double click comes within this time. The button stays busy for all of it,
# even if Twilio accepts the alert long before.
DOUBLE_CLICK_SECONDS = 1.0


@module.ui
def ui() -> Tag:
    """Return the page: what you write on the left, what they will hear and what happens right."""
    page = tags.div(
        tags.div(form_ui(), class_="cb-card cause"),
        tags.div(preview_ui(), progress_ui(), class_="effect"),
        class_="callboard send-page",
        data_time_zone_input=resolve_id("time_zone"),
    )
    # The frame's width, not the window's, decides between one column and two: another app may
    # leave the page only a part of the window.
    return tags.div(_assets(), page, class_="callboard-frame")


@module.server
def server(input: Inputs, output: Outputs, session: Session, desk: Desk) -> LiveAlert:
    """Run the page and return the alert that it shows.

    Everything that waits runs in a task of its own: inside a flush it would freeze all visitors.
    """
    form_server(input, desk.services)

    @reactive.calc
    def form() -> AlertRequest | UnusableInput:
        try:
            return read_form(input, session, desk.services)
        except UnusableInput as problem:
            return problem

    preview_server(form)
    live = LiveAlert(desk, session)
    refusal: reactive.Value[str] = reactive.Value("")

    @shiny_ui.bind_task_button(button_id="send_test_call")
    @reactive.extended_task
    async def sending(request: AlertRequest) -> Alert:
        pressed = time.monotonic()
        alert = await desk.send(request)
        await asyncio.sleep(pressed + DOUBLE_CLICK_SECONDS - time.monotonic())
        return alert

    async def refuse(problem: UnusableInput) -> None:
        refusal.set(str(problem))
        # Shiny frees a pressed button by itself, but not while any other visitor's is busy.
        shiny_ui.update_task_button("send_test_call", state="ready")
        await session.send_custom_message("callboard-focus", {"id": session.ns(problem.field)})

    async def send(request: AlertRequest) -> None:
        if sending.status() == "running":
            return
        try:
            desk.check(request)
        except UnusableInput as problem:
            await refuse(problem)
            return
        refusal.set("")
        sending.invoke(request)
        shiny_ui.update_task_button("send_test_call", state="busy")
        live.follow(str(request.id))
        # With the id in its address, a page that is reloaded goes on showing this alert.
        await session.send_custom_message("callboard-address", {"alert": request.id})
        await focus_on_progress(session)

    progress_server(input, session, desk, live, send)

    @reactive.effect
    @reactive.event(input.send_test_call)
    async def send_the_form() -> None:
        try:
            filled_in = read_form(input, session, desk.services)
            to = read_typed_number(input)
        except UnusableInput as problem:
            await refuse(problem)
        else:
            await send(replace(filled_in, to=to, id=secrets.token_hex(8)))

    @reactive.effect
    def find_the_alert_in_the_address() -> None:
        # session.clientdata raises an error until the browser has sent it; this input just waits.
        address = session.root_scope().input[".clientdata_url_search"]()
        if alert_id := alert_in(address):
            live.find(alert_id)

    @reactive.effect
    def explain_failure() -> None:
        # An extended task raises its error only where it is asked for its result.
        if sending.status() == "error":
            refusal.set(failure_sentence(sending.error()))

    @reactive.effect
    def clear_refusal() -> None:
        form(), input.phone_number()  # runs again at every change of either
        refusal.set("")

    @render.text
    def send_refusal() -> str:
        return refusal()

    return live


def alert_in(address: object) -> str:
    """Return the id in the query of a page's address, "" if there is none."""
    try:
        parameters = parse_qs(text(address, "address").removeprefix("?"))
    except (UnusableInput, ValueError):
        return ""  # no browser has such an address
    return parameters.get("alert", [""])[0]


def _assets() -> TagList:
    return assets(
        "send",
        stylesheets=["send.css", "if_nobody_answers.css"],
        scripts=["form.js", "preview.js", "listen.js"],
    )
