"""Every page in both themes and both widths through axe, the accessibility checker."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import nothing_found_by_axe
from tests.support.browser import DESKTOP, PHONE, well_behaved_page

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.mark.parametrize(
    ("viewport", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing(
    browser: Browser, simulation: str, viewport: dict[str, int], dark: bool
) -> None:
    with well_behaved_page(browser, simulation, viewport=viewport, dark=dark) as page:
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark" if dark else "light")
        expect(page.locator("h1:visible")).to_have_count(1)
        nothing_found_by_axe(page)
        # While it rings.
        page.fill("#send-phone_number", "412 555 0103")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        page.locator("#send-send_test_call").click()
        expect(page.locator(".cb-pill")).to_have_text("Ringing")
        nothing_found_by_axe(page)
        # And with an alert that failed, a wrong number and the other channel.
        page.get_by_text("Text", exact=True).click()
        page.fill("#send-phone_number", "412 555 0113")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        page.locator("#send-send_test_call").click()
        expect(page.locator(".explanation")).to_be_visible()
        expect(page.locator("#send-send_test_call")).to_be_enabled()
        page.fill("#send-phone_number", "911")
        expect(page.locator("#send-recipients .bad")).to_be_visible()
        nothing_found_by_axe(page)


@pytest.mark.parametrize(
    ("viewport", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing_in_if_nobody_answers(
    browser: Browser, simulation: str, viewport: dict[str, int], dark: bool
) -> None:
    with well_behaved_page(browser, simulation, viewport=viewport, dark=dark) as page:
        page.get_by_label("Ask them to press 1").check()
        page.locator(".if-nobody-answers summary").click()
        page.get_by_label("Try again").select_option("Once more")
        page.get_by_label("Then try these people").fill("12")
        expect(page.locator("#send-then_to_feedback_line .bad")).to_be_visible()
        nothing_found_by_axe(page)
        # Waiting for the next try, and canceled.
        page.get_by_label("Then try these people").fill("")
        expect(page.locator("#send-then_to_feedback_line .bad")).to_have_count(0)
        page.fill("#send-phone_number", "412 555 0101")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        page.locator("#send-send_test_call").click()
        expect(page.locator(".timeline .waiting")).to_be_visible()
        nothing_found_by_axe(page)
        page.get_by_role("button", name="Cancel this alert").click()
        expect(page.locator(".cb-pill")).to_have_text("Canceled")
        expect(page.get_by_role("button", name="Send again")).to_be_visible()
        nothing_found_by_axe(page)
        # And where there is no such alert.
        page.goto(f"{simulation}?alert=nobody-sent-this")
        expect(page.locator(".explanation")).to_contain_text("No alert has this id.")
        nothing_found_by_axe(page)
