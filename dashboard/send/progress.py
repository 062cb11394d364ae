"""Where the latest alert or broadcast stands, and what can still be done about it."""

from __future__ import annotations

import time
from collections.abc import Callable

from htmltools import HTML, Tag, tags
from shiny import Inputs, Outputs, Session, reactive, render, ui
from shiny.module import resolve_id

from alerts import Alert, Status, UnusableInput
from alerts.broadcast import Tally
from alerts.message.compose import said
from alerts.phone_numbers import international
from dashboard.alert_status import clock, glance, glance_tag
from dashboard.fields import unannounced
from dashboard.inputs import switch
from dashboard.live_alert import LiveAlert
from dashboard.only_changes import only_changes
from dashboard.send.broadcast_rows import broadcast_card
from dashboard.send.if_nobody_answers import read_channel
from dashboard.timeline import announcement_of, story, story_ahead

# With less time between them, news of many people would be all that a screen reader says.
SECONDS_BETWEEN_ANNOUNCEMENTS = 3.0


def progress_ui() -> Tag:
    """Return the card: the story, its buttons, and a line that only screen readers say."""
    return tags.section(
        unannounced(ui.output_ui("progress")),
        unannounced(ui.output_ui("actions", class_="actions")),
        tags.button(
            "Tell me when it is over, also in another tab",
            type="button",
            class_="cb-button low bare tell-me",
            hidden="",
        ),
        tags.div(ui.output_text("announcement"), class_="visually-hidden", role="status"),
        class_="cb-card happening",
        id=resolve_id("story"),
        tabindex="-1",
        aria_label="What happens",
        data_opened_input=resolve_id("opened"),
    )


async def focus_on_progress(session: Session) -> None:
    """Move the focus to the progress card: the pressed button is about to go or be disabled.

    On a phone this scrolls the card into view too.
    """
    await session.send_custom_message("callboard-focus", {"id": session.ns("story")})


def progress_server(
    input: Inputs,
    output: Outputs,
    session: Session,
    live: LiveAlert,
    time_zone: Callable[[], str],
) -> None:
    """Show where the latest alert or broadcast stands.

    Times are on the clock of `time_zone`, a reactive read. For use inside a module's server.
    """

    @render.ui
    def progress() -> HTML | Tag:
        broadcast = live.broadcast()
        if broadcast is not None:
            with reactive.isolate():
                alerts, zone = live.all(), time_zone()
            # The rows are updated by messages, because drawing hundreds at each change would
            # flicker.
            return broadcast_card(broadcast, alerts, zone)
        alert = live()
        if alert is not None:
            return HTML(alert_card(alert, time_zone()).get_html_string())
        try:
            channel = read_channel(input)
            acknowledge = switch(input.acknowledge(), "acknowledge")
        except UnusableInput:  # said at the button
            channel, acknowledge = "call", False
        return story_ahead(channel, acknowledge=acknowledge, note=live.note())

    @reactive.calc
    def tally() -> Tally | None:
        return None if live.broadcast() is None else Tally.of(live.all())

    @render.text
    def headline() -> str:
        counted = tally()
        return counted.headline if counted else ""

    @only_changes
    def words_in_short() -> str:
        counted, alert = tally(), live()
        if counted:
            return counted.headline
        return f"{alert.label}: {glance(alert, time_zone()).words}" if alert else ""

    # The line above the button is hidden while it is empty, and Shiny sends nothing to what is.
    @output(suspend_when_hidden=False)
    @render.text
    def in_short() -> str:
        return words_in_short()

    @only_changes
    def said_of_one() -> str:
        alert = live()
        return live.note() if alert is None else announcement_of(alert)

    announced, announced_at = "", 0.0

    @render.text
    def announcement() -> str:
        nonlocal announced, announced_at
        counted = tally()
        if counted is None:
            return said_of_one()
        wait = announced_at + SECONDS_BETWEEN_ANNOUNCEMENTS - time.monotonic()
        if wait > 0 and counted.done < counted.total:
            reactive.invalidate_later(wait)
        else:
            announced, announced_at = f"{counted.headline}.", time.monotonic()
        return announced

    @only_changes
    def words_on_tab() -> dict[str, object]:
        alerts, counted = live.all(), tally()
        if not alerts:
            return {}
        is_over = all(each.status.final for each in alerts)
        words = counted.headline if counted else glance(alerts[0], time_zone()).words
        ringing = [each for each in alerts if each.status is Status.RINGING]
        if ringing and not is_over and counted is None:
            words = "Ringing…"
        return {"words": words, "over": is_over, "whom": "" if counted else alerts[0].label}

    @reactive.effect
    async def tell_the_tab() -> None:
        if told := words_on_tab():
            await session.send_custom_message("callboard-tab", told)


def alert_card(alert: Alert, time_zone: str) -> Tag:
    """Return who, what and when, then the story."""
    shown = glance(alert, time_zone)
    number = international(alert.present_try.dialed)
    sent = f"Sent at {clock(alert.events[0].at, time_zone)}"
    about = [number, sent] if alert.request.name else [sent]
    by = f"by {alert.request.user}" if alert.request.user else ""
    return tags.div(
        tags.div(
            tags.h2(alert.label),
            tags.span(glance_tag(shown), class_=f"cb-pill {shown.tone}"),
            class_="card-heading",
        ),
        tags.p(" · ".join(about), f" {by}" if by else "", class_="since cb-small cb-quiet"),
        story(alert, time_zone),
        tags.blockquote(said(alert), class_="said"),
    )
