"""The Rules page in a browser: from a query to a phone that rings, and why it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.axe import nothing_found_by_axe
from tests.support.browser import PHONE, well_behaved_page
from tests.support.running_app import running_app

pytestmark = pytest.mark.browser

WIDE = {"width": 1320, "height": 860}
QUERY = "SELECT batch, beer, diacetyl_pbb, phone\nFROM tastings\nWHERE diacetyl_ppb > limit_ppb"
RECORD_SPEECH = """
window.spoken = [];
window.speechSynthesis.speak = (utterance) => window.spoken.push(utterance.text);
// Until it is stopped; without this, the page finds after a while that there is no voice.
Object.defineProperty(window.speechSynthesis, "speaking", { get: () => true });
"""


@contextmanager
def app_on(project: Path, data: Path) -> Iterator[str]:
    with running_app(project, DATA_DIR=str(data)) as url:
        yield url


@pytest.fixture
def app(project: Path, tmp_path: Path) -> Iterator[str]:
    """An app without rules, on the example's data."""
    with app_on(project, tmp_path) as url:
        yield url


def append(data: Path, batch: int, ppb: int = 148, count: int = 1) -> None:
    """Let tastings come in; Ben's phone is one that a visitor answers."""
    file = data / "example" / "tastings.csv"
    file.parent.mkdir(exist_ok=True)
    heads = "batch,beer,diacetyl_ppb,limit_ppb,tasted_at,brewer,phone\n"
    now = datetime.now(UTC).isoformat(" ", "seconds")
    rows = [
        f"{batch + each},Pale ale,{ppb},100,{now},Ben Adeyemi,+14125550123\n"
        for each in range(count)
    ]
    with file.open("a") as opened:
        opened.write(("" if file.stat().st_size else heads) + "".join(rows))


def here(page: Page) -> Locator:
    """The Rules page alone: other pages have fields of the same names."""
    return page.locator(".rules-page")


def open_rules(page: Page) -> None:
    page.get_by_role("tab", name="Rules").click()
    expect(page.get_by_role("heading", name="Rules", exact=True)).to_be_visible()


def new_rule(page: Page, name: str) -> None:
    page.get_by_role("link", name="New rule").click()
    expect(here(page).get_by_label("Name", exact=True)).to_be_focused()
    here(page).get_by_label("Name", exact=True).fill(name)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def choose_recipients(page: Page) -> None:
    """Say what a row is known by, whom it is for, and what they hear."""
    here(page).get_by_label("Add a column that a row is known by").select_option("batch")
    expect(page.get_by_role("button", name="batch: remove")).to_be_visible()
    page.locator("#rules-to_column").select_option("phone")
    expect(here(page).get_by_text("Calls the number or name in")).to_be_visible()
    here(page).get_by_label("Message", exact=True).fill("Please hold back batch ")
    page.get_by_role("button", name="{{ batch }}").click()
    expect(page.locator(".bad-table .words").first).to_contain_text("Please hold back batch 13")


def turn_on(page: Page) -> None:
    button = page.get_by_role("button", name="Turn on", exact=True)
    expect(button).not_to_have_attribute("aria-disabled", "true")
    button.click()
    expect(page.get_by_role("heading", name="This rule is on")).to_be_visible()


def without_faults(page: Page) -> None:
    nothing_found_by_axe(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_from_a_query_to_a_phone_that_rings_and_why_it_did(
    browser: Browser, app: str, tmp_path: Path
):
    with well_behaved_page(browser, app, viewport=WIDE, script=RECORD_SPEECH) as page:
        open_rules(page)
        new_rule(page, "Too much diacetyl")
        here(page).get_by_label("Rows that are bad").click()
        page.keyboard.type(QUERY)
        # The mistake is said, marked at its line, and mended by its button.
        problem = page.locator("#rules-line-sql")
        expect(problem).to_contain_text("Line 1:")
        expect(page.locator(".pce-line.mistake")).to_have_attribute("data-line", "1")
        assert page.evaluate("CSS.highlights.get('sql-mistake').size") == 1
        expect(here(page).get_by_label("Rows that are bad")).to_have_attribute(
            "aria-invalid", "true"
        )
        expect(page.locator("#rules-why")).to_have_text("Line 1 needs a fix first.")
        page.get_by_role("button", name="Use diacetyl_ppb").click()
        expect(problem).to_contain_text("Reads 7 rows")
        expect(here(page).get_by_label("Rows that are bad")).to_have_value(
            QUERY.replace("diacetyl_pbb", "diacetyl_ppb")
        )
        choose_recipients(page)
        here(page).get_by_label("Check", exact=True).select_option("every 10 seconds")
        expect(page.get_by_role("heading", name="Bad now: 7 rows")).to_be_visible()
        page.get_by_role("button", name="Listen").first.click()
        expect(page.get_by_role("button", name="Stop", exact=True).first).to_be_visible()
        assert "Please hold back batch 1304" in page.evaluate("window.spoken")[0]
        page.get_by_role("button", name="Stop", exact=True).first.click()
        expect(page.locator(".month")).to_contain_text("in the last 30 days")
        expect(page.locator(".saved")).to_contain_text("Draft, saved")
        turn_on(page)
        # What was bad already stays silent; a row that comes now calls.
        expect(page.locator(".episodes")).to_contain_text("1304")
        append(tmp_path, 1600)
        phone = page.get_by_role("complementary", name="Simulated phone")
        expect(phone).to_have_attribute("data-phase", "ringing")
        phone.get_by_role("button", name="Answer").click()
        expect(phone.locator(".captions")).to_contain_text("Please hold back batch 1600")
        phone.get_by_role("button", name="Hang up").click()
        # Activity says why, and leads back.
        page.get_by_role("link", name="Its alerts in Activity").click()
        expect(page.locator(".activity-page .row-link")).to_have_count(1)
        page.locator(".activity-page .row-link").click()
        expect(page.locator(".opened")).to_contain_text("The rule Too much diacetyl")
        expect(page.locator(".opened")).to_contain_text("1600")
        page.locator(".opened").get_by_role("link", name="Too much diacetyl").click()
        expect(page.get_by_role("heading", name="This rule is on")).to_be_visible()


@pytest.mark.slow
def test_the_way_without_sql_and_a_flood_that_waits_for_a_person(
    browser: Browser, app: str, tmp_path: Path
):
    with well_behaved_page(browser, app, viewport=WIDE) as page:
        open_rules(page)
        new_rule(page, "Too much diacetyl")
        here(page).get_by_label("Without SQL").check()
        here(page).get_by_label("Column", exact=True).select_option("diacetyl_ppb")
        here(page).get_by_label("Comparison").select_option("is over")
        here(page).get_by_label("Compared with").select_option("limit_ppb")
        expect(page.get_by_role("heading", name="Bad now: 7 rows")).to_be_visible()
        here(page).get_by_text("The SQL this writes").click()
        expect(page.locator(".written-sql")).to_have_text(
            "SELECT *\nFROM tastings\nWHERE diacetyl_ppb > limit_ppb"
        )
        choose_recipients(page)
        here(page).get_by_label("Check", exact=True).select_option("every 10 seconds")
        turn_on(page)
        page.get_by_role("link", name="Rules", exact=True).click()
        expect(page.get_by_role("switch", name="Too much diacetyl")).to_be_checked()
        append(tmp_path, 1700, count=14)
        expect(page.get_by_role("heading", name="14 new at once")).to_be_visible()
        expect(page.get_by_role("tab", name="Rules")).to_contain_text("1 waits for you")
        without_faults(page)
        page.get_by_role("button", name="Choose…").click()
        here(page).get_by_label("1700").check()
        page.get_by_role("button", name="Call about those chosen").click()
        expect(page.locator(".rules-said")).to_contain_text("1 row is told now.")
        expect(page.locator(".held")).to_have_count(0)
        phone = page.get_by_role("complementary", name="Simulated phone")
        expect(phone).to_have_attribute("data-phase", "ringing")
        phone.get_by_role("button", name="Decline").click()
        # Off by its switch.
        page.get_by_role("switch", name="Too much diacetyl").uncheck()
        expect(page.locator(".rules-table")).to_contain_text("Off since")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("viewport", "dark"), [(WIDE, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing(browser: Browser, app: str, viewport: dict[str, int], dark: bool):
    with well_behaved_page(browser, app, viewport=viewport, dark=dark) as page:
        open_rules(page)
        expect(here(page).get_by_text("Start from this").first).to_be_visible()
        without_faults(page)
        page.get_by_role("link", name="Start from this: Diacetyl above limit").click()
        expect(page.get_by_role("heading", name="Bad now: 7 rows")).to_be_visible()
        expect(page.locator(".month-chart")).to_be_visible()
        without_faults(page)
        for each in ("How it calls", "Afterwards, and trouble"):
            here(page).get_by_text(each).click()
        here(page).get_by_label("Reminders", exact=True).fill("9")
        expect(page.locator("#rules-line-reminders .bad")).to_be_visible()
        without_faults(page)
        here(page).get_by_label("Reminders", exact=True).fill("1")
        here(page).get_by_label("Rows that are bad").fill("SELECT bach FROM tastings")
        expect(page.locator("#rules-line-sql .bad")).to_be_visible()
        without_faults(page)
        here(page).get_by_label("Without SQL").check()
        here(page).get_by_label("Comparison").select_option("jumps by more than")
        expect(here(page).get_by_label("Percent")).to_be_visible()
        without_faults(page)
        here(page).get_by_label("Comparison").select_option("is over")
        here(page).get_by_label("Column", exact=True).select_option("diacetyl_ppb")
        here(page).get_by_label("Value", exact=True).fill("100")
        expect(page.get_by_role("heading", name="7 rows are bad already")).to_be_visible()
        here(page).get_by_label("Choose which to call about…").check()
        expect(here(page).get_by_label("All of them")).to_be_visible()
        without_faults(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Versions").click()
        expect(here(page).get_by_text("first saved")).to_be_visible()
        without_faults(page)
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Rules", exact=True).click()
        expect(page.locator(".rules-table")).to_contain_text("Draft")
        without_faults(page)


@pytest.mark.slow
def test_no_width_scrolls_sideways(browser: Browser, app: str):
    with well_behaved_page(browser, app, viewport=WIDE) as page:
        open_rules(page)
        page.get_by_role("link", name="Start from this: Diacetyl above limit").click()
        expect(page.get_by_role("heading", name="Bad now: 7 rows")).to_be_visible()
        expect(page.locator(".saved")).to_contain_text("Draft, saved")
        here(page).get_by_text("How it calls").click()
        for address in (page.url, f"{app}?page=rules"):
            page.goto(address)
            expect(page.locator(".rules-page .row-link, .bad-table").first).to_be_visible()
            for width in (320, 360, 390, 480, 600, 760, 768, 900, 1024, 1180, 1320, 1600, 1920):
                page.set_viewport_size({"width": width, "height": 860})
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{address} at {width}: {wide} px too wide"


@pytest.mark.slow
def test_an_upload_becomes_a_source_of_the_editor(browser: Browser, app: str, tmp_path: Path):
    (tmp_path / "Cellar temps.csv").write_text("tank;temp_c\nT1;4,5\nT2;7,1\n")
    with well_behaved_page(browser, app, viewport=WIDE) as page:
        open_rules(page)
        new_rule(page, "Warm tanks")
        page.get_by_role("button", name="Upload a file…").click()
        page.locator("#rules-file").set_input_files(tmp_path / "Cellar temps.csv")
        expect(here(page).get_by_text("temp_c (double)")).to_be_visible()
        without_faults(page)
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#rules-source")).to_have_value("cellar_temps")
        page.get_by_role("button", name="temp_c").click()
        expect(here(page).get_by_label("Rows that are bad")).to_have_value("temp_c")
