"""What can still be done about what was sent: undo, cancel, send it now, write to them again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

from htmltools import Tag, tags
from shiny import Inputs, Session, reactive, render, ui

from alerts import Alert, Desk, Status
from alerts.alert import tries_of
from alerts.broadcast import not_reached
from alerts.state import HELD_BACK, when_due
from dashboard.background import failure_sentence
from dashboard.live_alert import LiveAlert
from dashboard.send.progress import focus_on_progress

Action = Literal[
    "", "cancel", "undo", "canceling", "send now", "send again", "stop all", "not reached"
]
Button = tuple[Action, str]

STOPPING: set[Action] = {"cancel", "undo", "stop all"}
LABELS: dict[Action, str] = {
    "undo": "Undo",
    "canceling": "Canceling…",
    "send again": "Send again…",
    "stop all": "Stop all",
}


def actions_server(
    input: Inputs,
    session: Session,
    desk: Desk,
    live: LiveAlert,
    send_again: Callable[[Sequence[Alert]], Awaitable[None]],
) -> None:
    """Show the buttons. `send_again` fills the form in with alerts and sends nothing.

    For use inside a module's server.
    """
    asked_to_cancel: reactive.Value[str] = reactive.Value("")
    # Separate from the story, so that a button isn't replaced under the pointer at every step.
    buttons: reactive.Value[tuple[Button, ...]] = reactive.Value(())

    @reactive.extended_task
    async def canceling(shown_id: str, is_broadcast: bool) -> None:
        if is_broadcast:
            await desk.cancel_broadcast(shown_id)
        else:
            await desk.cancel(shown_id)

    @reactive.extended_task
    async def hurrying(alert_id: str) -> None:
        await desk.send_now(alert_id)

    @reactive.calc
    def shown_id() -> str:
        broadcast, alerts = live.broadcast(), live.all()
        return broadcast.id if broadcast else alerts[0].id if alerts else ""

    @reactive.effect
    @reactive.event(input.stop)
    async def stop() -> None:
        if STOPPING & {action for action, _ in buttons()}:
            await focus_on_progress(session)
            asked_to_cancel.set(shown_id())
            canceling.invoke(shown_id(), live.broadcast() is not None)

    @reactive.effect
    @reactive.event(input.send_now)
    async def send_now() -> None:
        alert = live()
        if alert is not None and can_be_hurried(alert):
            await focus_on_progress(session)
            hurrying.invoke(alert.id)

    @reactive.effect
    @reactive.event(input.send_again)
    async def fill_in_again() -> None:
        alert = live()
        if wanted := [alert] if alert else not_reached(live.all()):
            await send_again(wanted)

    @reactive.effect
    def choose_buttons() -> None:
        is_asked = asked_to_cancel() == shown_id() and canceling.status() != "error"
        chosen = buttons_for(live.all(), is_broadcast=live.broadcast() is not None)
        if is_asked:
            chosen = tuple(
                ("canceling", LABELS["canceling"]) if each[0] in STOPPING else each
                for each in chosen
            )
        with reactive.isolate():
            if buttons() != chosen:
                buttons.set(chosen)

    @render.ui
    def actions() -> Tag | None:
        shown = [_button(action, label) for action, label in buttons()]
        failed = canceling.status() == "error" and bool(shown)
        failure = tags.p(failure_sentence(canceling.error()), role="alert") if failed else None
        return tags.div(*shown, failure) if shown else None


def buttons_for(alerts: tuple[Alert, ...], *, is_broadcast: bool) -> tuple[Button, ...]:
    """Return what a person can still do about what was sent."""
    if not alerts:
        return ()
    if not is_broadcast:
        alert, action = alerts[0], action_for(alerts[0])
        found: list[Button] = [(action, label_for(alert, action))] if action else []
        if can_be_hurried(alert):
            found.append(("send now", f"{alert.channel.capitalize()} now anyway"))
        return tuple(found)
    if any(not each.status.final for each in alerts):
        return (("stop all", LABELS["stop all"]),)
    missed = len(not_reached(alerts))
    if not missed:
        return ()
    whom = "the one person" if missed == 1 else f"the {missed:,} people"
    return (("not reached", f"Write to {whom} not reached…"),)


def action_for(alert: Alert) -> Action:
    """Return what a person can still do about an alert."""
    if alert.status.final:
        return "" if alert.reached else "send again"
    if alert.canceling:
        return "canceling"
    if is_on_hold(alert):
        return "undo"
    # A text that Twilio has accepted can't be called back.
    return "" if _is_with_twilio(alert) and not _has_tries_left(alert) else "cancel"


def label_for(alert: Alert, action: Action) -> str:
    """Return what the button for this action says."""
    if action == "cancel":
        if _is_with_twilio(alert):
            return "Stop retrying"
        several = len(tries_of(alert.request)) > 1
        return "Cancel this alert" if several else f"Cancel this {alert.channel}"
    return LABELS.get(action, "")


def is_on_hold(alert: Alert) -> bool:
    """Whether a text is held back for some seconds, so that it can be undone."""
    if alert.status is not Status.QUEUED or alert.request.hold_seconds <= 0:
        return False
    # After that time, quiet hours or a limit may hold it back for longer.
    _, why = when_due(alert)
    return why == HELD_BACK


def can_be_hurried(alert: Alert) -> bool:
    """Whether a person may decide that an alert, which waits, is sent now anyway."""
    if alert.status is not Status.QUEUED or alert.canceling or is_on_hold(alert):
        return False
    if alert.held_for == "spend":
        return False  # not even a person can exceed the day's limit
    due, _ = when_due(alert)
    return due > datetime.now(UTC)


def _button(action: Action, label: str) -> Tag:
    if action == "canceling":
        return tags.button(label, type="button", disabled="", class_="cb-button secondary")
    # Stopping and sending again have one input each, whatever their button says.
    same: dict[Action, str] = dict.fromkeys(STOPPING, "stop") | {"not reached": "send_again"}
    name = same.get(action, action.replace(" ", "_"))
    tone = "ring" if action == "send now" else "secondary"
    return ui.input_action_button(name, label, class_=f"cb-button {tone}")


def _is_with_twilio(alert: Alert) -> bool:
    return alert.channel == "text" and alert.sid is not None


def _has_tries_left(alert: Alert) -> bool:
    return alert.try_number < len(tries_of(alert.request))
