"""Several people at once in the page, from pasting their numbers to the list of what was done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import nothing_found_by_axe
from tests.support.browser import well_behaved_page
from tests.support.running_app import running_app

pytestmark = pytest.mark.browser

WIDE = {"width": 1320, "height": 860}
ATTENTIVE, IN_A_HURRY, VISITOR = "412 555 0106", "412-555-0104", "+1 412 857 4309"
WORDS = "Batch 1407 shows signs of diacetyl. Please hold it back and call the lab."


@pytest.fixture
def page(browser: Browser, simulation: str) -> Iterator[Page]:
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        yield page


def paste(page: Page, text: str) -> None:
    """Paste into the To field as a browser does, line ends and all."""
    page.locator("#send-phone_number").focus()
    page.evaluate(
        """(text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            const options = { clipboardData, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        text,
    )


@pytest.mark.slow
def test_three_are_called_one_again_and_all_is_found_later(page: Page) -> None:
    paste(page, f"{VISITOR}\n{ATTENTIVE}\r\n{IN_A_HURRY}\n412 555 01")
    rows = page.locator("#send-recipients li")
    expect(rows).to_have_count(4)
    expect(rows.nth(3)).to_contain_text("Too few digits")
    page.get_by_role("button", name="Leave out 412 555 01", exact=True).click()
    expect(rows).to_have_count(3)
    expect(page.locator("#send-phone_number")).to_have_value(re.compile("412-555-0104$"))
    page.fill("#send-message", WORDS)
    page.get_by_label("Ask them to press 1").check()
    page.select_option("#send-repeat", "1")
    expect(page.locator("#send-length")).to_contain_text("said once")
    page.get_by_role("button", name="Call 3 people now").click()
    # The first rings on the handset; meanwhile the others answer on their own.
    phone = page.get_by_role("complementary", name="Simulated phone")
    phone.get_by_role("button", name="Answer").click()
    expect(phone.get_by_text("Waiting for a key.")).to_be_visible()
    phone.get_by_role("button", name="1", exact=True).click()
    hurried = page.locator(".people .person").filter(has_text="412-555-0104")
    expect(hurried).to_contain_text("Hung up at once")
    expect(page.locator("#send-headline")).to_have_text("2 of 3 confirmed")
    nothing_found_by_axe(page)
    # The one who wasn't reached again, with the same words.
    page.get_by_role("button", name="Write to the one person not reached…").click()
    expect(page.locator("#send-phone_number")).to_have_value("+1 412-555-0104")
    expect(page.locator("#send-message")).to_have_value(WORDS)
    expect(page.locator("#send-sent_before")).to_contain_text("These words")
    page.get_by_role("button", name="Send test call").click()
    expect(page.locator("#send-progress .cb-pill")).to_have_text("Hung up at once")
    # All of it is in Activity, and can be taken away.
    page.get_by_role("tab", name="Activity").click()
    expect(page.get_by_role("row").filter(has_text="3 people")).to_contain_text("2 of 3 confirmed")
    page.get_by_role("searchbox").fill("412-555-0104")
    expect(page.get_by_role("row").filter(has_text="Hung up at once")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    exported = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(exported) == 3  # a line of names, and two calls


@pytest.mark.slow
def test_a_broadcast_is_found_again_by_its_address(page: Page) -> None:
    page.fill("#send-phone_number", "412 555 0101, 412 555 0102")
    expect(page.locator("#send-recipients .good")).to_have_count(2)
    page.get_by_role("button", name="Call 2 people now").click()
    expect(page.locator(".people .person")).to_have_count(2)
    expect(page).to_have_url(re.compile("broadcast=[0-9a-f]{16}"))
    page.get_by_role("button", name="Stop all").click()
    expect(page.locator("#send-headline")).to_have_text("0 of 2 reached")
    page.reload()
    expect(page.locator("#send-headline")).to_have_text("0 of 2 reached")
    expect(page.locator("#send-phone_number")).to_have_value("412 555 0101, 412 555 0102")


@pytest.mark.slow
def test_a_text_can_be_undone(page: Page) -> None:
    page.get_by_text("Text", exact=True).click()
    page.fill("#send-phone_number", "412 857 4309")
    expect(page.locator("#send-recipients .good")).to_be_visible()
    page.get_by_role("button", name="Send test text").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#send-progress .cb-pill")).to_have_text("Canceled")
    expect(page.locator(".handset .bubble")).to_have_count(0)


@pytest.mark.slow
def test_a_draft_outlives_its_tab_until_it_is_sent(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        page.fill("#send-phone_number", "412 555 0106")
        page.fill("#send-message", "Half a thought")
        page.get_by_label("Ask them to press 1").check()
        other = page.context.new_page()
        other.goto(simulation)
        expect(other.locator("#send-message")).to_have_value("Half a thought")
        expect(other.get_by_label("Ask them to press 1")).to_be_checked()
        expect(other.locator("#send-words")).to_contain_text("Half a thought")
        expect(other.locator("#send-recipients .good")).to_be_visible()
        other.get_by_role("button", name="Send test call").click()
        expect(other.locator("#send-progress .cb-pill")).to_be_visible()
        third = page.context.new_page()
        third.goto(simulation)
        expect(third.locator("#send-message")).to_have_value(re.compile("^Greetings"))


@pytest.mark.slow
def test_enter_sends_from_the_field_and_with_control_from_anywhere(page: Page) -> None:
    page.fill("#send-phone_number", "412 555 0101")
    expect(page.locator("#send-recipients .good")).to_be_visible()
    page.locator("#send-message").press("Enter")  # a new line
    expect(page.locator("#send-progress .cb-pill")).to_have_count(0)
    page.locator("#send-message").press("Control+Enter")
    expect(page.locator("#send-progress .cb-pill")).to_have_text("Busy")
    expect(page).to_have_title(re.compile("^Busy"))
    page.locator("#send-phone_number").press("Enter")
    expect(page.locator("#send-progress .cb-pill")).to_have_text("Sending")


@pytest.mark.slow
def test_half_a_number_is_not_wrong_yet(page: Page) -> None:
    field, wrong = page.locator(".to-field"), page.locator("#send-recipients .bad")
    page.locator("#send-phone_number").press_sequentially("412")
    expect(wrong).to_be_visible()
    expect(field).not_to_have_class(re.compile("typing"))
    red = wrong.evaluate("(row) => getComputedStyle(row).color")
    page.locator("#send-phone_number").press_sequentially("8")
    expect(field).to_have_class(re.compile("typing"))
    colors = """() => document.querySelector(".to-field.typing .bad")
        && getComputedStyle(document.querySelector("#send-recipients .bad")).color"""
    assert page.wait_for_function(colors).json_value() != red


@pytest.mark.slow
def test_an_account_is_live_and_has_no_sample(browser: Browser, project: Path) -> None:
    account = {
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "anything",
        "TWILIO_FROM_NUMBER": "+17248675309",
        "TWILIO_BASE_URL": "http://127.0.0.1:9",
    }
    with (
        running_app(project, **account) as url,
        well_behaved_page(browser, url, viewport=WIDE) as page,
    ):
        expect(page.get_by_text("Live: real calls")).to_be_visible()
        expect(page.locator("#send-message")).to_have_value("")
        expect(page.get_by_role("button", name="Call now")).to_be_visible()
        page.fill("#send-phone_number", "412 555 0106")
        expect(page.get_by_role("button", name="Call 1 person now")).to_be_visible()
