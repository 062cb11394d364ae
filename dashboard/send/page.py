"""The Send page's Shiny module: whom to call, what to say, and what becomes of it.

Its ids are the tutorial's.
"""

from __future__ import annotations

from collections.abc import Sequence

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, reactive, render
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from alerts import Alert, AlertRequest, Desk, UnusableInput
from dashboard.assets import assets, listening
from dashboard.inputs import part
from dashboard.live_alert import LiveAlert
from dashboard.notices import LiveNotices
from dashboard.page_parts import waiting_words
from dashboard.permissions import offer_what_is_allowed
from dashboard.send.actions import actions_server
from dashboard.send.address import address_server
from dashboard.send.approvals import approvals_server, approvals_ui, waits_for
from dashboard.send.broadcast_rows import rows_server
from dashboard.send.caller import caller_server
from dashboard.send.form import fill_in_request, form_server, form_ui, read_form, time_zone_of
from dashboard.send.from_file import FileSource
from dashboard.send.preview import preview_server, preview_ui
from dashboard.send.progress import progress_server, progress_ui
from dashboard.send.recipients import to_server
from dashboard.send.sending import sending_server
from dashboard.send.sent_before import sent_before_server
from dashboard.send.templates import templates_server


@module.ui
def ui(to: str = "", message: str = "") -> Tag:
    """Return the page, filled in with numbers or names and a message.

    What you write is on the left; what they will hear, and what happens, on the right.
    """
    page = tags.div(
        tags.section(form_ui(to, message), class_="cb-card cause"),
        tags.div(preview_ui(), progress_ui(), class_="effect"),
        class_="callboard send-page",
        data_time_zone_input=resolve_id("time_zone"),
        data_fill_in_input=resolve_id("fill_in"),
        data_module=resolve_id("page").removesuffix("-page"),
    )
    # The frame's width, not the window's, decides between one column and two: another app may
    # leave the page only a part of the window.
    return tags.div(_assets(), approvals_ui(), page, class_="callboard-frame callboard")


@module.server
def server(
    input: Inputs,
    output: Outputs,
    session: Session,
    desk: Desk,
    notices: LiveNotices | None = None,
) -> LiveAlert:
    """Run the page and return what it shows, a reactive value.

    Everything that waits runs in a task of its own: inside a flush it would freeze all visitors.
    """
    services = desk.services
    notices = notices or LiveNotices(desk, session)
    offer_what_is_allowed(session, desk.actor)

    @reactive.calc
    def form() -> AlertRequest | UnusableInput:
        try:
            return read_form(input, services, desk.actor.name)
        except UnusableInput as problem:
            return problem

    @reactive.calc
    def time_zone() -> str:
        try:
            return time_zone_of(input, services)
        except UnusableInput:
            return services.time_zone

    async def send_again(alerts: Sequence[Alert]) -> None:
        """Fill the form in with what was sent, without sending it."""
        file.take_out()
        fill_in_request(alerts[0].request, ", ".join(each.label for each in alerts))
        await session.send_custom_message("callboard-focus", {"id": session.ns("phone_number")})

    form_server(input, services)
    templates_server(input, session, desk)
    file = FileSource(input, output, desk, form)
    typed = to_server(input, session, desk, file)
    preview_server(input, output, form, typed)
    live = LiveAlert(desk, session)
    sending = sending_server(
        input, session, desk, live=live, form=form, typed=typed, notices=notices
    )
    approvals_server(input, desk, notices, time_zone)
    sent_before_server(session, desk, form, typed, sending)
    caller_server(desk, form, typed)
    address_server(session, live)
    progress_server(input, output, session, live, time_zone)
    rows_server(input, session, live, time_zone)
    actions_server(input, session, desk, live, send_again)

    @reactive.extended_task
    async def reading(alert_id: str) -> Alert | None:
        return await desk.status(alert_id)

    @reactive.effect
    @reactive.event(input.fill_in)
    def fill_in_from_another_page() -> None:
        asked = input.fill_in()
        if again := part(asked, "again"):
            reading.invoke(again)
        elif to := part(asked, "to"):
            file.take_out()
            shiny_ui.update_text("phone_number", value=to)

    @reactive.effect
    async def fill_in_what_was_read() -> None:
        if reading.status() == "success" and (alert := reading.result()):
            await send_again([alert])

    @output(suspend_when_hidden=False)
    @render.ui
    def waiting() -> Tag | None:
        return waiting_words(waits_for(notices().approvals, desk.actor))

    return live


@module.ui
def tab_title() -> TagList:
    """Return the words on the page's tab, with a place for the count of waiting requests."""
    return TagList("Send", shiny_ui.output_ui("waiting", inline=True, aria_live="off"))


def fill_in(id: str, *, to: str | None = None, message: str | None = None) -> None:
    """Write numbers or names, and a message, into the form of the page with this `id`.

    For the server of the app around it. What is None stays as it is; nothing is sent.
    """
    if to is not None:
        shiny_ui.update_text(f"{id}-phone_number", value=to)
    if message is not None:
        shiny_ui.update_text_area(f"{id}-message", value=message)


def _assets() -> TagList:
    return TagList(
        assets(
            "send",
            stylesheets=["send.css", "if_nobody_answers.css"],
            scripts=["form.js", "draft.js", "progress.js", "preview.js"],
        ),
        listening(),
        assets("emergency", ["emergency.css"], ["emergency.js"]),
    )
