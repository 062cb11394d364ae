"""An alert in the page, in Chromium: its options, canceling it, and finding it again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from alerts import Event, Status
from alerts.alert import NewAlert
from alerts.history import History
from database.database import Database
from simulator import SIMULATOR_ACCOUNT_SID
from tests.support.alerts_by_hand import CALL, CALLER, steps
from tests.support.browser import well_behaved_page
from tests.support.running_app import running_app

pytestmark = pytest.mark.browser

PILL = "#send-progress .cb-pill"
PROGRESS = "#send-progress"


@pytest.fixture
def page(browser: Browser, simulation: str) -> Iterator[Page]:
    with well_behaved_page(browser, simulation) as page:
        yield page


def write(page: Page, number: str) -> None:
    page.fill("#send-phone_number", number)
    expect(page.locator("#send-recipients .good")).to_be_visible()


def send(page: Page, number: str) -> None:
    write(page, number)
    page.locator("#send-send_test_call").click()


def open_if_nobody_answers(page: Page) -> None:
    page.locator(".if-nobody-answers summary").click()


def test_a_key_press_acknowledges(page: Page) -> None:
    page.get_by_label("Ask them to press 1").check()
    expect(page.locator("#send-twiml_preview")).to_contain_text("<Gather")
    expect(page.locator("#send-words")).to_contain_text("Press 1")
    send(page, "412 857 4309")
    page.get_by_role("button", name="Answer").click()
    # A key that is pressed before they are connected is lost.
    expect(page.locator(PILL)).to_have_text(re.compile("On the line"))
    expect(page.locator(PROGRESS)).to_contain_text("They press 1")
    page.get_by_role("button", name="7", exact=True).click()
    expect(page.locator(PROGRESS)).to_contain_text("Pressed 7 (not 1)")
    page.get_by_role("button", name="1", exact=True).click()
    expect(page.locator(PILL)).to_have_text(re.compile("Confirmed"))
    expect(page.locator(".timeline .reached")).to_contain_text("Pressed 1")


@pytest.mark.slow
def test_a_second_try_and_then_a_text(page: Page) -> None:
    open_if_nobody_answers(page)
    page.get_by_label("Try again").select_option("Once more")
    page.get_by_label("Minutes apart").fill("0")
    page.get_by_label("Then text them the same").check()
    expect(page.locator(".if-nobody-answers summary")).to_contain_text("2 tries · then a text")
    send(page, "412 555 0101")
    expect(page.locator(PROGRESS)).to_contain_text("Try 2 of 3")
    expect(page.locator(PILL)).to_have_text(re.compile("Delivered"))
    words = page.locator(".timeline .words").all_inner_texts()
    assert words[:4] == [
        "Saved",
        "Try 1 to +1 412-555-0101: The line was busy",
        "Try 2 to +1 412-555-0101: The line was busy",
        "Try 3 of 3: a text",
    ]


@pytest.mark.slow
def test_a_problem_in_the_folded_part_is_shown_where_it_is(page: Page) -> None:
    open_if_nobody_answers(page)
    page.get_by_label("Then try these people").fill("412 555 0106, 12")
    expect(page.locator("#send-then_to")).to_have_attribute("aria-invalid", "true")
    open_if_nobody_answers(page)
    expect(page.locator("#send-then_to")).to_be_hidden()
    send(page, "412 857 4309")
    expect(page.get_by_role("alert").first).to_contain_text("Too few digits")
    expect(page.locator("#send-then_to")).to_be_focused()


@pytest.mark.slow
def test_without_a_public_url_the_key_press_is_off_and_says_why(
    browser: Browser, project: Path
) -> None:
    account = {
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "anything",
        "TWILIO_FROM_NUMBER": "+17248675309",
        "TWILIO_BASE_URL": "http://127.0.0.1:9",
    }
    with running_app(project, **account) as url, well_behaved_page(browser, url) as page:
        expect(page.get_by_text("Needs PUBLIC_URL")).to_be_visible()
        expect(page.get_by_label("Ask them to press 1")).to_be_disabled()


@pytest.mark.slow
def test_waiting_for_the_next_try_is_canceled(page: Page) -> None:
    open_if_nobody_answers(page)
    page.get_by_label("Try again").select_option("Once more")
    expect(page.locator(".if-nobody-answers summary")).to_contain_text("2 tries, 5 minutes apart")
    send(page, "412 555 0101")
    expect(page.locator(".timeline .waiting")).to_have_text(re.compile(r"Try 2 comes at \d\d:\d\d"))
    expect(page.locator(PILL)).to_have_class(re.compile("wait"))
    page.get_by_role("button", name="Cancel this alert").click()
    expect(page.locator(PILL)).to_have_text("Canceled")
    expect(page.locator(".timeline .waiting")).to_contain_text("Canceled by")
    expect(page.get_by_role("button", name="Send again")).to_be_visible()


@pytest.mark.slow
def test_a_call_that_rings_is_canceled(page: Page) -> None:
    send(page, "412 857 4309")
    expect(page.locator(".handset")).to_have_attribute("data-phase", "ringing")
    page.get_by_role("button", name="Cancel this call").click()
    expect(page.locator(PILL)).to_have_text("Canceled")
    expect(page.locator("#send-story")).to_be_focused()
    expect(page.locator(".handset")).to_have_attribute("data-phase", "over")


@pytest.mark.slow
def test_a_page_loaded_again_rings_again(page: Page) -> None:
    send(page, "412 857 4309")
    expect(page.locator(".handset")).to_have_attribute("data-phase", "ringing")
    expect(page).to_have_url(re.compile(r"\?alert=[0-9a-f]{16}$"))
    page.reload()
    expect(page.locator(PILL)).to_have_text("Ringing")
    expect(page.locator(".handset")).to_have_attribute("data-phase", "ringing")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator(PILL)).to_have_text(re.compile("Reached"))
    page.reload()
    expect(page.locator(PILL)).to_have_text(re.compile("Reached"))
    expect(page.locator(".timeline li").last).to_contain_text("Call ended")


@pytest.mark.slow
def test_an_address_with_an_unknown_alert_says_so(page: Page, simulation: str) -> None:
    page.goto(f"{simulation}?alert=nobody-sent-this")
    expect(page.locator(PROGRESS)).to_contain_text("No alert has this id.")
    send(page, "412 555 0106")
    expect(page.locator(PILL)).to_have_text(re.compile("Reached"))
    expect(page).not_to_have_url(re.compile("nobody"))


@pytest.mark.slow
def test_an_app_that_restarts_still_knows_the_alert(browser: Browser, project: Path) -> None:
    history = {"DATABASE_URL": f"sqlite:///{project / 'restarted.sqlite'}"}
    with running_app(project, **history) as url, well_behaved_page(browser, url) as page:
        send(page, "412 555 0101")
        expect(page.locator(PILL)).to_have_text("Busy")
        expect(page).to_have_url(re.compile("alert="))
        query = page.url.partition("?")[2]
    with running_app(project, **history) as url, well_behaved_page(browser, url) as page:
        page.goto(f"{url}?{query}")
        expect(page.locator(PILL)).to_have_text("Busy")
        page.get_by_role("button", name="Send again…").click()
        expect(page.locator("#send-phone_number")).to_have_value("+1 412-555-0101")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        page.locator("#send-send_test_call").click()
        expect(page).not_to_have_url(re.compile(query))
        expect(page.locator(PROGRESS)).to_contain_text("Ringing +1 412-555-0101")
        expect(page.locator(PILL)).to_have_text("Busy")


@pytest.mark.slow
def test_what_nobody_can_tell_is_sent_again_only_by_a_person(
    browser: Browser, project: Path, tmp_path: Path
) -> None:
    history = f"sqlite:///{tmp_path / 'callboard.sqlite'}"
    # In a thread, because Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor() as thread:
        thread.submit(asyncio.run, write_down_unknown(history, "nobody-can-tell")).result()
    with (
        running_app(project, DATABASE_URL=history) as url,
        well_behaved_page(browser, url) as page,
    ):
        page.goto(f"{url}?alert=nobody-can-tell")
        expect(page.locator(PILL)).to_have_text("Not known whether it was sent")
        expect(page.locator(PILL)).to_have_class(re.compile("wait"))
        expect(page.locator(".explanation")).to_contain_text("may ring them twice")
        page.get_by_role("button", name="Send again…").click()
        expect(page.locator("#send-phone_number")).to_have_value("+1 412-555-0106")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        page.locator("#send-send_test_call").click()
        expect(page.locator(PILL)).to_have_text(re.compile("Reached"))
        expect(page).not_to_have_url(re.compile("nobody"))


async def write_down_unknown(url: str, alert_id: str) -> None:
    """Write a history with an alert whose fate can't be learnt."""
    database = Database(url)
    await database.open()
    history = History(database, SIMULATOR_ACCOUNT_SID)
    request = replace(CALL, to="+14125550106")
    await history.add([NewAlert(alert_id, request, CALLER)])
    for fields in steps(Status.SENDING, Status.UNKNOWN):
        await history.record(alert_id, Event(datetime.now(UTC), **fields))
    await history.close()
    await database.close()
