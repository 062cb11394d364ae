"""Chromium for tests, and the rules that every page has to keep."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
DESKTOP = {"width": 1240, "height": 820}
PHONE = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the installed Chromium; without one skip the test, unless REQUIRE_BROWSER is set."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None and not os.environ.get("REQUIRE_BROWSER"):
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        # A simulated call takes some seconds, and much longer where others keep the machine busy.
        expect.set_options(timeout=90_000)
        yield browser
        browser.close()


@contextmanager
def well_behaved_page(
    browser: Browser,
    url: str,
    *,
    viewport: dict[str, int] = DESKTOP,
    dark: bool = False,
    script: str = "",
) -> Iterator[Page]:
    """Open `url` in a page that may ask no outside host for anything and log no error."""
    context = browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.add_init_script(script)
    page = context.new_page()
    complaints: list[str] = []

    def console(message: ConsoleMessage) -> None:
        # An app may have no favicon; only Callboard's own pages promise one.
        if message.type == "error" and "favicon.ico" not in message.location["url"]:
            complaints.append(message.text)

    def request(asked: Request) -> None:
        if not asked.url.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
            complaints.append(f"asked for {asked.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", request)
    page.goto(url)
    page.wait_for_function("() => window.Shiny?.shinyapp?.isConnected?.() ?? true")
    yield page
    context.close()
    assert complaints == [], complaints
