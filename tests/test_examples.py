"""Each example as its own first lines tell people to run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import well_behaved_page
from tests.running_app import bare_environment, running_app


@pytest.mark.browser
def test_the_tutorials_app_calls(browser: Browser, project: Path) -> None:
    with (
        running_app(project, "examples/tutorial_app.py") as url,
        well_behaved_page(browser, url) as page,
    ):
        page.fill("#phone_number", "911")
        page.locator("#send_test_call").click()
        expect(page.locator("#outcome")).to_contain_text("emergency number")
        page.fill("#phone_number", "(412) 857-4309")
        expect(page.locator("#send_test_call")).to_be_enabled()
        page.locator("#send_test_call").click()
        expect(page.locator("#outcome")).to_contain_text("Twilio has it: CA")


def test_the_tutorials_app_is_short(project: Path) -> None:
    assert len((project / "examples/tutorial_app.py").read_text().splitlines()) < 60


@pytest.mark.browser
def test_the_send_page_works_inside_another_dashboard(browser: Browser, project: Path) -> None:
    with (
        running_app(project, "examples/embed.py") as url,
        well_behaved_page(browser, url) as page,
    ):
        page.select_option("#batch", "1407")
        expect(page.locator("#finding")).to_have_text("Batch 1407: diacetyl")
        page.get_by_role("tab", name="Call the brewer").click()
        page.fill("#brewer-phone_number", "412 555 0104")
        expect(page.locator("#brewer-number_feedback_line .good")).to_be_visible()
        expect(page.locator("#brewer-twiml_preview")).to_contain_text("<Response>")
        page.locator("#brewer-send_test_call").click()
        expect(page.locator("#brewer-progress .pill")).to_have_text("completed")


def test_the_batch_script_calls_everybody(project: Path) -> None:
    command = [sys.executable, "examples/batch.py", "Off.", "412 555 0104", "911", "412 555 0101"]
    ran = subprocess.run(
        command, cwd=project, env=bare_environment(), capture_output=True, text=True, check=True
    )
    assert "412 555 0104: completed" in ran.stdout
    assert "911: 911 is an emergency number" in ran.stdout
    assert "412 555 0101: unanswered" in ran.stdout
    assert ran.stderr == ""
