"""What people see of roles in a browser: who did what, and nothing that they may not do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from access import EVERYTHING, Actor
from access.audit_entry import Action, AuditEntry, Kind
from alerts import AlertRequest
from alerts.alert import NewAlert
from simulator import SIMULATOR_ACCOUNT_SID
from tests.browser.test_activity import done
from tests.support.axe import nothing_found_by_axe
from tests.support.browser import PHONE, well_behaved_page
from tests.support.running_app import running_app
from tests.support.signing_in import BEN, PASSWORD, users_in
from tests.support.written_history import written_history

pytestmark = [pytest.mark.slow, pytest.mark.browser]

WIDE = {"width": 1320, "height": 860}
MAYA = Actor("Maya", EVERYTHING)
TEXT = AlertRequest("text", "+14125550122", "Lot 212 passed.", name="Clara Novak")


async def fill(file: Path) -> None:
    async with written_history(f"sqlite:///{file}", SIMULATOR_ACCOUNT_SID) as history:
        for number in range(60):
            name = f"Person {number}"
            entry = AuditEntry.by(
                MAYA, Action.SENT, Kind.ALERTS, name, f"a{number}", channel="call"
            )
            request = replace(TEXT, name=name, to=f"+1412555{number:04}")
            await history.add([NewAlert(f"a{number}", request, "+14125550100")], audit=entry)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("audit") / "history.sqlite"
    done(fill(made))
    return made


@pytest.fixture(scope="module")
def url(project: Path, file: Path) -> Iterator[str]:
    with running_app(project, DATABASE_URL=f"sqlite:///{file}") as opened:
        yield opened


def test_who_did_what_is_filtered_and_paged(browser: Browser, url: str) -> None:
    with well_behaved_page(browser, url, viewport=WIDE) as page:
        page.goto(f"{url}?page=activity")
        page.get_by_role("link", name="Who did what").click()
        expect(page.get_by_role("row")).to_have_count(51)
        assert "list=done" in page.url
        expect(page.get_by_role("link", name="Download as CSV")).to_have_attribute(
            "href", "audit.csv?list=done&zone=UTC"
        )
        page.get_by_role("link", name="Older").click()
        expect(page.get_by_text("51–60")).to_be_visible()
        page.get_by_role("searchbox").fill("person 59")
        expect(page.get_by_role("row")).to_have_count(2)
        page.get_by_label("About what").select_option("Rules")
        expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
        page.get_by_role("link", name="Clear filters").click()
        expect(page.get_by_role("row")).to_have_count(51)
        page.get_by_role("link", name="Sent an alert to Person 58", exact=True).click()
        expect(page.get_by_role("heading", name="Person 58")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("link", name="Who did what")).to_have_attribute(
            "aria-current", "page"
        )


@pytest.mark.parametrize(
    ("viewport", "dark"), [(WIDE, False), (PHONE, True)], ids=["desktop light", "phone dark"]
)
def test_axe_finds_nothing(
    browser: Browser, url: str, viewport: dict[str, int], dark: bool
) -> None:
    with well_behaved_page(browser, url, viewport=viewport, dark=dark) as page:
        page.goto(f"{url}?page=activity&list=done")
        expect(page.get_by_role("row").first).to_be_attached()
        expect(page.get_by_text("Sent an alert to Person 59")).to_be_visible()
        nothing_found_by_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_who_may_only_look_is_offered_nothing_else(
    browser: Browser, project: Path, file: Path, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{file}",
        "USERS_FILE": str(users_in(tmp_path, BEN).path),
        **dict.fromkeys(("SENDERS", "RULE_WRITERS", "ADMINS"), ","),
    }
    with (
        running_app(project, **settings) as url,
        well_behaved_page(browser, url, viewport=WIDE) as page,
    ):
        page.get_by_label("Name").fill(BEN)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".send-page").get_by_text("You may look, but not")).to_be_visible()
        expect(page.get_by_role("button", name="Call")).to_have_count(0)
        page.get_by_role("tab", name="People").click()
        expect(page.get_by_role("heading", name="Nobody is here yet")).to_be_visible()
        for name in ("Add a person", "Import from CSV", "New group"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        page.get_by_role("tab", name="Rules").click()
        expect(page.locator(".rules-page").get_by_text("You may not change rules")).to_be_visible()
        expect(page.get_by_role("link", name="New rule")).to_have_count(0)
        expect(page.get_by_text("Start from an example")).to_be_hidden()
        page.get_by_role("tab", name="Setup").click()
        expect(page.get_by_text("Only an administrator sees what the checks")).to_be_visible()
        for name in ("Check again", "Call my own phone"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        page.get_by_role("tab", name="Activity").click()
        expect(page.get_by_role("link", name="Person 59")).to_be_visible()
        expect(page.get_by_role("link", name="Who did what")).to_have_count(0)
