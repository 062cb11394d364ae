"""What a page of another site can do with the app in a visitor's browser: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.support.browser import well_behaved_page
from tests.support.servers import serve

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SESSION = """(url) => new Promise((done) => {
  const session = new WebSocket(url);
  session.onmessage = () => done("opened");
  session.onclose = () => done("refused");
})"""
OPEN_FRAME = """(url) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = done;
  frame.src = url;
  document.body.append(frame);
})"""


@pytest.fixture
def referrers() -> list[str | None]:
    return []


@pytest.fixture
def other_site(referrers: list[str | None]) -> Iterator[str]:
    async def page(request: Request) -> HTMLResponse:
        await asyncio.sleep(0)
        referrers.append(request.headers.get("referer"))
        return HTMLResponse("<title>Another site</title><h1>Another site</h1>")

    with serve(Starlette(routes=[Route("/", page)])) as url:
        yield f"{url}/"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def session_of(url: str) -> str:
    return url.replace("http", "ws") + "websocket/"


def test_its_page_opens_no_session(page: Page, simulation: str, other_site: str) -> None:
    page.goto(other_site)
    assert page.evaluate(SESSION, session_of(simulation)) == "refused"
    localhost = simulation.replace("127.0.0.1", "localhost")
    assert page.evaluate(SESSION, session_of(localhost)) == "refused"
    page.goto(simulation)
    assert page.evaluate(SESSION, session_of(simulation)) == "opened"


def test_a_frame_without_an_origin_opens_no_session(page: Page, simulation: str) -> None:
    page.goto("data:text/html,<h1>No origin</h1>")
    assert page.evaluate(SESSION, session_of(simulation)) == "refused"


def test_its_page_shows_the_app_in_no_frame(page: Page, simulation: str, other_site: str) -> None:
    page.goto(other_site)
    page.evaluate(OPEN_FRAME, simulation)
    assert page.frame_locator("iframe").locator("#send-send_test_call").count() == 0


def test_a_page_of_the_same_origin_may(page: Page, simulation: str) -> None:
    page.goto(simulation)
    page.evaluate(OPEN_FRAME, simulation)
    button = page.frame_locator("iframe").locator("#send-send_test_call")
    expect(button).to_be_visible()


def test_it_never_learns_which_alert_was_shown(
    browser: Browser, simulation: str, other_site: str, referrers: list[str | None]
) -> None:
    page = browser.new_page()
    page.goto(f"{simulation}?alert=0123456789abcdef")
    page.evaluate("(url) => { location.href = url; }", other_site)
    expect(page.get_by_role("heading")).to_have_text("Another site")
    page.close()
    assert referrers == [None]


def test_no_script_runs_that_is_not_the_pages_own(page: Page, simulation: str) -> None:
    page.goto(simulation)
    page.wait_for_function("() => window.Shiny?.shinyapp?.isConnected?.()")
    page.evaluate("""() => {
      window.refused = new Set();
      document.addEventListener("securitypolicyviolation", (event) =>
        window.refused.add(event.effectiveDirective));
      document.body.insertAdjacentHTML("beforeend", "<img src='x' onerror='window.ran = 1'>");
      const script = document.createElement("script");
      script.textContent = "window.ran = 2";
      document.body.append(script);
    }""")
    page.wait_for_function("() => window.refused.size === 2")  # the element and the attribute
    assert page.evaluate("window.ran") is None


def test_reloading_keeps_the_page_well_behaved(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, dark=True) as page:
        page.locator("bslib-input-dark-mode").click()
        page.reload()
        page.wait_for_function("() => window.Shiny?.shinyapp?.isConnected?.()")
