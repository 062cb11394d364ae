"""Signing in and out in Chromium: with and without scripts, light and dark, wide and on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from shiny import App, Inputs, Outputs, Session, render, ui
from starlette.types import Receive, Scope, Send

from access.roles import Roles
from access.sign_in import SignIn
from access.users import UsersFile
from dashboard.assets import signed_in
from dashboard.sign_in import gate
from dashboard.sign_in.identity import ByCookie
from dashboard.sign_in.page import SignInPage
from dashboard.visitor import actor_of
from database.database import Database
from tests.support.axe import COLORS, run_axe
from tests.support.browser import DESKTOP, PHONE
from tests.support.running_app import running_app
from tests.support.servers import serve
from tests.support.signing_in import BEN, MAYA, PASSWORD, users_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> UsersFile:
    return users_in(tmp_path_factory.mktemp("users"), MAYA, BEN)


@pytest.fixture(scope="module")
def app(project: Path, users: UsersFile) -> Iterator[str]:
    settings = {"USERS_FILE": str(users.path), "ADMINS": "Ruth Kaplan"}
    with running_app(project, **settings) as url:
        yield url


def fill_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def top_of_button(page: Page) -> int:
    box = page.get_by_role("button", name="Sign in").bounding_box()
    assert box is not None
    return round(box["y"])


def rows(page: Page, selector: str) -> set[int]:
    """The rows that these are in, as the middle of each, to 20 pixels."""
    middle = "(each) => each.getBoundingClientRect().top + each.offsetHeight / 2"
    found = page.eval_on_selector_all(selector, f"(all) => all.map({middle})")
    return {round(each / 20) for each in found}


def violations(page: Page) -> list[object]:
    """What is wrong with the page as it is, and with its colors in the other theme."""
    found = list(run_axe(page).response["violations"])
    theme = page.locator("html").get_attribute("data-bs-theme")
    turn = "(theme) => { document.documentElement.dataset.bsTheme = theme; }"
    page.evaluate(turn, "light" if theme == "dark" else "dark")
    found += run_axe(page, **COLORS).response["violations"]
    page.evaluate(turn, theme)
    return found


@pytest.mark.parametrize(
    ("viewport", "dark"),
    [(DESKTOP, False), pytest.param(PHONE, True, marks=pytest.mark.slow)],
    ids=["desktop light", "phone dark"],
)
def test_in_and_out(browser: Browser, app: str, dark: bool, viewport: dict[str, int]) -> None:
    context = browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        bypass_csp=True,  # axe brings a script along
    )
    page = context.new_page()
    page.goto(f"{app}?page=activity")
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark" if dark else "light")
    assert violations(page) == []
    top = top_of_button(page)
    fill_in(page, MAYA, "wrong horse")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    assert top_of_button(page) == top
    assert violations(page) == []
    page.get_by_role("button", name="Show the password").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    fill_in(page, MAYA, PASSWORD)
    page.wait_for_url(f"{app}?page=activity")
    menu = page.locator(".account summary")
    expect(menu).to_contain_text(f"{MAYA}")
    menu.click()
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    if viewport is PHONE:
        page.get_by_text("Light or dark").click()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "light" if dark else "dark")
        # On the smallest phones too the bar has two rows.
        page.set_viewport_size({"width": 320, "height": 640})
        assert len(rows(page, ".navbar .nav-link")) == 1
        assert len(rows(page, ".navbar :is(.brand, .simulation, .account)")) == 1
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{app}sign-in*")
    page.goto(app)
    page.wait_for_url(f"{app}sign-in*")
    context.close()


@pytest.mark.slow
def test_without_scripts(browser: Browser, app: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(app)
    fill_in(page, MAYA, PASSWORD)
    page.wait_for_url(app)
    context.close()


@pytest.mark.slow
def test_a_page_that_is_open_when_its_sign_in_ends(
    browser: Browser, app: str, users: UsersFile
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{app}?page=people")
    fill_in(page, BEN, PASSWORD)
    expect(page.locator(".account summary")).to_contain_text(BEN)
    changing = threading.Thread(target=users.remove, args=(BEN,))
    changing.start()
    changing.join()
    page.wait_for_url(f"{app}sign-in?next=*page%3Dpeople*", timeout=60_000)
    context.close()


@pytest.fixture
def behind_shiny_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A small app whose sessions come without cookies, as Shiny Server passes them on."""
    monkeypatch.setattr(gate, "takes_tokens", lambda: True)

    async def database() -> Database:
        opened = Database(f"sqlite:///{tmp_path / 'callboard.sqlite'}")
        await opened.open()
        return opened

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        session.allow_reconnect("force")

        @render.text
        def who() -> str:
            return f"This is {actor_of(session).name}."

    sign_in = SignIn(users_in(tmp_path, MAYA), Roles(), timedelta(hours=1), database)
    app = App(ui.page_fluid(signed_in(tokens=True), ui.output_text("who"), lang="en"), server)
    app.starlette_app.add_middleware(
        gate.Gate, identify=ByCookie(sign_in), page=SignInPage(live=False), sign_in=sign_in
    )

    async def without_cookies(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            kept = [each for each in scope["headers"] if each[0] != b"cookie"]
            scope = {**scope, "headers": kept}
        await app(scope, receive, send)

    with serve(without_cookies) as url:
        yield f"{url}/"


@pytest.mark.slow
def test_under_shiny_server(browser: Browser, behind_shiny_server: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(behind_shiny_server)
    fill_in(page, MAYA, PASSWORD)
    expect(page.get_by_text(f"This is {MAYA}.")).to_be_visible()
    # A lost connection begins another session, which needs a token of its own.
    with page.expect_request("**/session-token"):
        page.evaluate("() => window.Shiny.shinyapp.$socket.close()")
    page.wait_for_function("() => window.Shiny.shinyapp.isConnected()")
    expect(page.get_by_text(f"This is {MAYA}.")).to_be_visible()
    context.close()
