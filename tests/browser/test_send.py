"""The Send page in Chromium, as an analyst uses it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from simulator.app import create_app
from tests.support.browser import PHONE, well_behaved_page
from tests.support.running_app import running_app
from tests.support.servers import serve

pytestmark = pytest.mark.browser

NUMBER = "#send-phone_number"
BUTTON = "#send-send_test_call"
PILL = "#send-progress .cb-pill"

RECORD_SPEECH = """
window.spoken = [];
window.speechSynthesis.speak = (utterance) => {
  window.spoken.push({text: utterance.text, lang: utterance.lang});
  setTimeout(() => utterance.onend?.(), 20);
};
"""


def write(page: Page, number: str, message: str) -> None:
    page.fill(NUMBER, number)
    page.fill("#send-message", message)
    expect(page.locator("#send-recipients .good")).to_be_visible()


def test_a_call_is_written_sent_and_watched_to_its_end(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        expect(page.get_by_text("Simulation: no real calls")).to_be_visible()
        expect(page.locator("#send-progress li")).to_have_count(6)
        write(page, "(412) 857-4309", "Batch 1407.")
        expect(page.locator("#send-twiml_preview")).to_contain_text("Batch 1407.</Say>")
        page.get_by_role("button", name="Send test call").click()
        expect(page.locator(PILL)).to_have_text("Ringing")
        expect(page.locator("#send-progress")).to_contain_text("Ringing +1 412-857-4309")
        expect(page.locator(PILL)).to_have_text(re.compile("Reached"))
        steps = page.locator("#send-progress li")
        expect(steps).to_have_text(
            [
                re.compile(rf"{words}.*\d\d:\d\d:\d\d\s*$")
                for words in (
                    "Saved",
                    "Stored",
                    "Accepted by Twilio",
                    "Ringing",
                    "Answered",
                    "ended",
                )
            ]
        )


@pytest.mark.slow
def test_a_double_click_is_one_call(browser: Browser, project: Path) -> None:
    twilio = create_app(from_number="+17248675309")
    with serve(twilio) as address:
        account = {
            "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
            "TWILIO_AUTH_TOKEN": "anything",
            "TWILIO_FROM_NUMBER": "+17248675309",
            "TWILIO_BASE_URL": address,
        }
        with running_app(project, **account) as url, well_behaved_page(browser, url) as page:
            for calls, gap in enumerate((0, 150, 400), 1):  # in ms; Windows allows 500
                write(page, "412 555 0106", f"Once {gap}.")
                expect(page.locator("#send-words")).to_contain_text(f"Once {gap}.")
                before = page.url
                page.evaluate(
                    """([id, gap]) => {
                        const button = document.getElementById(id);
                        button.click();
                        setTimeout(() => button.click(), gap);
                    }""",
                    ["send-send_test_call", gap],
                )
                expect(page).not_to_have_url(before)
                expect(page.locator(PILL)).to_have_text(re.compile("Reached"))
                expect(page.locator(BUTTON)).to_be_enabled()
                assert len(twilio.state.exchange.calls) == calls


@pytest.mark.slow
def test_the_send_button_is_busy_while_it_works(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        write(page, "412 555 0106", "Busy.")
        page.locator(BUTTON).click()
        expect(page.locator(BUTTON)).to_be_disabled()
        expect(page.locator(BUTTON)).to_contain_text("Sending…")
        expect(page.locator(BUTTON)).to_be_enabled()


@pytest.mark.slow
def test_listen_speaks_the_document_in_its_language(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, script=RECORD_SPEECH) as page:
        page.fill("#send-message", "Le lot 1407 est mauvais.")
        page.select_option("#send-language", "fr-FR")
        page.select_option("#send-repeat", "2")
        expect(page.locator("#send-twiml_preview")).to_contain_text(
            'language="fr-FR" loop="2">Le lot 1407'
        )
        page.get_by_role("button", name="Listen").click()
        said = {"text": "Le lot 1407 est mauvais.", "lang": "fr-FR"}
        assert page.evaluate("window.spoken") == [said, said]
        expect(page.get_by_role("button", name="Listen")).to_be_visible()


@pytest.mark.slow
def test_a_text_shows_what_it_costs_and_arrives(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.get_by_text("Text", exact=True).click()
        write(page, "(412) 857-4309", "Batch 1407 is “off”.")
        expect(page.locator("#send-message_feedback_line")).to_contain_text("UCS-2: “, ” force")
        expect(page.locator("#send-words")).to_have_text("Batch 1407 is “off”.")
        expect(page.get_by_label("TwiML document")).to_be_hidden()
        page.get_by_role("button", name="Send test text").click()
        expect(page.locator(PILL)).to_have_text(re.compile("Delivered"))


@pytest.mark.slow
def test_errors_say_what_to_do(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.get_by_text("Text", exact=True).click()
        write(page, "412 555 0113", "Hello.")
        page.locator(BUTTON).click()
        expect(page.locator(PILL)).to_have_text("Texted STOP")
        expect(page.locator(".explanation")).to_contain_text("START")
        expect(page.locator(".explanation")).to_contain_text("Twilio error 21610")


@pytest.mark.slow
def test_a_number_is_judged_under_the_field(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.fill(NUMBER, "911")
        expect(page.locator("#send-recipients")).to_contain_text("emergency number")
        expect(page.locator(NUMBER)).to_have_attribute("aria-invalid", "true")
        page.locator(BUTTON).click()
        expect(page.get_by_role("alert")).to_contain_text("emergency number")
        expect(page.locator(NUMBER)).to_be_focused()
        expect(page.locator(BUTTON)).to_be_enabled()
        page.fill(NUMBER, "412 857 4309")
        expect(page.locator(NUMBER)).to_have_attribute("aria-invalid", "false")
        expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.slow
def test_a_variable_is_inserted_at_the_caret(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.fill("#send-message", "It is .")
        page.locator("#send-message").press("End")
        page.locator("#send-message").press("ArrowLeft")
        page.get_by_role("button", name="{{ now }}").click()
        expect(page.locator("#send-message")).to_have_value("It is {{ now }}.")
        expect(page.locator("#send-twiml_preview")).to_contain_text(re.compile(r"It is \d+:\d\d"))


@pytest.mark.slow
def test_the_keyboard_alone_sends_a_call(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        page.locator("[name='send-channel'][value='call']").focus()
        page.keyboard.press("Tab")
        page.keyboard.type("4125550106")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "send-send_test_call":
                break
        page.keyboard.press("Enter")
        expect(page.locator(PILL)).to_have_text(re.compile("Reached"))


@pytest.mark.slow
def test_a_phone_gets_one_column_without_sideways_scrolling(
    browser: Browser, simulation: str
) -> None:
    with well_behaved_page(browser, simulation, viewport=PHONE) as page:
        expect(page.locator(BUTTON)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        sizes = page.evaluate(
            "[...document.querySelectorAll('input[type=text], textarea, select')]"
            ".map((control) => parseFloat(getComputedStyle(control).fontSize))"
        )
        assert min(sizes) >= 16  # less, and an iPhone zooms in
        left = page.evaluate(
            "[...document.querySelectorAll('.cb-card')].filter((card) => card.offsetParent)"
            ".map((card) => card.getBoundingClientRect().left)"
        )
        assert len(set(left)) == 1
