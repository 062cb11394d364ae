"""The page around the modules: brand, navbar, light and dark."""

from __future__ import annotations

import base64

from htmltools import HTML, Tag, TagList, head_content, tags
from shiny import ui
from shiny.types import NavSetArg

from dashboard.assets import WWW, shell_assets


def page(*panels: NavSetArg, handset: Tag | None) -> Tag:
    """The whole dashboard. With a `handset` the page says plainly that it is a simulation."""
    return ui.page_navbar(
        *panels,
        # Beside the brand: among the tabs, a list for screen readers, only tabs may stand.
        title=TagList(
            _brand(),
            _simulation_badge() if handset else None,
            _dark_mode(),
        ),
        footer=handset,
        header=TagList(head(), ui.busy_indicators.use(spinners=False, pulse=False, fade=False)),
        navbar_options=ui.navbar_options(collapsible=False, underline=False),
        window_title="Callboard",
        lang="en",
        id="page",
    )


def panel(title: str, content: Tag, *, value: str) -> NavSetArg:
    """One page of the dashboard and its tab in the navbar."""
    return ui.nav_panel(title, tags.main(content), value=value)


def plain_page(heading: str, *content: Tag) -> Tag:
    """A page without modules, for when the dashboard cannot start."""
    return ui.page_fluid(
        head(),
        tags.header(_brand(), _dark_mode(), class_="plain-header"),
        tags.main(tags.h1(heading), *content, class_="plain-page"),
        title="Callboard",
        lang="en",
    )


def head() -> TagList:
    """Favicon and stylesheet, which ask no outside host for anything."""
    icon = base64.b64encode((WWW / "favicon.svg").read_bytes()).decode()
    return TagList(
        head_content(tags.link(rel="icon", href=f"data:image/svg+xml;base64,{icon}")),
        shell_assets(),
    )


def _brand() -> Tag:
    logo = HTML((WWW / "favicon.svg").read_text(encoding="utf-8"))
    return tags.span(tags.span(logo, aria_hidden="true"), "Callboard", class_="brand")


def _dark_mode() -> Tag:
    return ui.input_dark_mode(aria_label="Switch between light and dark")


def _simulation_badge() -> Tag:
    return tags.span(
        "Simulation: no real calls",
        class_="simulation",
        title="No Twilio account is set, so a stand-in answers. Nobody's phone rings.",
    )
