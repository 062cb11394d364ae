"""A page that can't open a session, as through a proxy that passes no WebSockets on, says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import run_axe
from tests.support.browser import DESKTOP, PHONE, well_behaved_page
from tests.support.proxies import nginx

pytestmark = [pytest.mark.slow, pytest.mark.browser]
HOST = "proxy_set_header Host $http_host;"


def test_it_says_what_to_set(simulation: str, browser: Browser, tmp_path: Path):
    with nginx(simulation, tmp_path, HOST, upgrade=False) as url:
        for dark, viewport in ((False, DESKTOP), (True, PHONE)):
            scheme = "dark" if dark else "light"
            page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(url)
            notice = page.get_by_role("alert").filter(has_text="can't connect to Callboard")
            expect(notice).to_be_visible()
            expect(notice).to_contain_text("Upgrade, Connection and Host")
            # Above the gray that covers the rest, so that it can be read.
            box = notice.bounding_box()
            assert box is not None
            inside = "([x, y]) => document.elementFromPoint(x, y).className"
            middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
            assert page.evaluate(inside, middle) == "no-session"
            # It was never there to be lost.
            words = "getComputedStyle(document.querySelector(OVERLAY), '::after').content"
            overlay = "'#shiny-disconnected-overlay'"
            assert page.evaluate(words.replace("OVERLAY", overlay)) == "none"
            assert box["x"] + box["width"] <= viewport["width"]
            found = run_axe(page, ".no-session")
            assert found.violations_count == 0, found.generate_report()
            page.close()


def test_connecting_again_at_once(simulation: str, browser: Browser):
    with well_behaved_page(browser, simulation) as page:
        # Shiny's own link would be complained about, because of its handler in an attribute.
        page.evaluate(
            "() => { Shiny.shinyapp.reconnect = () => { window.tried = true; };"
            "document.body.insertAdjacentHTML('beforeend',"
            '\'<a id="shiny-reconnect-now" href="#">Try now</a>\'); }'
        )
        page.locator("#shiny-reconnect-now").dispatch_event("click")
        assert page.evaluate("window.tried")


def test_it_says_nothing_where_a_session_opens(simulation: str, browser: Browser, tmp_path: Path):
    with nginx(simulation, tmp_path, HOST) as url:
        page = browser.new_page()
        page.clock.install()
        page.goto(url)
        page.wait_for_function("() => window.Shiny?.shinyapp?.$socket?.readyState === 1")
        page.clock.run_for(10_000)
        expect(page.get_by_text("can't connect to Callboard")).to_have_count(0)
        page.close()
