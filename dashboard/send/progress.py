"""Where the latest alert stands: its timeline, and the one thing that can still be done."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from htmltools import HTML, Tag, tags
from shiny import Inputs, Session, reactive, render, ui
from shiny.module import resolve_id

from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.alert import tries_of
from dashboard.live_alert import LiveAlert, failure_sentence
from dashboard.send.if_nobody_answers import read_acknowledge, read_channel
from dashboard.shell import viewer_name
from dashboard.timeline import announcement_of, timeline, timeline_ahead

Action = Literal["", "cancel", "canceling", "send again"]


def progress_ui() -> Tag:
    """Return the card: the timeline, a button, and a line that only screen readers say."""
    return tags.div(
        ui.output_ui("progress"),
        ui.output_ui("actions", class_="actions"),
        tags.div(ui.output_text("announcement"), class_="visually-hidden", role="status"),
        class_="cb-card",
        id=resolve_id("story"),
        tabindex="-1",
    )


def progress_server(
    input: Inputs,
    session: Session,
    desk: Desk,
    live: LiveAlert,
    send: Callable[[AlertRequest], Awaitable[None]],
) -> None:
    """Show the alert and let people cancel it, or `send` its request again.

    For use inside a module's server.
    """
    asked_to_cancel: reactive.Value[str] = reactive.Value("")
    # Apart from the timeline, so that a button isn't replaced under the pointer at every step.
    button: reactive.Value[tuple[Action, str]] = reactive.Value(("", ""))

    @reactive.extended_task
    async def canceling(alert_id: str, by: str) -> None:
        await desk.cancel(alert_id, by=by)

    @reactive.effect
    @reactive.event(input.cancel)
    async def cancel() -> None:
        alert = live()
        if alert is not None and action_for(alert) == "cancel":
            await focus_on_progress(session)
            asked_to_cancel.set(alert.id)
            canceling.invoke(alert.id, viewer_name(session))

    @reactive.effect
    @reactive.event(input.send_again)
    async def send_again() -> None:
        alert = live()
        if alert is not None and action_for(alert) == "send again":
            await send(replace(alert.request, id=secrets.token_hex(8)))

    @reactive.effect
    def choose_button() -> None:
        alert = live()
        action = "" if alert is None else action_for(alert)
        asked = alert is not None and asked_to_cancel() == alert.id
        if action == "cancel" and asked and canceling.status() != "error":
            action = "canceling"
        chosen = (action, label_for(alert, action) if alert else "")
        with reactive.isolate():
            if button() != chosen:
                button.set(chosen)

    @render.ui
    def actions() -> Tag | None:
        action, label = button()
        failed = canceling.status() == "error" and action == "cancel"
        failure = tags.p(failure_sentence(canceling.error()), role="alert") if failed else None
        match action:
            case "cancel":
                control = ui.input_action_button("cancel", label, class_="secondary")
            case "send again":
                control = ui.input_action_button("send_again", label, class_="secondary")
            case "canceling":
                control = tags.button(label, type="button", disabled="", class_="secondary")
            case _:
                return None
        return tags.div(control, failure)

    @render.ui
    def progress() -> HTML:
        alert = live()
        if alert is None:
            try:
                channel = read_channel(input)
                acknowledge = channel == "call" and read_acknowledge(input)
            except UnusableInput:  # said at the button
                channel, acknowledge = "call", False
            card = timeline_ahead(channel, acknowledge=acknowledge, note=live.note())
        else:
            card = timeline(alert)
        # As HTML, because Shiny would search each tag for others that are still to be made into
        # tags, three times while the call is on its way to Twilio.
        return HTML(card.get_html_string())

    @render.text
    def announcement() -> str:
        alert = live()
        return live.note() if alert is None else announcement_of(alert)


async def focus_on_progress(session: Session) -> None:
    """Move the focus to this card, because the pressed button is about to go or be disabled.

    On a phone this scrolls the card into view too.
    """
    await session.send_custom_message("callboard-focus", {"id": session.ns("story")})


def action_for(alert: Alert) -> Action:
    """Return what a person can still do about an alert."""
    if alert.status.final:
        return "" if alert.reached else "send again"
    if alert.canceling:
        return "canceling"
    # A text that Twilio has accepted can't be called back.
    return "" if _is_with_twilio(alert) and not _has_tries_left(alert) else "cancel"


def label_for(alert: Alert, action: Action) -> str:
    """Return what the button for this action says."""
    if action == "cancel":
        if _is_with_twilio(alert):
            return "Stop retrying"
        several = len(tries_of(alert.request)) > 1
        return "Cancel this alert" if several else f"Cancel this {alert.channel}"
    return {"canceling": "Canceling…", "send again": "Send again"}.get(action, "")


def _is_with_twilio(alert: Alert) -> bool:
    return alert.channel == "text" and alert.sid is not None


def _has_tries_left(alert: Alert) -> bool:
    return alert.try_number < len(tries_of(alert.request))
