"""Call my own phone: a real call from start to end, which asks to press 1."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable

from htmltools import Tag, TagList, tags
from shiny import Inputs, Session, reactive, render, ui
from shiny.module import resolve_id

from access.actor import Permission
from alerts import Alert, AlertRequest, Desk, Status, UnusableInput
from alerts.phone_numbers import PhoneNumber, read_number
from dashboard.background import failure_sentence
from dashboard.fields import described_by, feedback, unannounced
from dashboard.inputs import text
from dashboard.live_alert import LiveAlert
from dashboard.permissions import may_not
from dashboard.setup.checking import Report
from dashboard.timeline import announcement_of, line_ahead, steps_ahead, story
from dashboard.visitor import actor_of

MESSAGE = "This is Callboard. If you hear this, calls work."
# The second press of a double click comes within this time.
DOUBLE_CLICK_SECONDS = 1.0
REAL = "The last check: a real call, start to end."
SIMULATED = "A call from start to end. In this simulation the phone on this page rings."

OUTCOMES = {
    Status.HUNG_UP: "It rang, but the call ended before the message did.",
    Status.UNKNOWN: "It isn't known whether the call reached you.",
}


def my_phone_ui(*, simulated: bool) -> Tag:
    """Return the card."""
    field = ui.input_text(
        "my_number", "My number", placeholder="(412) 555-0164", width="100%", autocomplete="tel"
    )
    heading = resolve_id("my_phone")
    return tags.section(
        tags.h2("Call my own phone", id=heading),
        tags.p(SIMULATED if simulated else REAL, class_="cb-quiet cb-small"),
        described_by(
            resolve_id("my_number_line"), field, "input", inputmode="tel", enterkeyhint="send"
        ),
        unannounced(ui.output_ui("my_number_line", class_="feedback-line")),
        may_not(Permission.SEND),
        ui.input_task_button(
            "call", "Call my own phone", label_busy="Calling…", class_="cb-button ring wide"
        ),
        tags.div(ui.output_ui("my_outcome"), class_="setup-outcome", role="status"),
        unannounced(ui.output_ui("my_story")),
        tags.div(ui.output_text("my_news"), class_="visually-hidden", role="status"),
        class_="cb-card setup-phone",
        aria_labelledby=heading,
    )


def my_phone_server(
    input: Inputs,
    session: Session,
    desk: Desk,
    report: Callable[[], Report],
    time_zone: Callable[[], str],
) -> LiveAlert:
    """Call at each press, and show what becomes of it; returns what is shown.

    `report` and `time_zone` are reactive reads. For use inside a module's server.
    """
    live = LiveAlert(desk, session)
    refusal: reactive.Value[str] = reactive.Value("")
    simulated = desk.services.simulator is not None
    # A page that connects again sends how often its button was pressed before.
    with reactive.isolate():
        presses_before = input.call() if input.call.is_set() else 0

    @reactive.calc
    def typed() -> PhoneNumber | UnusableInput | None:
        try:
            number = text(input.my_number(), "my_number")
            return read_number(number, desk.services.regions) if number.strip() else None
        except UnusableInput as problem:
            return problem

    @reactive.calc
    def asks_to_press() -> bool:
        """Whether a key press can reach this app, as far as is known."""
        problem = report().worst("callbacks")
        is_in_the_way = problem is not None and problem.verdict == "broken"
        return desk.services.callbacks is not None and not is_in_the_way

    @ui.bind_task_button(button_id="call")
    @reactive.extended_task
    async def calling(request: AlertRequest) -> Alert:
        pressed = time.monotonic()
        sent = await desk.send(request)
        await asyncio.sleep(pressed + DOUBLE_CLICK_SECONDS - time.monotonic())
        return sent

    @reactive.effect
    @reactive.event(input.call)
    async def call_my_phone() -> None:
        if input.call() == presses_before or calling.status() == "running":
            return
        number = typed()
        if not isinstance(number, PhoneNumber):
            refusal.set(str(number) if number else "Type your own number first.")
            ui.update_task_button("call", state="ready")
            await session.send_custom_message("callboard-focus", {"id": session.ns("my_number")})
            return
        refusal.set("")
        request = AlertRequest(
            channel="call",
            to=number.dialed,
            message=MESSAGE,
            id=secrets.token_hex(8),
            user=actor_of(session).name,
            time_zone=time_zone(),
            acknowledge=asks_to_press(),
        )
        await session.send_custom_message("callboard-my-number", {"number": input.my_number()})
        calling.invoke(request)
        live.follow(request.id or "")

    @reactive.effect
    def show_failure() -> None:
        if calling.status() == "error":
            problem = calling.error()
            live.stop()
            is_input = isinstance(problem, UnusableInput)
            refusal.set(str(problem) if is_input else failure_sentence(problem))

    @reactive.effect
    @reactive.event(input.my_number)
    def clear_refusal() -> None:
        refusal.set("")

    @render.ui
    def my_number_line() -> Tag | None:
        number = typed()
        if words := refusal():
            return feedback("bad", words)
        if number is None:
            return None
        if isinstance(number, UnusableInput):
            return feedback("bad", str(number))
        return feedback("good", f"{number.international}, {number.country}")

    _show_call(live, report, time_zone, asks_to_press, simulated=simulated)
    return live


def _show_call(
    live: LiveAlert,
    report: Callable[[], Report],
    time_zone: Callable[[], str],
    asks_to_press: Callable[[], bool],
    *,
    simulated: bool,
) -> None:
    """Show what to expect of the call, how it goes, and how it ended."""

    @render.ui
    def my_outcome() -> TagList:
        alert = live()
        if alert is not None and alert.status.final:
            return TagList(tags.p(verdict(alert, simulated=simulated)))
        return TagList(tags.p(_what_to_expect(report(), asks=asks_to_press())))

    @render.ui
    def my_story() -> Tag:
        alert = live()
        if alert is not None:
            return story(alert, time_zone(), to_reader=True)
        return line_ahead(steps_ahead("call", acknowledge=asks_to_press(), to_reader=True))

    @render.text
    def my_news() -> str:
        alert = live()
        return live.note() if alert is None else announcement_of(alert, to_reader=True)


def _what_to_expect(report: Report, *, asks: bool) -> str:
    """Say what won't work yet, according to the checks."""
    stopping = report.worst("account", "balance", "sender", "storage")
    if stopping is not None and stopping.verdict == "broken":
        return f"This call won't arrive yet. {stopping.words}"
    if not asks:
        return "It won't ask you to press 1, because that can't arrive yet. The call itself will."
    return "It asks you to press 1."


def verdict(alert: Alert, *, simulated: bool) -> str:
    """Say how the call has ended."""
    if alert.status is Status.ACKNOWLEDGED:
        rest = "Now set up an account." if simulated else "Everything works."
        return f"It rang, it spoke, and your press of 1 arrived. {rest}"
    if alert.status is Status.COMPLETED:
        if alert.request.acknowledge:
            return "It rang and it spoke, but no press of 1 arrived."
        return (
            "It rang and it spoke. Once Twilio can reach this app (PUBLIC_URL), the call will ask "
            "you to press 1."
        )
    ended = OUTCOMES.get(alert.status, "The call didn't reach you.")
    return f"{ended} See below what to do." if alert.error else ended
