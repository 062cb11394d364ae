"""A connection that is lost and comes back: the page goes on, and nothing is done a second time."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser

KEEPS_WHAT_IS_SENT = """
    window.begun = [];
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        if (String(data).startsWith('{"method":"init"')) window.begun.push(data);
        return send.call(this, data);
    };
"""


@pytest.mark.slow
def test_what_was_pressed_before_is_not_pressed_again(browser: Browser, simulation: str) -> None:
    # Not well_behaved_page: Shiny's dialog has a handler in an attribute, which the page's policy
    # refuses aloud. A listener of the page does its work.
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.add_init_script(KEEPS_WHAT_IS_SENT)
        page.goto(simulation)
        page.fill("#send-phone_number", "412 555 0106")
        page.get_by_role("button", name="Send test call").click()
        expect(page).to_have_url(re.compile("alert="))
        progress = page.locator("#send-progress")
        expect(progress).to_contain_text("412-555-0106")
        page.get_by_role("button", name="Stop everything…").click()
        page.keyboard.press("Escape")
        page.wait_for_function(
            "() => Object.keys(Shiny.shinyapp.$inputValues).some((name) => name.endsWith('-ask'))"
        )
        page.evaluate("Shiny.shinyapp.$socket.close()")
        page.wait_for_function("() => window.begun.length === 2")
        first, again = (json.loads(each)["data"] for each in page.evaluate("window.begun"))
        assert first[".clientdata_url_search"] == ""
        assert "alert=" in again[".clientdata_url_search"]
        assert not [name for name in again if name.endswith("-ask")]
        # What the form holds comes again.
        assert again["send-phone_number"] == "412 555 0106"
        expect(page.locator("#shiny-disconnected-overlay")).to_have_count(0)
        expect(page.locator("#send-recipients")).to_contain_text("412-555-0106")
        expect(progress).to_contain_text("412-555-0106")
        expect(progress).not_to_contain_text("Nothing sent yet")
