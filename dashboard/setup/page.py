"""The Setup page's Shiny module: what the checks found, and a call to one's own phone."""

from __future__ import annotations

from contextlib import suppress

from htmltools import HTML, Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, reactive, render
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from access.actor import NotAllowed, Permission
from access.audit_entry import Kind
from alerts import Desk
from dashboard.alert_status import glance_tag
from dashboard.assets import assets
from dashboard.fields import unannounced
from dashboard.live_alert import LiveAlert
from dashboard.page_parts import icon, until_known
from dashboard.permissions import offer_what_is_allowed
from dashboard.send.form import time_zone_of
from dashboard.setup.checking import Checking, Report
from dashboard.setup.lines import BEING_CHECKED, all_lines, summary
from dashboard.setup.my_phone import my_phone_server, my_phone_ui

FOR_ADMINISTRATORS = "Only an administrator sees what the checks of this Callboard found."


@module.ui
def ui(*, simulated: bool = False) -> Tag:
    """Return the page: the checks on the left, the call to one's own phone on the right."""
    page = tags.div(
        tags.div(
            tags.h1("Setup"),
            tags.div(
                shiny_ui.output_ui("summary", class_="setup-count", aria_live="polite"),
                tags.button(
                    TagList(icon("again"), "Check again"),
                    type="button",
                    id=resolve_id("again"),
                    class_="cb-button action-button",
                ),
                class_="setup-summary",
            ),
            class_="setup-head",
        ),
        tags.div(
            tags.section(
                unannounced(
                    until_known(shiny_ui.output_ui("checks", class_="cb-patched"), BEING_CHECKED)
                ),
                class_="cb-card setup-checks",
                aria_label="Checks",
            ),
            my_phone_ui(simulated=simulated),
            class_="setup-columns",
        ),
        class_="callboard setup-page",
        data_time_zone_input=resolve_id("time_zone"),
        data_simulated="" if simulated else None,
    )
    return tags.div(assets("setup", ["setup.css"], ["setup.js"]), page, class_="setup-frame")


@module.server
def server(
    input: Inputs, output: Outputs, session: Session, desk: Desk, checking: Checking
) -> LiveAlert:
    """Run the page, from when it is first looked at; returns the call it shows.

    `checking` is shared by all visitors.
    """
    actor = desk.actor
    offer_what_is_allowed(session, actor)
    checking.enter()
    session.on_ended(checking.leave)

    def report() -> Report:
        return checking.report() if actor.may(Permission.ADMINISTER) else Report()

    def time_zone() -> str:
        return time_zone_of(input, desk.services)

    @reactive.effect
    @reactive.event(input.again)
    def check_again() -> None:
        if not input.again():
            return
        # Visitors without the permission aren't shown the button.
        with suppress(NotAllowed):
            actor.require(Permission.ADMINISTER, "have the setup checked", Kind.SETTINGS)
            checking.begin(even_if_fresh=True)

    @output(id="summary")
    @render.ui
    def counted() -> Tag | None:
        if not actor.may(Permission.ADMINISTER):
            return None
        return glance_tag(summary(report()))

    @render.ui
    def checks() -> HTML | Tag:
        if not actor.may(Permission.ADMINISTER):
            return tags.p(FOR_ADMINISTRATORS, class_="setup-nothing")
        # Shiny doesn't draw hidden outputs, so this runs when the page is first looked at.
        checking.begin()
        return HTML(all_lines(report(), time_zone()).get_html_string())

    live = my_phone_server(input, session, desk, report, time_zone)
    ended: set[str] = set()

    @reactive.effect
    def look_again_once_it_ended() -> None:
        alert = live()
        if alert is not None and alert.status.final and alert.id not in ended:
            ended.add(alert.id)
            checking.begin(even_if_fresh=True)

    return live
