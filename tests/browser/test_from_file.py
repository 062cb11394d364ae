"""A broadcast from a file in the page: chosen, mended, and sent with each row's own words."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import nothing_found_by_axe
from tests.support.browser import PHONE, well_behaved_page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

WIDE = {"width": 1320, "height": 860}
ROWS = (
    "Name;Office;Mobile;Lot number\r\n"
    "Ben Adeyemi;(412) 555-0106;(412) 555-0106;1407\r\n"
    "Clara Novák;412 555 01;412-555-0104;1408\r\n"
    "Joe Whitfield;412-555-0102;412-555-0101;1409\r\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "ironbridge.csv").write_text(ROWS, encoding="cp1252")
    return tmp_path / "ironbridge.csv"


def choose(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="From a file…").click()
    chooser.value.set_files(file)
    expect(page.get_by_text("3 rows in ironbridge.csv")).to_be_visible()


def without_faults(page: Page) -> None:
    nothing_found_by_axe(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_each_row_hears_its_own_words(browser: Browser, simulation: str, file: Path) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        page.fill("#send-phone_number", "412 857 4309")
        choose(page, file)
        expect(page.locator("#send-phone_number")).to_be_hidden()
        rows = page.locator("#send-recipients li")
        expect(rows).to_have_count(3)
        expect(rows.nth(1)).to_contain_text("Row 3")
        expect(rows.nth(1)).to_contain_text("Too few digits")
        page.fill("#send-message", "Lot  is off, .")
        # The variables come to where the caret is.
        page.locator("#send-message").evaluate("(box) => box.setSelectionRange(4, 4)")
        page.get_by_role("button", name="{{ lot_number }}").click()
        page.locator("#send-message").evaluate(
            "(box) => box.setSelectionRange(box.value.length - 1, box.value.length - 1)"
        )
        page.get_by_role("button", name="{{ name }}").click()
        words = "Lot {{ lot_number }} is off, {{ name }}."
        expect(page.locator("#send-message")).to_have_value(words)
        expect(page.locator("#send-words")).to_have_text("Lot 1407 is off, Ben Adeyemi.")
        page.get_by_role("button", name="Call 2 people now").click()
        refusal = page.locator("#send-send_refusal")
        expect(refusal).to_contain_text("Row 3 (412 555 01): Too few digits")
        without_faults(page)
        page.get_by_label("Number from").select_option("Mobile")
        expect(rows.locator(".problem")).to_have_count(0)
        expect(page.locator("#send-words")).to_have_text("Lot 1407 is off, Ben Adeyemi.")
        page.get_by_label("As heard by").select_option("Clara Novák")
        expect(page.locator("#send-words")).to_have_text("Lot 1408 is off, Clara Novák.")
        page.get_by_role("button", name="Call 3 people now").click()
        told = page.locator(".people .person")
        expect(told).to_have_count(3)
        people = (("Ben Adeyemi", "1407"), ("Clara Novák", "1408"), ("Joe Whitfield", "1409"))
        for place, (person, lot) in enumerate(people):
            row = told.nth(place)
            if place:  # the first is open
                row.locator("summary").click()
            expect(row.get_by_text(f"Lot {lot} is off, {person}.")).to_be_visible()
        without_faults(page)
        # Without the file, what was typed is there again.
        page.get_by_role("button", name="Leave the file out").click()
        expect(page.locator("#send-phone_number")).to_have_value("412 857 4309")
        expect(page.locator("#send-phone_number")).to_be_focused()
        expect(page.get_by_role("button", name="Send test call")).to_be_visible()
        expect(page.locator("#send-recipients li")).to_have_count(1)


@pytest.mark.parametrize(
    ("viewport", "dark"), [(WIDE, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing(
    browser: Browser, simulation: str, file: Path, viewport: dict[str, int], dark: bool
) -> None:
    with well_behaved_page(browser, simulation, viewport=viewport, dark=dark) as page:
        expect(page.get_by_role("button", name="Send test call")).to_be_visible()
        page.get_by_role("button", name="From a file…").click()
        expect(page.get_by_text("A CSV file whose first row")).to_be_visible()
        without_faults(page)
        page.locator("#send-file").set_input_files(file)
        expect(page.locator("#send-recipients .bad")).to_be_visible()
        without_faults(page)
        file.write_bytes(b"PK\x03\x04")
        page.locator("#send-file").set_input_files(file)
        expect(page.get_by_text("This is an Excel workbook")).to_be_visible()
        without_faults(page)


def test_a_file_that_is_too_large_is_not_sent_to_the_server(
    browser: Browser, simulation: str, tmp_path: Path
) -> None:
    large = tmp_path / "all.csv"
    large.write_bytes(b"x" * 20_000_001)
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        page.locator("#send-file").set_input_files(large)
        expect(page.get_by_text("This file is larger than 20 MB.")).to_be_visible()
        page.get_by_role("button", name="Leave the file out").click()
        expect(page.locator("#send-phone_number")).to_be_visible()
        page.get_by_role("tab", name="People").click()
        page.get_by_role("button", name="Import").first.click()
        page.locator("#people-file").set_input_files(large)
        sheet = page.get_by_role("dialog")
        expect(sheet.get_by_text("This file is larger than 20 MB.")).to_be_visible()


def test_a_lost_connection_asks_for_the_file_again(
    browser: Browser, simulation: str, file: Path
) -> None:
    lost = "Choose the file again: the connection was lost."
    # Shiny's own notice of it has a handler that no page may run, of which the console tells.
    with closing(browser.new_context(viewport={"width": 1320, "height": 860})) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(simulation)
        page.wait_for_function("() => window.Shiny?.shinyapp?.isConnected?.()")
        choose(page, file)
        page.evaluate("() => window.Shiny.shinyapp.$socket.close()")
        expect(page.get_by_text(lost)).to_be_visible()
        expect(page.get_by_text("3 rows in ironbridge.csv")).to_have_count(0)
        nothing_found_by_axe(page)
        page.locator("#send-file").set_input_files(file)
        expect(page.get_by_text("3 rows in ironbridge.csv")).to_be_visible()
        expect(page.get_by_text(lost)).to_have_count(0)
        page.get_by_role("button", name="Leave the file out").click()
        page.get_by_role("tab", name="People").click()
        page.get_by_role("button", name="Import").first.click()
        page.locator("#people-file").set_input_files(file)
        expect(page.get_by_text("What goes where")).to_be_visible()
        page.evaluate("() => window.Shiny.shinyapp.$socket.close()")
        sheet = page.get_by_role("dialog")
        expect(sheet.get_by_text(lost)).to_be_visible()
        expect(sheet.get_by_text("What goes where")).to_have_count(0)
