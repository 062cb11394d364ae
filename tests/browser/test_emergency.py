"""The emergency stop and a second person's yes, as people use them; axe finds nothing in them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
import shiny.reactive._core as reactive_core
from playwright.sync_api import Browser, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from access.actor import EVERYTHING, Actor
from alerts import AlertRequest, Desk
from app import create_app
from settings import Settings
from tests.support.axe import nothing_found_by_axe
from tests.support.browser import DESKTOP, PHONE, well_behaved_page
from tests.support.servers import serve

pytestmark = pytest.mark.browser
LEAK = AlertRequest("call", "+14125550142", "Water leak in building 4. Leave by the south door.")
PEOPLE = [replace(LEAK, to=f"+1412555{1000 + number}", name=f"P {number}") for number in range(12)]


@dataclass
class Visitors:
    """An app whose visitor bears this name, as a sign-in in front of it would say."""

    app: ASGIApp
    settings: Settings
    actor: Actor = field(default_factory=lambda: Actor("Ben", EVERYTHING))
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["callboard.actor"] = self.actor
        await self.app(scope, receive, send)

    def meanwhile(self, name: str, requests: list[AlertRequest], *, ask: bool) -> None:
        """Let another person send these from another process, or ask for a second person's yes."""

        async def work() -> None:
            async with Desk.from_settings(self.settings, mode="observer") as desk:
                theirs = desk.acting_as(Actor(name, EVERYTHING))
                if ask:
                    await theirs.ask_for_approval(requests)
                else:
                    await theirs.send_all(requests)

        # Playwright keeps an event loop running in this thread.
        thread = threading.Thread(target=asyncio.run, args=(work(),))
        thread.start()
        thread.join()


@pytest.fixture(scope="module")
def visitors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitors]:
    # Shiny's lock belongs to the event loop that first used it, and this server has its own.
    reactive_core._reactive_environment._lock = None
    database = f"sqlite:///{tmp_path_factory.mktemp('emergency') / 'callboard.sqlite'}"
    settings = Settings(_env_file=None, database_url=database, max_recipients=3)
    app = Visitors(create_app(Desk.from_settings(settings)), settings)
    with serve(app) as app.url:
        yield app


@pytest.mark.slow
@pytest.mark.parametrize(
    ("viewport", "dark"),
    [(DESKTOP, False), (PHONE, True)],
    ids=["desktop light", "phone dark"],
)
def test_a_yes_a_stop_and_lifting_it(
    browser: Browser, visitors: Visitors, viewport: dict[str, int], dark: bool
) -> None:
    with well_behaved_page(browser, visitors.url, viewport=viewport, dark=dark) as page:
        page.goto(visitors.url)
        expect(page.locator("#send-send_test_call")).to_be_enabled()
        visitors.meanwhile("Maya", PEOPLE, ask=True)
        visitors.meanwhile("Maya", PEOPLE[:5], ask=True)
        asks = page.get_by_text("Maya asks to call 12 people.")
        expect(asks).to_be_visible()
        expect(page.locator(".nav-link", has_text="Send").locator(".tab-count")).to_contain_text(
            "2"
        )
        page.get_by_text("Look at all 12").click()
        expect(page.get_by_text("P 11, +1 412-555-1011")).to_be_visible()
        nothing_found_by_axe(page)
        card = page.locator(".approval", has_text="12 people")
        card.get_by_role("button", name="Yes, call them").click()
        expect(asks).to_have_count(0)
        page.locator(".approval").get_by_role("button", name="No").click()
        expect(page.locator(".approval")).to_have_count(0)
        expect(page.locator(".tab-count")).to_have_count(0)

        held = [replace(LEAK, channel="text", hold_seconds=60, to=each.to) for each in PEOPLE[:4]]
        visitors.meanwhile("Maya", held, ask=False)
        page.get_by_role("button", name="Stop everything…").click()
        sheet = page.get_by_role("dialog", name="Stop everything?")
        expect(sheet).to_contain_text("holds all rules")
        nothing_found_by_axe(page)
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        page.get_by_role("button", name="Stop everything…").click()
        sheet.get_by_label("Why?").fill("Wrong list")
        sheet.get_by_role("button", name="Stop everything").click()
        banner = page.locator(".emergency-banner")
        expect(banner).to_contain_text("Ben stopped everything at")
        expect(banner).to_contain_text("Wrong list")
        expect(sheet).to_be_hidden()
        nothing_found_by_axe(page)
        for tab in ("Activity", "People", "Rules"):
            link = page.get_by_role("tab", name=tab)
            if link.count():
                link.click()
                expect(banner).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        banner.get_by_role("button", name="Lift the stop").click()
        expect(banner).to_be_hidden(timeout=30_000)
