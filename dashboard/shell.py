"""The page around the modules: brand, navbar, light and dark, and who is looking at it."""

from __future__ import annotations

import base64

from htmltools import HTML, Tag, TagChild, TagList, head_content, tags
from shiny import ui
from shiny.session import Session
from shiny.types import NavSetArg

from dashboard.assets import WWW, assets
from dashboard.sign_in import Access
from dashboard.visitor import actor_of


def page(
    *panels: NavSetArg,
    handset: Tag | None,
    access: Access | None = None,
    above: Tag | None = None,
    below: Tag | None = None,
) -> Tag:
    """Return the whole dashboard, which says plainly whether calls are real.

    With a `handset` it is a simulation. With `access` that names visitors it has their menu.
    `above` and `below` go around every page.
    """
    menu = access is not None and access.names_visitors
    return ui.page_navbar(
        *panels,
        # Beside the brand, because screen readers expect nothing but tabs in the list of tabs.
        title=TagList(
            _brand(),
            _simulation_badge() if handset else _live_badge(),
            _account_menu(signs_out=access.sign_in is not None) if access and menu else None,
            _dark_mode(),
        ),
        footer=TagList(below, handset),
        header=TagList(
            head(),
            access.head() if access else None,
            ui.busy_indicators.use(spinners=False, pulse=False, fade=False),
            above,
        ),
        navbar_options=ui.navbar_options(collapsible=False, underline=False),
        window_title="Callboard",
        lang="en",
        id="page",
    )


def panel(title: TagChild, content: Tag, *, value: str) -> NavSetArg:
    """Return one page of the dashboard and its tab in the navbar."""
    return ui.nav_panel(title, tags.main(content), value=value)


def server(session: Session) -> None:
    """Tell the page who is looking at it, for the account menu."""
    name = actor_of(session).name
    message: dict[str, object] = {"name": name, "initials": _initials(name)}

    async def tell() -> None:
        await session.send_custom_message("callboard-account", message)

    session.on_flush(tell, once=True)


def plain_page(heading: str, *content: Tag) -> Tag:
    """Return a page without modules, for when the dashboard can't start."""
    return ui.page_fluid(
        head(),
        tags.header(_brand(), _dark_mode(), class_="plain-header"),
        tags.main(tags.h1(heading), *content, class_="plain-page"),
        title="Callboard",
        lang="en",
    )


def head() -> TagList:
    """Return favicon, stylesheet and script; none loads anything from another host."""
    icon = base64.b64encode((WWW / "favicon.svg").read_bytes()).decode()
    return TagList(
        head_content(tags.link(rel="icon", href=f"data:image/svg+xml;base64,{icon}")),
        assets("shell", ["shell.css"], ["shell.js", "connection.js"]),
    )


def _account_menu(*, signs_out: bool) -> Tag:
    """Return the menu, whose names `server` fills in: the page is the same for everybody."""
    name = {"data_account": "name"}
    sign_out = tags.form(tags.button("Sign out", type="submit"), method="post", action="sign-out")
    return tags.details(
        tags.summary(
            tags.span(class_="name", **name),
            tags.span(class_="initials", aria_hidden="true", data_account="initials"),
            tags.span(": account menu", class_="visually-hidden"),
        ),
        tags.div(
            tags.p(tags.span(**name), class_="narrow-only"),
            tags.div(
                tags.span("Light or dark", aria_hidden="true"),
                class_="for-dark-mode narrow-only",
            ),
            sign_out if signs_out else tags.p("Signed in elsewhere", class_="quiet"),
            class_="menu",
        ),
        class_="account",
    )


def _initials(name: str) -> str:
    """Return the first letters of the first and the last word: "MO" of "Maya Ortiz"."""
    words = name.replace(".", " ").replace("@", " ").split() or [name]
    chosen = words[:1] + words[1:][-1:]
    return "".join(word[0] for word in chosen).upper()


def _brand() -> Tag:
    logo = HTML((WWW / "favicon.svg").read_text(encoding="utf-8"))
    return tags.span(tags.span(logo, aria_hidden="true"), "Callboard", class_="brand")


def _dark_mode() -> Tag:
    return ui.input_dark_mode(aria_label="Switch between light and dark")


def _live_badge() -> Tag:
    return tags.span(
        tags.span("Live", tags.span(": real calls", class_="wide-only")),
        class_="badge-live",
        title="A Twilio account is set: calls and texts reach real phones and cost money.",
    )


def _simulation_badge() -> Tag:
    return tags.span(
        "Simulation",
        tags.span(": no real calls", class_="wide-only"),
        class_="simulation",
        title="No Twilio account is set, so a stand-in answers. Nobody's phone rings.",
    )
