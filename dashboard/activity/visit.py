"""One visitor's Activity page. What it shows follows from its address and from the news."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from htmltools import HTML, Tag, TagList, tags
from shiny import Inputs, Outputs, Session, reactive, render

from alerts import Alert, Desk
from alerts.filters import Counts, Filters, MadeTry, Overview, Page
from alerts.time_zones import find_zone, midnight
from dashboard.activity.address import Address, read_address
from dashboard.activity.alert_panel import alert_panel, missing_panel
from dashboard.activity.live import Pulse, pulse_of
from dashboard.activity.parts import UNTIL_KNOWN, choice, names_to_choose
from dashboard.activity.rows import counted, nothing_sent, person, the_list
from dashboard.activity.tiles import chart, cost, hours_of_today, tiles
from dashboard.activity.trail import lists, look_at_trail, trail_parts
from dashboard.alert_status import glance
from dashboard.background import failure_sentence, in_background, show
from dashboard.inputs import part
from people.contact import Contact
from people.directory import Directory
from rules.causes import Cause, cause_of
from rules.saved_rules import SavedRules

ROWS = 25
# The parts of the page that change by themselves.
PARTS = ("lists", "senders", "summary", "list", "panel")


class Visit:
    """One visitor's Activity page. Nothing is looked up while it isn't visible."""

    def __init__(self, input: Inputs, output: Outputs, session: Session, desk: Desk) -> None:
        self._session = session
        self._desk = desk
        self._pulse = pulse_of(desk)
        self._parts = {name: reactive.Value(_until_known(name)) for name in PARTS}
        self._said: reactive.Value[str] = reactive.Value("")
        # Why an alert couldn't be canceled: stays until the reader asks for something else.
        self._refused: reactive.Value[str] = reactive.Value("")
        self._following: asyncio.Task[None] | None = None
        session.on_ended(self._stop)
        self._receive(input)
        self._render(output)

    def _receive(self, sent_by: Inputs) -> None:
        @reactive.effect
        def follow_the_address() -> None:
            self._stop()
            self._refused.set("")
            query = sent_by.address()
            zone = sent_by.time_zone()
            # The page sends no address while another tab is in front of it.
            if isinstance(query, str) and query:
                zone = zone if isinstance(zone, str) and find_zone(zone) else ""
                following = self._follow(read_address(query), zone)
                self._following = in_background(following, "the list of alerts")

        @reactive.extended_task
        async def canceling(alert_id: str) -> None:
            await self._desk.cancel(alert_id)

        @reactive.effect
        @reactive.event(sent_by.cancel)
        def cancel() -> None:
            self._refused.set("")
            canceling.invoke(part(sent_by.cancel(), "id"))

        @reactive.effect
        def explain_failure() -> None:
            if canceling.status() == "error":
                self._refused.set(failure_sentence(canceling.error()))

        @reactive.effect
        @reactive.event(sent_by.again)
        async def open_send() -> None:
            await self._session.send_custom_message(
                "callboard-open-send", {"again": part(sent_by.again(), "id")}
            )

    def _render(self, output: Outputs) -> None:
        for name, value in self._parts.items():
            _keep_shown(output, name, value)

        @output(suspend_when_hidden=False)
        @render.text
        def announcement() -> str:
            return self._refused() or self._said()

    async def _follow(self, address: Address, zone: str) -> None:
        async with aclosing(self._pulse.beats()) as beats:
            async for _ in beats:
                try:
                    new, words = await parts_at(
                        self._desk, self._pulse, address, zone, self._session.ns
                    )
                except Exception as error:  # noqa: BLE001 - shown on the page, whatever it is
                    sentence = failure_sentence(error)
                    failure = tags.div(tags.p(sentence, role="alert"), class_="no-match")
                    new, words = {"list": HTML(failure.get_html_string())}, sentence
                shown = {self._parts[name]: html for name, html in new.items()}
                await show(shown | {self._said: words})

    def _stop(self) -> None:
        if self._following is not None:
            self._following.cancel()


@dataclass(frozen=True, slots=True)
class Open:
    """The alert that is open beside the list (None for an unknown id), and what belongs to it."""

    alert: Alert | None
    contact: Contact | None = None
    tries: Sequence[MadeTry] = ()
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows of the history at one moment.

    `names` are contacts' names by number; `rules` are rules' names by id.
    """

    page: Page
    counts: Counts
    overview: Overview
    hours: tuple[datetime, ...]
    names: dict[str, str]
    rules: dict[str, str]
    open: Open | None
    is_empty: bool


def _keep_shown(output: Outputs, name: str, value: reactive.Value[HTML]) -> None:
    # Shiny would update a part only once it is visible, which is too late for one that appears.
    @output(id=name, suspend_when_hidden=False)
    @render.ui
    def shown() -> HTML:
        return value()


async def parts_at(
    desk: Desk, pulse: Pulse, address: Address, zone: str, ns: Any
) -> tuple[dict[str, HTML], str]:
    """Return the HTML of each part at this address, and where things stand in a sentence."""
    if address.shows_what_was_done:
        trail = await look_at_trail(desk, address, zone)
        new, words = await asyncio.to_thread(trail_parts, trail, address, zone, ns)
        # No alert can be open in this list, whatever the address says.
        new["panel"] = HTML("") if address["open"] else _until_known("panel")
    else:
        view = await look(desk, pulse, address, zone)
        is_simulation = desk.services.simulator is not None
        new, words = await asyncio.to_thread(_shown, view, address, zone, ns, is_simulation)
    return new | {"lists": _html(TagList(lists(address, desk.actor)))}, words


async def look(desk: Desk, pulse: Pulse, address: Address, zone: str) -> View:
    """Read everything that the page shows at this address."""
    directory = await _directory(desk)
    history = await desk.history()
    filters = address.filters(desk.services.regions, zone)
    now = datetime.now(UTC)
    hours = hours_of_today(now, zone)
    month = midnight(now, zone)
    month = midnight(month.replace(day=1, hour=12), zone)
    page, counts, overview, is_open, rules = await asyncio.gather(
        history.search(filters, before=address.before, after=address.after, limit=ROWS),
        history.counts(filters),
        pulse.overview(hours, month),
        _open_alert(desk, address["open"]),
        _rules(desk, address["rule"]),
    )
    if not page.rows and (address.before or address.after):
        # The rows of that position have been deleted, or the address was cut off.
        page = await history.search(filters, limit=ROWS)
    is_empty = not page.rows and not (await history.search(Filters(singly=True), limit=1)).rows
    unnamed = [row.alert.to for row in page.rows if row.alert and not row.alert.request.name]
    contacts = await directory.of_numbers(unnamed)
    names = {number: contact.name for number, contact in contacts.items()}
    return View(page, counts, overview, hours, names, rules, is_open, is_empty)


async def _directory(desk: Desk) -> Directory:
    return Directory(await desk.database(), desk.actor)


async def _rules(desk: Desk, asked: str) -> dict[str, str]:
    """Return the names of all rules by id, including the rule asked for if it was deleted."""
    saved = SavedRules(await desk.database(), desk.services.twilio.account_sid)
    return await saved.names([asked] if asked else [])


async def _open_alert(desk: Desk, alert_id: str) -> Open | None:
    if not alert_id:
        return None
    history = await desk.history()
    alert = (await history.get_all([alert_id])).get(alert_id)
    if alert is None:
        return Open(None)
    number = alert.present_try.dialed
    contacts = await (await _directory(desk)).of_numbers([number])
    cause = await cause_of(await desk.database(), desk.services.twilio.account_sid, alert_id)
    return Open(alert, contacts.get(number), await history.tries(alert_id), cause)


def _shown(
    view: View, address: Address, zone: str, ns: Any, is_simulation: bool
) -> tuple[dict[str, HTML], str]:
    """Return the HTML of each part, and where things stand in a sentence."""
    if view.is_empty:
        empty = nothing_sent(is_simulation=is_simulation)
        return {
            "senders": HTML(""),
            "summary": HTML(""),
            "list": _html(empty),
            "panel": _html(missing_panel(address)) if view.open else _until_known("panel"),
        }, "Nothing sent yet."
    panel: Tag | None = None
    words = f"{counted(view.counts.total, 'alert')}." if view.page.rows else "No alert matches."
    if view.open is not None:
        alert = view.open.alert
        if alert is None:
            panel, words = missing_panel(address), "No alert has this id."
        else:
            panel = alert_panel(
                address,
                alert,
                view.open.contact,
                view.open.tries,
                zone,
                is_simulation=is_simulation,
                cause=view.open.cause,
            )
            name = view.open.contact.name if view.open.contact else ""
            words = f"{person(alert, {alert.to: name} if name else {})}: "
            words += f"{glance(alert, zone).words}."
    summary = tags.div(
        tiles(address, view.counts),
        cost(view.overview.spent),
        chart(view.hours, view.overview.hours, zone),
        class_="cb-card strip",
    )
    return {
        "senders": _html(
            TagList(
                _senders(address, view.overview.senders, ns), _rule_choice(address, view.rules, ns)
            )
        ),
        "summary": _html(summary),
        "list": _html(
            the_list(address, view.page, view.counts, view.names, zone, rules=view.rules)
        ),
        "panel": _html(panel) if panel else _until_known("panel"),
    }, words


def _senders(address: Address, senders: Sequence[str], ns: Any) -> Tag:
    return choice("by", "Sender", names_to_choose(senders, address["by"]), ns)


def _rule_choice(address: Address, rules: Mapping[str, str], ns: Any) -> Tag | None:
    """Return the choice of a rule; None as long as there is none to choose."""
    chosen = address["rule"]
    unknown = {chosen: "A rule that is gone"} if chosen and chosen not in rules else {}
    if not rules and not unknown:
        return None
    return choice("rule", "Rule", [("", "Any rule"), *{**rules, **unknown}.items()], ns)


def _until_known(name: str) -> HTML:
    return _html(TagList(UNTIL_KNOWN.get(name)))


def _html(tag: Tag | TagList) -> HTML:
    return HTML(tag.get_html_string())
