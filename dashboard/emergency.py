"""The emergency stop on every page: the quiet button that sets it, and the banner while it is set.

The banner also tells administrators who asked for more alerts than an hour allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, reactive, render
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from access.actor import NotAllowed, Permission
from alerts import Desk, UnusableInput
from dashboard.alert_status import clock, shape_tag
from dashboard.assets import assets
from dashboard.background import failure_sentence
from dashboard.inputs import part, text, visitors_zone
from dashboard.notices import LiveNotices, Notices

if TYPE_CHECKING:
    from alerts.refusals import Refusals

ASK_AN_ADMINISTRATOR = "An administrator can lift that."
STAYS_CANCELED = "What was canceled stays so."


@module.ui
def banner_ui() -> Tag:
    """Return the place of the banner, above every page."""
    return tags.div(
        assets("emergency", ["emergency.css"], ["emergency.js"]),
        shiny_ui.output_ui("banner", aria_live="polite"),
        class_="callboard emergency-banner",
        data_time_zone_input=resolve_id("time_zone"),
        data_decide_input=resolve_id("decide"),
    )


@module.ui
def button_ui() -> Tag:
    """Return the button, below every page, and the sheet that asks once more."""
    title = resolve_id("title")
    return tags.footer(
        tags.button(
            "Stop everything…",
            type="button",
            class_="cb-button low bare",
            data_emergency_open=resolve_id("ask"),
        ),
        tags.dialog(
            tags.h2("Stop everything?", id=title),
            shiny_ui.output_ui("consequences", aria_live="off"),
            shiny_ui.input_text(
                "reason", "Why? Everybody reads it (optional)", width="100%", placeholder=""
            ),
            tags.div(shiny_ui.output_ui("failure"), role="alert"),
            tags.div(
                tags.button(
                    "Stop everything",
                    type="button",
                    class_="cb-button ink",
                    data_decide="stop",
                ),
                tags.button("Go on as before", type="button", class_="cb-button", data_close=""),
                class_="emergency-actions",
            ),
            aria_labelledby=title,
        ),
        class_="callboard emergency",
        data_decide_input=resolve_id("decide"),
    )


@module.server
def server(
    input: Inputs, output: Outputs, session: Session, desk: Desk, notices: LiveNotices
) -> None:
    """Run the button and the banner. Everything that waits runs in a task of its own."""

    @reactive.extended_task
    async def counting() -> str:
        return consequences_of(*await _counts(desk))

    @reactive.extended_task
    async def stopping(reason: object) -> None:
        await desk.stop_everything(text(reason, "reason"))
        await notices.look()

    @reactive.extended_task
    async def lifting() -> None:
        await desk.lift_stop()
        await notices.look()

    @reactive.effect
    @reactive.event(input.ask)
    def ask() -> None:
        counting.invoke()

    @reactive.effect
    @reactive.event(input.decide)
    def decide() -> None:
        action = part(input.decide(), "action")
        if action == "stop" and stopping.status() != "running":
            stopping.invoke(input.reason())
        elif action == "lift" and lifting.status() != "running":
            lifting.invoke()

    @reactive.effect
    async def close() -> None:
        if stopping.status() == "success":
            await session.send_custom_message("callboard-emergency-close", {})

    # The sheet is closed at first, and what is in it counts as hidden.
    @output(suspend_when_hidden=False)
    @render.ui
    def consequences() -> Tag:
        match counting.status():
            case "success":
                words = counting.result()
            case "error":
                words = said_of(counting.error())
            case _:
                words = "Counting what that ends…"
        return tags.p(words)

    @output(suspend_when_hidden=False)
    @render.ui
    def failure() -> Tag | None:
        if stopping.status() != "error":
            return None
        return tags.p(said_of(stopping.error()), class_="feedback bad")

    # Without a notice its place is hidden too.
    @output(suspend_when_hidden=False)
    @render.ui
    def banner() -> TagList:
        failed_to_lift = lifting.status() == "error"
        problem = said_of(lifting.error()) if failed_to_lift else ""
        return banner_of(
            notices(), time_zone(), may_lift=desk.actor.may(Permission.ADMINISTER), problem=problem
        )

    @reactive.calc
    def time_zone() -> str:
        return visitors_zone(input, desk.services.time_zone)


async def _counts(desk: Desk) -> tuple[int, int]:
    counted = await desk.would_stop()
    return counted.waiting, counted.live


def consequences_of(waiting: int, live: int) -> str:
    """Say what a stop will do: "Cancels 14 alerts that wait, ends 3 live calls, …"."""
    parts = []
    if waiting:
        alerts = "1 alert that waits" if waiting == 1 else f"{waiting:,} alerts that wait"
        parts.append(f"cancels {alerts}")
    if live:
        parts.append("ends 1 live call" if live == 1 else f"ends {live:,} live calls")
    parts.append("holds all rules, and lets nobody send anything until an administrator lifts it")
    sentence = ", ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}. A text that is on its way can't be called back."


def banner_of(notices: Notices, time_zone: str, *, may_lift: bool, problem: str = "") -> TagList:
    """Return who stopped everything and when; and for administrators, who asked for too much."""
    shown = TagList()
    if stop := notices.stop:
        because = f": {stop.reason.rstrip('.')}." if stop.reason else "."
        when = clock(stop.at, time_zone)
        shown.append(
            tags.div(
                shape_tag("cross", "bad"),
                tags.div(
                    tags.strong(f"{stop.by} stopped everything at {when}{because}"),
                    tags.span(" Nothing is sent, and rules tell nobody. "),
                    tags.span(STAYS_CANCELED if may_lift else ASK_AN_ADMINISTRATOR),
                    tags.p(problem, class_="feedback bad") if problem else None,
                ),
                tags.button(
                    "Lift the stop", type="button", class_="cb-button low", data_decide="lift"
                )
                if may_lift
                else None,
                class_="cb-note bad",
                role="alert",
            )
        )
    if may_lift:
        shown.extend(
            tags.div(
                shape_tag("mark", "wait"),
                tags.span(refused_words(each, time_zone)),
                class_="cb-note wait",
            )
            for each in notices.refusals
        )
    return shown


def refused_words(refused: Refusals, time_zone: str) -> str:
    """Say who was refused how many alerts, what an hour allows, and what to do."""
    who = refused.person or "A program"
    alerts = "1 call or text" if refused.alerts == 1 else f"{refused.alerts:,} calls and texts"
    stop = f"keep {refused.person} from sending (SENDERS)" if refused.person else "end the program"
    return (
        f"{who} asked for {alerts} that the hourly limit refused, the last time at "
        f"{clock(refused.last_at, time_zone)}. None of them was sent. {refused.allowance} If they "
        f"were meant, raise ALERTS_PER_PERSON_PER_HOUR; if not, {stop}."
    )


def said_of(error: BaseException) -> str:
    """Say in a sentence why something couldn't be done."""
    if isinstance(error, (UnusableInput, NotAllowed)):
        return str(error)
    return failure_sentence(error)
