"""The Activity page in a browser: filters in the address, news, and the open alert."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from alerts import AlertRequest, Event, Status
from database.database import Database
from rules.rule import Rule
from rules.saved_rules import SavedRules
from simulator import SIMULATOR_ACCOUNT_SID
from tests.support.axe import nothing_found_by_axe
from tests.support.browser import PHONE, well_behaved_page
from tests.support.running_app import running_app
from tests.support.written_history import broadcast, move, write, write_with_sid, written_history

pytestmark = pytest.mark.browser

WIDE = {"width": 1320, "height": 860}
BEN = AlertRequest(
    "call", "+14125550121", "Batch 1407 is off.", name="Ben Adeyemi", user="Maya", acknowledge=True
)
CLARA = AlertRequest("text", "+14125550122", "Lot 212 passed.", name="Clara Novak", user="Ines")
SID = "CA" + "0a" * 16


def done(work: Coroutine[Any, Any, None]) -> None:
    """Run it beside Playwright, which keeps this thread's event loop."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


class Written:
    """The app on a history that the test writes."""

    def __init__(self, url: str, file: Path) -> None:
        self.url = url
        self._file = file

    def add(self, alert_id: str, request: AlertRequest, *statuses: Status) -> None:
        async def work() -> None:
            async with written_history(f"sqlite:///{self._file}", SIMULATOR_ACCOUNT_SID) as history:
                await write(history, alert_id, request, *statuses)

        done(work())


async def fill(file: Path) -> None:
    async with written_history(f"sqlite:///{file}", SIMULATOR_ACCOUNT_SID) as history:
        for number in range(40):
            request = replace(BEN, name=f"Person {number}", to=f"+1412555{2000 + number}")
            await write(history, f"old-{number}", request, Status.CANCELED)
            before = datetime.now(UTC) - timedelta(hours=3, minutes=number)
            await move(history, f"old-{number}", before)
        await broadcast(history, "b1", "Batch 1407", [BEN] * 3, "Maya")
        for number in range(3):
            await history.record(
                f"b1-{number}", Event(datetime.now(UTC), Status.ACKNOWLEDGED, "Pressed 1")
            )
        await write_with_sid(history, "ben", BEN, SID)
        await history.record("ben", Event(datetime.now(UTC), Status.ACKNOWLEDGED, "Pressed 1"))
        await write(history, "clara", CLARA, Status.SENDING, Status.PLACED, Status.DELIVERED)
    database = Database(f"sqlite:///{file}")
    await database.open()
    # Where there are rules they can be chosen among, too.
    rule = Rule(name="Diacetyl of a batch above its limit for a day")
    await SavedRules(database, SIMULATOR_ACCOUNT_SID).save(rule, "Ann")
    await database.close()


@pytest.fixture(scope="module")
def written(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    file = tmp_path_factory.mktemp("activity") / "history.sqlite"
    done(fill(file))
    with running_app(project, DATABASE_URL=f"sqlite:///{file}") as url:
        yield Written(url, file)


def row(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_filters_live_in_the_address(browser: Browser, written: Written) -> None:
    with well_behaved_page(browser, written.url, viewport=WIDE) as page:
        page.get_by_role("tab", name="Activity").click()
        expect(row(page, "Clara Novak")).to_contain_text("Delivered")
        assert "page=activity" in page.url
        page.get_by_role("button", name="Confirmed").click()
        expect(row(page, "Clara Novak")).to_have_count(0)
        expect(page.get_by_role("button", name="Confirmed")).to_have_attribute(
            "aria-pressed", "true"
        )
        assert "status=confirmed" in page.url
        page.get_by_role("searchbox").fill("clara")
        expect(page.get_by_role("heading", name="No alert matches")).to_be_visible()
        copied = page.url
        page.go_back()
        page.go_back()
        expect(page.get_by_role("link", name="Batch 1407")).to_be_visible()
        expect(page.get_by_role("searchbox")).to_have_value("")
        page.goto(copied)
        expect(page.get_by_role("searchbox")).to_have_value("clara")
        page.get_by_role("link", name="Clear filters").click()
        expect(row(page, "Clara Novak")).to_be_visible()
        page.get_by_label("Sender").select_option("Maya")
        expect(row(page, "Clara Novak")).to_have_count(0)
        page.get_by_role("tab", name="Send").click()
        expect(page.locator("#send-phone_number")).to_be_visible()
        assert "page=" not in page.url
        page.go_back()
        expect(row(page, "Ben Adeyemi")).to_be_visible()


@pytest.mark.slow
def test_older_and_newer(browser: Browser, written: Written) -> None:
    with well_behaved_page(browser, written.url, viewport=WIDE) as page:
        page.goto(f"{written.url}?page=activity&status=canceled")
        expect(page.get_by_text("1–25 of 40")).to_be_visible()
        page.get_by_role("link", name="Older").click()
        expect(page.get_by_text("26–40 of 40")).to_be_visible()
        expect(row(page, "Person 39")).to_be_visible()
        page.get_by_role("link", name="Newer").click()
        expect(page.get_by_text("1–25 of 40")).to_be_visible()
        expect(row(page, "Person 0")).to_be_visible()


@pytest.mark.slow
def test_an_alert_opens_beside_the_list_and_the_focus_goes_along(
    browser: Browser, written: Written
) -> None:
    with well_behaved_page(browser, written.url, viewport={"width": 1640, "height": 900}) as page:
        page.goto(f"{written.url}?page=activity&q={SID}")
        page.get_by_role("link", name="Ben Adeyemi").press("Enter")
        opened = page.get_by_role("complementary", name="The open alert")
        expect(opened.get_by_role("heading", name="Ben Adeyemi")).to_be_focused()
        expect(opened).to_contain_text("Batch 1407 is off.")
        expect(opened.get_by_text("CA0a0a…0a0a")).to_be_visible()
        opened.get_by_text("TwiML").click()
        expect(opened.locator("pre")).to_contain_text("<Say")
        assert "open=ben" in page.url
        page.keyboard.press("Escape")
        expect(opened).to_be_hidden()
        expect(page.get_by_role("link", name="Ben Adeyemi")).to_be_focused()
        page.go_back()
        expect(opened.get_by_role("heading", name="Ben Adeyemi")).to_be_visible()


@pytest.mark.slow
def test_news_come_without_reload_and_without_losing_the_place(
    browser: Browser, written: Written
) -> None:
    with well_behaved_page(browser, written.url, viewport=WIDE) as page:
        page.goto(f"{written.url}?page=activity&open=clara")
        page.get_by_role("link", name="Clara Novak").focus()
        details = page.locator(".activity-page .said")
        expect(details).to_have_text("Lot 212 passed.")
        page.evaluate("document.querySelector('.opened').mark = 1")
        page.evaluate("document.activeElement.closest('tr').mark = 1")
        name = f"Newcomer {time.time_ns()}"
        written.add("new", replace(CLARA, name=name), Status.CANCELED)
        expect(row(page, name)).to_contain_text("Canceled")
        # What was there is still the same element, and has the focus.
        expect(page.get_by_role("link", name="Clara Novak")).to_be_focused()
        assert page.evaluate("document.activeElement.closest('tr').mark") == 1
        assert page.evaluate("document.querySelector('.opened').mark") == 1


@pytest.mark.slow
def test_the_file_is_what_is_shown(browser: Browser, written: Written) -> None:
    with well_behaved_page(browser, written.url, viewport=WIDE) as page:
        page.goto(f"{written.url}?page=activity&by=Ines&status=reached")
        expect(row(page, "Clara Novak")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download as CSV").click()
        text = Path(download.value.path()).read_text(encoding="utf-8-sig")
        assert len(text.splitlines()) == 2
        assert "Lot 212 passed." in text


@pytest.mark.slow
def test_only_the_story_is_printed(browser: Browser, written: Written) -> None:
    with well_behaved_page(browser, written.url, viewport=WIDE) as page:
        page.goto(f"{written.url}?page=activity&open=ben")
        expect(page.locator(".activity-page .said")).to_be_visible()
        page.emulate_media(media="print")
        expect(page.locator(".activity-page .said")).to_be_visible()
        for hidden in (".navbar", ".activity-page .list", ".activity-page .ways-on", ".handset"):
            expect(page.locator(hidden)).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("viewport", "dark"), [(WIDE, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing(
    browser: Browser, written: Written, viewport: dict[str, int], dark: bool
) -> None:
    with well_behaved_page(browser, written.url, viewport=viewport, dark=dark) as page:
        for query, seen in (
            ("", ".activity-page table"),
            ("&open=ben", ".opened .said"),
            ("&broadcast=b1", ".of-broadcast"),
            ("&q=nowhere", ".no-match"),
            ("&when=custom&from=2026-11-01&to=2026-11-02", ".no-match"),
        ):
            page.goto(f"{written.url}?page=activity{query}")
            expect(page.locator(seen).first).to_be_visible()
            nothing_found_by_axe(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"]
            csv = page.get_by_role("link", name="Download as CSV").bounding_box()
            assert csv is not None
            assert csv["x"] + csv["width"] <= viewport["width"]


@pytest.mark.slow
def test_what_is_side_by_side_has_room(browser: Browser, written: Written) -> None:
    written.add("lost", BEN, Status.SENDING, Status.UNKNOWN)
    with well_behaved_page(browser, written.url, viewport=WIDE) as page:
        page.goto(f"{written.url}?page=activity")
        expect(page.locator(".tile")).to_have_count(6)
        for width in (1120, 1180, 1240, 1320, 1600):
            page.set_viewport_size({"width": width, "height": 860})
            parts = [".tile:last-child .word", ".cost .word", ".hours .word"]
            boxes = [page.locator(each).bounding_box() for each in parts]
            seen = [each for each in boxes if each]  # the hours need much room
            ends = [each["x"] + each["width"] for each in seen]
            starts = [*(each["x"] for each in seen[1:]), width]
            assert all(end < start for end, start in zip(ends, starts, strict=True)), width


@pytest.mark.slow
def test_before_the_first_alert(browser: Browser, project: Path) -> None:
    with (
        running_app(project) as url,
        well_behaved_page(browser, url, viewport=WIDE) as page,
    ):
        page.get_by_role("tab", name="Activity").click()
        expect(page.get_by_role("heading", name="Nothing sent yet")).to_be_visible()
        expect(page.get_by_role("searchbox")).to_be_hidden()
        nothing_found_by_axe(page)
        page.get_by_role("button", name="Write the first alert").click()
        expect(page.locator("#send-phone_number")).to_be_visible()
