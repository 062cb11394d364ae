"""The button: sends what the form says to the people typed, once, or says why it can't."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from shiny import Inputs, Session, reactive, render
from shiny import ui as shiny_ui

from access.actor import NotAllowed
from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.broadcast import Approval, Broadcast, UnusableRequest
from dashboard.background import failure_sentence, until_shown
from dashboard.live_alert import LiveAlert
from dashboard.notices import LiveNotices
from dashboard.send.address import own_name, show_in_address
from dashboard.send.approvals import focus_on_approvals, has_second_person
from dashboard.send.progress import focus_on_progress
from dashboard.send.recipients import Typed
from people.broadcasts import FileRows, requests_of_rows
from people.recipients import check_recipients, read_recipients

Sent = Alert | Broadcast | Approval

# The second press of a double click comes within this time. The button stays busy for all of it,
# even if Twilio accepts the alert long before.
DOUBLE_CLICK_SECONDS = 1.0
# A text can't be called back, so it is held for a moment in which it can be undone.
HOLD_TEXT_SECONDS = 10.0
# Sending waits this long at most until pages show what was pressed and typed.
SHOW_PRESS_SECONDS = 0.5


def sending_server(
    input: Inputs,
    session: Session,
    desk: Desk,
    *,
    live: LiveAlert,
    form: Callable[[], AlertRequest | UnusableInput],
    typed: Callable[[], Typed],
    notices: LiveNotices,
) -> Callable[[], object]:
    """Send at each press, and let `live` show it; returns a reactive read of how far sending is.

    `form` and `typed` are reactive reads of what to send and to whom. For use inside a module's
    server.
    """
    # The refusal and the file that it is about, because it mustn't show for another file.
    refusal: reactive.Value[tuple[str, FileRows | None]] = reactive.Value(("", None))
    # A page that connects again sends how often its button was pressed before.
    with reactive.isolate():
        presses_before = input.send_test_call() if input.send_test_call.is_set() else 0

    @shiny_ui.bind_task_button(button_id="send_test_call")
    @reactive.extended_task
    async def sending(request: AlertRequest, whom: Typed, new_id: str) -> Sent:
        pressed = time.monotonic()
        sent = await _send(desk, request, whom, new_id)
        if isinstance(sent, Approval):
            await notices.look()
        await asyncio.sleep(pressed + DOUBLE_CLICK_SECONDS - time.monotonic())
        return sent

    async def refuse(problem: UnusableInput) -> None:
        whom = _present(typed)
        refusal.set((str(problem), whom.file))
        # Shiny frees a pressed button by itself, but not while any other visitor's is busy.
        shiny_ui.update_task_button("send_test_call", state="ready")
        await session.send_custom_message(
            "callboard-focus", {"id": session.ns(_place_of(problem, whom)), "refused": True}
        )

    @reactive.effect
    @reactive.event(input.send_test_call)
    async def send_the_form() -> None:
        if input.send_test_call() == presses_before or sending.status() == "running":
            return
        request, whom = form(), typed()
        try:
            if isinstance(request, UnusableInput):
                raise request
            if whom.is_known:
                _check(desk, request, whom)
        except UnusableInput as problem:
            await refuse(problem)
            return
        hold = HOLD_TEXT_SECONDS if request.channel == "text" else 0
        new_id = secrets.token_hex(8)
        refusal.set(("", None))
        sending.invoke(replace(request, hold_seconds=hold), whom, new_id)
        shiny_ui.update_task_button("send_test_call", state="busy")
        await session.send_custom_message("callboard-sent", {"module": own_name(session)})
        if len(whom.recipients) == 1:
            live.follow(new_id)
            await show_in_address(session, alert=new_id)
        await focus_on_progress(session)

    @reactive.effect
    async def show_what_was_sent() -> None:
        # An extended task raises its error only where it is asked for its result.
        match sending.status():
            case "error" if isinstance(problem := sending.error(), UnusableInput):
                live.stop()
                await refuse(problem)
            case "error":
                refusal.set((_failure(live, sending.error()), _present(typed).file))
            case "success":
                await _show(session, live, sending.result())

    @reactive.effect
    def clear_refusal() -> None:
        form(), input.phone_number()  # runs again at every change of either
        refusal.set(("", None))

    _once_lifted(notices, lambda: refusal.set(("", None)))

    @render.text
    def send_refusal() -> str:
        return refusal()[0] if typed().file is refusal()[1] else ""

    return sending.status


def _once_lifted(notices: LiveNotices, act: Callable[[], object]) -> None:
    """Call `act` whenever an emergency stop was lifted."""
    stopped: reactive.Value[bool] = reactive.Value(False)

    @reactive.effect
    def see_whether_stopped() -> None:
        stopped.set(notices().stop is not None)

    @reactive.effect
    @reactive.event(stopped)
    def see_that_it_was_lifted() -> None:
        if not stopped():
            act()


async def _show(session: Session, live: LiveAlert, sent: Sent) -> None:
    """Make the page show what was sent, or that it waits for a second person."""
    if isinstance(sent, Approval):
        await focus_on_approvals(session)
    elif isinstance(sent, Broadcast):
        live.follow_broadcast(sent)
        await show_in_address(session, broadcast=sent.id)
    elif not live.is_following(sent.id):
        live.follow(sent.id)
        await show_in_address(session, alert=sent.id)


def _failure(live: LiveAlert, error: BaseException) -> str:
    """Say why sending failed; stop waiting for an alert that was refused."""
    if isinstance(error, NotAllowed):
        live.stop()
    return failure_sentence(error)


def _present(typed: Callable[[], Typed]) -> Typed:
    with reactive.isolate():
        return typed()


def _place_of(problem: UnusableInput, whom: Typed) -> str:
    """Return the id of the input that a problem is about; with a file the To field is hidden."""
    is_to = problem.field in {"phone_number", "file"}
    return "file_to" if is_to and whom.file else problem.field


async def _send(desk: Desk, request: AlertRequest, whom: Typed, new_id: str) -> Sent:
    """Send to the people typed, after looking up names that weren't looked up yet."""
    # Saving the alert and showing that the button was pressed would only slow each other down, and
    # would slow the pages of all who type meanwhile. A page that doesn't read what it is sent must
    # not keep others' alerts waiting, though.
    await until_shown(SHOW_PRESS_SECONDS)
    if whom.file:
        return await _send_rows(desk, request, whom.file, new_id)
    if not whom.is_known:
        # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
        from people.directory import Directory  # noqa: PLC0415

        directory = Directory(await desk.database(), desk.actor)
        regions = desk.services.regions
        found = await read_recipients(whom.text, whom.channel, regions, directory)
        whom = replace(whom, entries=tuple(found), is_known=True)
        _check(desk, request, whom)
    return await _send_all(desk, [each.addressed(request) for each in whom.recipients], new_id)


async def _send_rows(desk: Desk, request: AlertRequest, rows: FileRows, new_id: str) -> Sent:
    """Send to every row of a file, with its own words; the error of a bad row names it."""
    found = await asyncio.to_thread(requests_of_rows, rows, request, desk.services.regions)
    _check_count(desk, len(found.requests))
    try:
        return await _send_all(desk, found.requests, new_id)
    except UnusableRequest as problem:
        raise found.of_row(problem) from None


async def _send_all(desk: Desk, requests: Sequence[AlertRequest], new_id: str) -> Sent:
    if len(requests) == 1:
        return await desk.send(replace(requests[0], id=new_id))
    if len(requests) > desk.services.max_recipients:
        # It was checked before that another person can be asked.
        return await desk.ask_for_approval(requests, id=new_id)
    return await desk.broadcast(requests, id=new_id)


def _check(desk: Desk, request: AlertRequest, whom: Typed) -> None:
    """Raise `UnusableInput` unless the request can be sent to everybody who is typed."""
    if whom.problem:
        raise UnusableInput("phone_number", whom.problem)
    recipients = check_recipients(whom.entries)
    _check_count(desk, len(recipients))
    # The first stands for all; Desk.broadcast checks each of them.
    desk.check(recipients[0].addressed(request))


def _check_count(desk: Desk, count: int) -> None:
    most = desk.services.max_recipients
    if count > most and not has_second_person(desk):
        raise UnusableInput(
            "phone_number",
            f"{count:,} people are more than the {most:,} that may be reached at once. "
            f"Leave out {count - most:,}. An administrator can raise the limit (MAX_RECIPIENTS).",
        )
