"""The Activity page's Shiny module: its filters, and places for what `visit` shows in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htmltools import Tag, tags
from shiny import Inputs, Outputs, Session, module, reactive
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from alerts import Desk
from dashboard.activity.parts import CHANNELS, RANGES, UNBOUND, UNTIL_KNOWN, choice
from dashboard.assets import assets
from dashboard.page_parts import icon
from dashboard.permissions import offer_what_is_allowed

if TYPE_CHECKING:
    from dashboard.activity.visit import Visit


@module.ui
def ui() -> Tag:
    """Return the page: filters, tiles, the list, and the open alert beside it."""
    page = tags.div(
        _filters(),
        tags.div(_part("summary"), class_="summary"),
        tags.div(
            tags.section(_part("list"), class_="cb-card list", aria_label="Alerts"),
            tags.aside(_part("panel"), class_="cb-card panel", aria_label="The open alert"),
            class_="beside",
        ),
        tags.div(shiny_ui.output_text("announcement"), class_="visually-hidden", role="status"),
        class_="callboard activity-page",
        data_time_zone_input=resolve_id("time_zone"),
        data_address_input=resolve_id("address"),
        data_again_input=resolve_id("again"),
        data_cancel_input=resolve_id("cancel"),
    )
    return tags.div(assets("activity", ["activity.css"], ["activity.js"]), page)


def _part(name: str) -> Tag:
    """Return an output that the script activity.js brings up to date piece by piece."""
    output = shiny_ui.output_ui(name, class_="cb-patched", aria_live="off")
    output.append(UNTIL_KNOWN.get(name))
    return output


def _filters() -> Tag:
    channels = [(each, words) for each, (words, _) in CHANNELS.items()]
    return tags.form(
        tags.h1("Activity"),
        _part("lists"),
        tags.div(
            tags.label("Search", for_=resolve_id("q"), class_="visually-hidden"),
            icon("search"),
            tags.input(
                id=resolve_id("q"),
                type="search",
                class_="form-control",
                placeholder="Name, number, words or SID",
                autocomplete="off",
                spellcheck="false",
                data_part="q",
                **UNBOUND,
            ),
            class_="search",
        ),
        tags.button(
            "Filters",
            type="button",
            class_="cb-button more",
            aria_expanded="false",
            aria_controls=resolve_id("more"),
        ),
        tags.div(
            choice("when", "When", list(RANGES.items()), resolve_id),
            tags.span(
                _date("from", "From"),
                _date("to", "To"),
                class_="days",
            ),
            choice("channel", "Channel", channels, resolve_id),
            _part("senders"),
            class_="choices",
            id=resolve_id("more"),
        ),
        tags.a(
            icon("download"), tags.span("CSV"), href="activity.csv", class_="cb-button bare csv",
            download="", data_csv="", aria_label="Download as CSV",
        ),
        class_="filters",
        role="search",
    )  # fmt: skip


def _date(name: str, label: str) -> Tag:
    control = resolve_id(f"day_{name}")
    return tags.span(
        tags.label(label, for_=control, class_="visually-hidden"),
        tags.input(id=control, type="date", class_="form-control", data_part=name, **UNBOUND),
    )


@module.server
def server(input: Inputs, output: Outputs, session: Session, desk: Desk) -> None:
    """Run the page, from the moment that it is first looked at."""
    offer_what_is_allowed(session, desk.actor)
    begun: list[Visit] = []

    @reactive.effect
    @reactive.event(input.address)
    def begin() -> None:
        if begun or not input.address():
            return
        # Imported here because the first page doesn't wait for it.
        from dashboard.activity.visit import Visit  # noqa: PLC0415

        begun.append(Visit(input, output, session, desk))
