"""Each page with a list says that it looks for it until the server's first answer is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.support.browser import DESKTOP

pytestmark = pytest.mark.browser

LISTS = {
    "Activity": (".activity-page .list", "Looking…"),
    "People": (".people-page .people-list", "Looking for people…"),
    "Rules": (".rules-page [data-part=list]", "Looking for rules…"),
    "Setup": (".setup-page .setup-checks", "Checking…"),
}
PANEL = (".activity-page .panel", "Looking for this alert…")
# In one go, and with the animation stopped: a busy machine may take longer than it lasts.
VISIBILITY_AT_MS = """(element, ms) => {
  const animation = element.getAnimations()[0];
  animation.pause();
  animation.currentTime = ms;
  return getComputedStyle(element).visibility;
}"""


class SlowServer:
    """A page whose server's answers wait until they are let through."""

    def __init__(self, page: Page) -> None:
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        self._is_open = False
        self.page = page
        page.route_web_socket(re.compile("/websocket/"), self._hold)

    def _hold(self, socket: WebSocketRoute) -> None:
        def answer(message: str | bytes) -> None:
            if self._is_open:
                socket.send(message)
            else:
                self._held.append((socket, message))

        socket.connect_to_server().on_message(answer)

    def let_through(self) -> None:
        self._is_open = True
        for socket, message in self._held:
            socket.send(message)


@pytest.fixture
def slow(browser: Browser) -> Iterator[SlowServer]:
    context = browser.new_context(viewport={"width": DESKTOP["width"], "height": DESKTOP["height"]})
    yield SlowServer(context.new_page())
    context.close()


@pytest.mark.slow
def test_lists_of_a_slow_server(slow: SlowServer, simulation: str) -> None:
    page = slow.page
    page.goto(f"{simulation}?page=activity&open=none")
    for tab, (place, words) in reversed(LISTS.items()):
        page.get_by_role("tab", name=tab).click()
        # What is still hidden isn't among the inner text.
        expect(page.locator(place)).to_contain_text(words, use_inner_text=True)
    # The words are hidden at first, so that they don't flicker on a quick machine.
    first = page.locator(f"{LISTS['Activity'][0]} .cb-looking")
    for ms, visibility in ((100, "hidden"), (500, "visible")):
        assert first.evaluate(VISIBILITY_AT_MS, ms) == visibility
    slow.let_through()
    for tab, (place, words) in LISTS.items():
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(place)).not_to_contain_text(words)
        expect(page.locator(place)).to_contain_text(re.compile("[a-z]"))


@pytest.mark.slow
@pytest.mark.parametrize("address", ["activity&open=none", "activity&list=done&open=none"])
def test_an_alert_that_a_slow_server_opens(slow: SlowServer, simulation: str, address: str) -> None:
    slow.page.goto(f"{simulation}?page={address}")
    place, words = PANEL
    expect(slow.page.locator(place)).to_contain_text(words, use_inner_text=True)
    slow.let_through()
    expect(slow.page.locator(place)).not_to_contain_text(words)
