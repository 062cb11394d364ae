"""The README's pictures, from the app itself: WRITE_PICTURES=1 writes them into docs/."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import well_behaved_page
from tests.support.running_app import PROJECT, running_app
from tests.support.seeded_history import PEOPLE, seed

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SIZE = {"width": 1320, "height": 900}
MAX_BYTES = 250_000


@pytest.fixture(scope="module")
def seeded(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a history with people and alerts in it."""
    file = tmp_path_factory.mktemp("pictures") / "history.sqlite"
    with ThreadPoolExecutor(1) as threads:  # Playwright keeps this thread's event loop
        threads.submit(asyncio.run, seed(file)).result()
    with running_app(project, DATABASE_URL=f"sqlite:///{file}") as url:
        yield url


@pytest.fixture
def page(browser: Browser, seeded: str) -> Iterator[Page]:
    with well_behaved_page(browser, seeded, viewport=SIZE) as page:
        yield page


def take_picture(page: Page, name: str) -> None:
    """Take it of the window, check it, and keep it if pictures are wanted."""
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(0, 0)
    picture = page.screenshot(animations="disabled")
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (SIZE["width"], SIZE["height"])
    assert 20_000 < len(picture) < MAX_BYTES
    if os.environ.get("WRITE_PICTURES"):
        (PROJECT / "docs" / name).write_bytes(picture)


def test_activity(page: Page) -> None:
    page.get_by_role("tab", name="Activity").click()
    expect(page.get_by_role("row").filter(has_text="Lot 212 passed.").first).to_be_visible()
    page.get_by_role("link", name="Kaito Mori").first.click()
    expect(page.get_by_role("heading", name="Kaito Mori")).to_be_visible()
    take_picture(page, "activity.png")


def test_people(page: Page) -> None:
    page.get_by_role("tab", name="People").click()
    for person in PEOPLE:
        expect(page.get_by_role("row").filter(has_text=person.name)).to_have_count(1)
    take_picture(page, "people.png")


def test_send(page: Page) -> None:
    page.fill("#send-phone_number", "Maya Ortiz, Clara Novak, Ben Adeyemi")
    expect(page.locator("#send-recipients .good")).to_have_count(3)
    page.fill("#send-message", "Batch 1407 shows signs of diacetyl. Please call the lab.")
    page.get_by_label("Ask them to press 1").check()
    page.select_option("#send-repeat", "1")
    expect(page.locator("#send-length")).to_contain_text("said once")
    page.get_by_role("button", name="Call 3 people now").click()
    phone = page.get_by_role("complementary", name="Simulated phone")
    phone.get_by_role("button", name="Answer").click()
    expect(page.locator("#send-headline")).to_have_text("1 of 3 confirmed")
    expect(phone.get_by_text("Waiting for a key.")).to_be_visible()
    take_picture(page, "send.png")
    phone.get_by_role("button", name="Hang up").click()
