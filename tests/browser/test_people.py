"""The People page in a browser: from a file to people who can be written to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import nothing_found_by_axe
from tests.support.browser import PHONE, well_behaved_page
from tests.support.running_app import running_app

pytestmark = pytest.mark.browser

WIDE = {"width": 1320, "height": 860}
FILE = (
    "full_name;mobile;site;lang;notes\r\n"
    "Nora Lindqvist;412 555 0171;Brewhouse 2;en;on leave in May\r\n"
    "Ivo Brandt;412 555 014;;;\r\n"
    "Paul Achebe;412 555 0176;Brewhouse 2;;\r\n"
    "P. Achebe;412 555 0176;;;\r\n"
)


@pytest.fixture
def app(project: Path) -> Iterator[str]:
    """An app with nobody in it."""
    with running_app(project) as url:
        yield url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "team.csv").write_text(FILE, encoding="cp1252")
    return tmp_path / "team.csv"


def open_people(page: Page) -> None:
    page.get_by_role("tab", name="People").click()
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_visible()


def import_file(page: Page, file: Path) -> None:
    page.get_by_role("button", name="Import").first.click()
    page.locator("#people-file").set_input_files(file)
    expect(page.get_by_text("rows need a look")).to_be_visible()


def without_faults(page: Page) -> None:
    nothing_found_by_axe(page)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide


@pytest.mark.slow
@pytest.mark.parametrize(
    ("viewport", "dark"), [(WIDE, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing(
    browser: Browser, app: str, file: Path, viewport: dict[str, int], dark: bool
):
    with well_behaved_page(browser, app, viewport=viewport, dark=dark) as page:
        open_people(page)
        expect(page.get_by_text("Nobody is here yet")).to_be_visible()
        without_faults(page)
        import_file(page, file)
        without_faults(page)
        page.get_by_role("button", name="Add 2 people").click()
        expect(page.locator(".import-file")).to_be_visible()
        page.get_by_role("button", name="Close").click()
        page.get_by_label("Choose Nora Lindqvist").check()
        expect(page.get_by_role("button", name="Write to 1 person…")).to_be_visible()
        without_faults(page)
        page.get_by_role("button", name="Nora Lindqvist", exact=True).click()
        page.get_by_label("Number", exact=True).fill("412")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".feedback.bad")).to_contain_text("Too few digits")
        expect(page.get_by_label("Number", exact=True)).to_be_focused()
        without_faults(page)


@pytest.mark.slow
def test_a_file_is_fixed_in_place_and_imported(browser: Browser, app: str, file: Path):
    with well_behaved_page(browser, app, viewport=WIDE) as page:
        open_people(page)
        import_file(page, file)
        sheet = page.get_by_role("dialog")
        expect(sheet.get_by_label("lang goes to")).to_have_value("language")
        fix = sheet.get_by_label("Number of Ivo Brandt, row 3")
        expect(fix).to_have_attribute("aria-invalid", "true")
        fix.fill("412 555 0140")
        fix.press("Enter")
        expect(sheet.get_by_text("1 row needs a look")).to_be_visible()
        sheet.get_by_role("button", name="Merge with Paul Achebe").click()
        expect(sheet.get_by_text("need a look")).to_have_count(0)
        sheet.get_by_label("notes goes to").select_option("Leave out")
        sheet.get_by_role("button", name="Add 3 people").click()
        expect(sheet).to_have_count(0)
        expect(page.get_by_role("status").filter(has_text="3 people added.")).to_be_visible()
        expect(page.get_by_role("button", name="Brewhouse 2 2")).to_be_visible()
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Export everybody to CSV").click()
        exported = downloading.value.path().read_bytes().decode("utf-8-sig")
        assert "Nora Lindqvist,tel:+1-412-555-0171,,,Brewhouse 2,en-US,," in exported


def test_a_person_is_added_chosen_and_removed(browser: Browser, app: str):
    with well_behaved_page(browser, app, viewport=WIDE) as page:
        open_people(page)
        page.get_by_role("button", name="Add a person").last.click()
        page.get_by_role("textbox", name="Name").fill("Kaito Mori")
        page.get_by_label("Number", exact=True).fill("808 555 0173")
        page.get_by_role("textbox", name="Groups").fill("Night shift")
        page.get_by_role("textbox", name="Groups").press("Enter")
        row = page.get_by_role("row").filter(has_text="Kaito Mori")
        expect(row).to_contain_text("+1 808-555-0173")
        clock = "{timeZone: 'Pacific/Honolulu', hour: '2-digit', hourCycle: 'h23'}"
        there = page.evaluate(f"new Date().toLocaleTimeString('en-GB', {clock})")
        expect(row).to_contain_text(f"{there}:")
        page.evaluate(
            "Shiny.addCustomMessageHandler('callboard-open-send', ({to}) => { window.to = to; })"
        )
        page.get_by_label("Choose Kaito Mori").check()
        page.get_by_role("button", name="Write to 1 person…").click()
        page.wait_for_function("() => window.to === 'Kaito Mori'")
        page.get_by_label("Search people").fill("nobody")
        expect(page.get_by_text("Nobody matches “nobody”.")).to_be_visible()
        page.get_by_role("button", name="Show everybody").click()
        expect(page.get_by_label("Search people")).to_have_value("")
        expect(page.get_by_label("Choose Kaito Mori")).to_be_checked()
        row.get_by_role("button", name="Kaito Mori", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Remove…").click()
        expect(page.get_by_role("heading", name="Remove Kaito Mori?")).to_be_visible()
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_text("Nobody is here yet")).to_be_visible()
