"""The Setup page in a browser: axe in both themes and widths, copying, and one's own phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import nothing_found_by_axe
from tests.support.browser import PHONE, well_behaved_page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

WIDE = {"width": 1320, "height": 900}


def open_setup(page: Page) -> None:
    page.get_by_role("tab", name="Setup").click()
    expect(page.get_by_text("checked ")).to_be_visible()


def without_faults(page: Page) -> None:
    nothing_found_by_axe(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize(
    ("viewport", "dark"), [(WIDE, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing(
    browser: Browser, simulation: str, viewport: dict[str, int], dark: bool
) -> None:
    with well_behaved_page(browser, simulation, viewport=viewport, dark=dark) as page:
        open_setup(page)
        without_faults(page)
        page.get_by_label("My number").fill("412")
        expect(page.locator("#setup-my_number_line .bad")).to_be_visible()
        expect(page.get_by_label("My number")).to_have_attribute("aria-invalid", "true")
        without_faults(page)


def test_a_fix_is_copied_and_the_call_rings_on_this_page(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        open_setup(page)
        page.get_by_role("button", name="Copy: TWILIO_ACCOUNT_SID=AC…").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.splitlines()[-1] == "TWILIO_FROM_NUMBER=+1…"
        page.get_by_label("My number").fill("412 555 0164")
        page.get_by_role("button", name="Call my own phone").click()
        answer = page.get_by_role("button", name="Answer")
        expect(answer).to_be_visible()
        card, phone = page.locator(".setup-phone").bounding_box(), page.locator(".handset")
        place = phone.bounding_box()
        assert card is not None
        assert place is not None
        assert place["x"] + place["width"] <= card["x"]
        answer.click()
        page.get_by_role("button", name="1", exact=True).click()
        expect(page.locator(".setup-outcome")).to_contain_text("your press of 1 arrived")
        # The first step is ticked, and this browser knows the number again.
        expect(page.get_by_text("A call in the simulation was answered.")).to_be_visible()
        page.reload()
        expect(page.get_by_label("My number")).to_have_value("412 555 0164")
        expect(page.locator("#setup-my_number_line .good")).to_be_visible()
