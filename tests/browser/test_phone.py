"""The handset in Chromium: it rings for the visitor who called, speaks, and takes keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PHONE, well_behaved_page
from tests.support.running_app import running_app

pytestmark = pytest.mark.browser

RECORD_SPEECH = """
window.spoken = [];
window.speechSynthesis.speak = (utterance) => {
  window.spoken.push({text: utterance.text, lang: utterance.lang});
};
"""


def call(page: Page, number: str = "412 857 4309", message: str = "Batch 1407.") -> None:
    page.fill("#send-phone_number", number)
    page.fill("#send-message", message)
    expect(page.locator("#send-recipients .good")).to_be_visible()
    expect(page.locator("#send-twiml_preview")).to_contain_text(message)
    page.locator("#send-send_test_call").click()


def text(page: Page, number: str, message: str) -> None:
    page.get_by_text("Text", exact=True).click()
    page.fill("#send-phone_number", number)
    page.fill("#send-message", message)
    expect(page.locator("#send-recipients .good")).to_be_visible()
    expect(page.locator("#send-words")).to_have_text(message)
    page.locator("#send-send_test_call").click()


@pytest.mark.slow
def test_it_rings_is_answered_and_speaks_in_the_language(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, script=RECORD_SPEECH) as page:
        page.select_option("#send-language", "fr-FR")
        page.select_option("#send-repeat", "2")
        call(page, message="Le lot est mauvais.")
        phone = page.get_by_role("complementary", name="Simulated phone")
        expect(phone).to_have_attribute("data-phase", "ringing")
        expect(phone).to_contain_text("Callboard is calling")
        expect(phone).to_contain_text("from +1 724-867-5309")
        phone.get_by_role("button", name="Answer").click()
        expect(phone.locator(".captions")).to_contain_text("Le lot est mauvais.")
        expect(phone).to_have_attribute("data-phase", "over")
        said = {"text": "Le lot est mauvais.", "lang": "fr-FR"}
        assert page.evaluate("window.spoken") == [said, said]
        expect(page.locator("#send-progress .cb-pill")).to_have_text(re.compile("Reached"))


@pytest.mark.slow
def test_declining_is_busy_for_the_caller(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, script=RECORD_SPEECH) as page:
        call(page)
        page.get_by_role("button", name="Decline").click()
        expect(page.locator("#send-progress .cb-pill")).to_have_text("Busy")
        expect(page.locator(".captions")).to_contain_text("You declined the call.")
        assert page.evaluate("window.spoken") == []


@pytest.mark.slow
def test_hanging_up_ends_the_call(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.select_option("#send-repeat", "0")
        call(page)
        page.get_by_role("button", name="Answer").click()
        page.get_by_role("button", name="Hang up").click()
        expect(page.locator("#send-progress .cb-pill")).to_have_text(re.compile("Reached|Hung up"))
        expect(page.locator(".captions")).to_contain_text("You hung up.")


def test_a_key_answers_what_the_call_asks(browser: Browser, project: Path) -> None:
    with (
        running_app(project, "tests/support/key_press_app.py") as url,
        well_behaved_page(browser, url) as page,
    ):
        page.get_by_role("button", name="Call me").click()
        page.get_by_role("button", name="Answer").click()
        expect(page.locator(".captions")).to_contain_text("Press 1.")
        expect(page.get_by_text("Waiting for a key.")).to_be_visible()
        page.get_by_role("button", name="1", exact=True).click()
        expect(page.locator("#pressed")).to_have_text("1")
        expect(page.locator(".handset")).to_have_attribute("data-phase", "over")
        expect(page.locator(".captions")).not_to_contain_text("Nobody pressed.")


@pytest.mark.slow
def test_with_nobody_at_the_handset_the_directory_decides(
    browser: Browser, simulation: str
) -> None:
    with well_behaved_page(browser, simulation, script=RECORD_SPEECH) as page:
        call(page, "412 555 0106")
        expect(page.locator(".captions")).to_contain_text("You didn't answer in time.")
        expect(page.locator("#send-progress .cb-pill")).to_have_text(re.compile("Reached"))
        expect(page.locator(".handset")).to_have_attribute("data-phase", "over")
        assert page.evaluate("window.spoken") == []


@pytest.mark.slow
def test_busy_people_and_machines_do_not_ring_here(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.get_by_role("button", name="+1 412-555-0101").click()
        expect(page.locator("#send-phone_number")).to_have_value("+14125550101")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        page.locator("#send-send_test_call").click()
        expect(page.locator("#send-progress .cb-pill")).to_have_text("Busy")
        expect(page.locator(".handset")).to_have_attribute("data-phase", "idle")


@pytest.mark.slow
def test_focus_stays_on_the_phone_and_digits_can_be_typed(
    browser: Browser, simulation: str
) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.select_option("#send-repeat", "0")
        call(page)
        page.get_by_role("button", name="Answer").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Hang up")).to_be_focused()
        page.evaluate(
            "() => { window.keys = [];"
            " Shiny.setInputValue = (id, value) => window.keys.push([id, value]); }"
        )
        page.keyboard.press("5")
        assert page.evaluate("window.keys") == [["phone-key", {"key": "5"}]]


@pytest.mark.slow
def test_a_text_that_never_arrives_is_not_on_the_phone(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        text(page, "412 555 0111", "Batch 1407 is off.")
        expect(page.locator("#send-progress .cb-pill")).to_have_text("Phone unreachable")
        expect(page.locator(".handset .bubble")).to_have_count(0)


@pytest.mark.slow
def test_one_visitors_call_rings_on_no_other_handset(browser: Browser, simulation: str) -> None:
    with (
        well_behaved_page(browser, simulation) as caller,
        well_behaved_page(browser, simulation) as other,
    ):
        call(caller)
        expect(caller.locator(".handset")).to_have_attribute("data-phase", "ringing")
        expect(other.locator(".handset")).to_have_attribute("data-phase", "idle")
        caller.get_by_role("button", name="Decline").click()
        expect(caller.locator(".handset")).to_have_attribute("data-phase", "over")
        expect(other.locator(".handset")).to_have_attribute("data-phase", "idle")


@pytest.mark.slow
def test_the_ringer_is_silenced_with_one_click_and_stays_silent(
    browser: Browser, simulation: str
) -> None:
    with well_behaved_page(browser, simulation) as page:
        ringer = page.locator(".silence")
        expect(ringer).to_have_attribute("aria-pressed", "false")
        ringer.click()
        expect(ringer).to_have_attribute("aria-pressed", "true")
        page.reload()
        expect(page.locator(".silence")).to_have_attribute("aria-pressed", "true")


@pytest.mark.slow
def test_texts_are_bubbles_that_can_be_answered(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        text(page, "412 857 4377", "Batch 1407 is off.")
        expect(page.locator(".handset .bubble")).to_have_text(["Callboard: Batch 1407 is off."])
        page.get_by_role("textbox", name="Reply").fill("STOP")
        page.get_by_role("textbox", name="Reply").press("Enter")
        expect(page.locator(".handset .bubble.ours")).to_have_text("You: STOP")
        expect(page.locator(".handset .bubble")).to_have_count(3)
        expect(page.locator("#send-send_test_call")).to_be_enabled()
        page.locator("#send-send_test_call").click()
        expect(page.locator(".explanation")).to_contain_text("STOP")
        page.get_by_role("textbox", name="Reply").fill("START")
        page.get_by_role("textbox", name="Reply").press("Enter")
        expect(page.locator(".handset .bubble.ours").last).to_have_text("You: START")
        expect(page.locator("#send-send_test_call")).to_be_enabled()
        page.locator("#send-send_test_call").click()
        expect(page.locator("#send-progress .cb-pill")).to_have_text(re.compile("Delivered"))


@pytest.mark.slow
def test_one_click_replies_1(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        text(page, "412 857 4378", "Batch 1407 is off.")
        expect(page.locator(".handset .bubble")).to_have_count(1)
        page.get_by_role("button", name="Reply 1").click()
        expect(page.locator(".handset .bubble.ours")).to_have_text("You: 1")


@pytest.mark.slow
def test_on_a_phone_it_rises_as_a_sheet_and_sinks_again(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, viewport=PHONE) as page:
        answer = page.get_by_role("button", name="Answer")
        expect(page.locator(".handset-screen")).to_be_hidden()
        call(page)
        expect(answer).to_be_visible()
        page.locator(".handset-bar").click()
        expect(answer).to_be_hidden()
        page.locator(".handset-bar").click()
        page.get_by_role("button", name="Decline").click()
        expect(page.locator(".handset-screen")).to_be_hidden()
        expect(page.locator(".handset-bar")).to_be_focused()
