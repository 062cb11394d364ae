"""The Send page once an alert is sent: its story, and the one thing that can still be done."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from htmltools import HTML, Tag, tags
from shiny import Inputs, Session, reactive, render
from shiny import ui as shiny_ui

from alerts import Alert, AlertRequest, Desk
from alerts.alert import tries_of
from dashboard import breakdown
from dashboard.live import LiveAlert
from dashboard.steps import steps_ahead
from dashboard.story import story, story_ahead, told
from dashboard.viewer import viewer_name

Action = Literal["", "cancel", "canceling", "send again"]


def show_what_happens(
    input: Inputs,
    session: Session,
    desk: Desk,
    live: LiveAlert,
    send: Callable[[AlertRequest], Awaitable[None]],
) -> None:
    """Fill the outputs about the alert, and let it be canceled or sent again.

    For use inside a module's server.
    """
    asked_to_cancel: reactive.Value[str] = reactive.Value("")
    # Kept apart from the story, so that a button stays where it is while the story goes on.
    button: reactive.Value[tuple[Action, str]] = reactive.Value(("", ""))

    @reactive.extended_task
    async def canceling(alert_id: str, by: str) -> None:
        await desk.cancel(alert_id, by=by)

    @reactive.effect
    @reactive.event(input.cancel)
    async def cancel() -> None:
        alert = live()
        if alert is not None and action_for(alert) == "cancel":
            await focus_on_the_story(session)
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
        trouble = tags.p(breakdown.in_words(canceling.error()), role="alert") if failed else None
        match action:
            case "cancel":
                pressed = shiny_ui.input_action_button("cancel", label, class_="secondary")
            case "send again":
                pressed = shiny_ui.input_action_button("send_again", label, class_="secondary")
            case "canceling":
                pressed = tags.button(label, type="button", disabled="", class_="secondary")
            case _:
                return None
        return tags.div(pressed, trouble)

    @render.ui
    def progress() -> HTML:
        alert = live()
        if alert is None:
            channel = input.channel()
            ahead = steps_ahead(channel, acknowledge=channel == "call" and input.acknowledge())
            line_of_dots = story_ahead(channel, ahead, live.note())
        else:
            line_of_dots = story(alert)
        # Left to Shiny, it would look through every tag for something that is still to become
        # tags, three times while the call is on its way to Twilio.
        return HTML(line_of_dots.get_html_string())

    @render.text
    def announcement() -> str:
        alert = live()
        return live.note() if alert is None else told(alert)


async def focus_on_the_story(session: Session) -> None:
    """A pressed button that goes, or can't be pressed for a while, would lose the focus.

    On a phone this brings the story into view too.
    """
    await session.send_custom_message("callboard-focus", {"id": session.ns("story")})


def action_for(alert: Alert) -> Action:
    """What a person can still do about an alert."""
    if alert.status.final:
        return "" if alert.reached else "send again"
    if alert.canceling:
        return "canceling"
    # A text that Twilio has can't be called back.
    return "" if _is_with_twilio(alert) and not _tries_left(alert) else "cancel"


def label_for(alert: Alert, action: Action) -> str:
    """What the button says that it does."""
    if action == "cancel":
        if _is_with_twilio(alert):
            return "Make no more tries"
        several = len(tries_of(alert.request)) > 1
        return "Cancel this alert" if several else f"Cancel this {alert.channel}"
    return {"canceling": "Canceling…", "send again": "Send again"}.get(action, "")


def _is_with_twilio(alert: Alert) -> bool:
    return alert.channel == "text" and alert.sid is not None


def _tries_left(alert: Alert) -> bool:
    return alert.try_number < len(tries_of(alert.request))
