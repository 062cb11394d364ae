"""Each example as its own first lines tell people to run it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from simulator.models.call import Call
from tests.support.browser import well_behaved_page
from tests.support.running_app import bare_environment, running_app
from tests.support.servers import free_port, serve

pytestmark = pytest.mark.slow


@pytest.mark.browser
def test_the_tutorials_app_calls(browser: Browser, project: Path) -> None:
    with (
        running_app(project, "examples/tutorial_app.py") as url,
        well_behaved_page(browser, url) as page,
    ):
        expect(page.get_by_text("This is a simulation")).to_be_visible()
        page.fill("#phone_number", "911")
        page.locator("#send_test_call").click()
        expect(page.locator("#outcome")).to_contain_text("emergency number")
        page.fill("#phone_number", "(412) 857-4309")
        expect(page.locator("#send_test_call")).to_be_enabled()
        page.locator("#send_test_call").click()
        expect(page.locator("#outcome")).to_contain_text("Accepted by Twilio: CA")


@pytest.fixture(scope="module")
def tutorial(project: Path) -> Iterator[tuple[str, dict[str, Call]]]:
    """The tutorial's app with an account."""
    with running_with_account(project, "examples/tutorial_app.py") as running:
        yield running


@pytest.mark.browser
@pytest.mark.parametrize("gap_ms", [150, 400])
def test_a_double_click_is_one_call(
    browser: Browser, tutorial: tuple[str, dict[str, Call]], gap_ms: int
) -> None:
    url, calls = tutorial
    before = len(calls)
    with well_behaved_page(browser, url) as page:
        page.fill("#phone_number", "(412) 857-4309")
        box = page.locator("#send_test_call").bounding_box()
        assert box is not None
        # Not a locator's click, which would wait until the button can be pressed again.
        page.mouse.click(box["x"] + 10, box["y"] + 10)
        page.wait_for_timeout(gap_ms)
        page.mouse.click(box["x"] + 10, box["y"] + 10)
        expect(page.locator("#outcome")).to_contain_text("Accepted by Twilio: CA")
        call_another(page)
        assert called(calls)[before:] == ["+14128574309", "+14128570000"]


@pytest.mark.browser
def test_a_press_during_a_call_is_ignored(
    browser: Browser, tutorial: tuple[str, dict[str, Call]]
) -> None:
    url, calls = tutorial
    before = len(calls)
    with well_behaved_page(browser, url) as page:
        page.fill("#phone_number", "(412) 857-4309")
        page.locator("#send_test_call").click()
        expect(page.locator("#send_test_call")).to_be_disabled()
        page.evaluate("Shiny.setInputValue('send_test_call:shiny.action', 2)")
        expect(page.locator("#outcome")).to_contain_text("Accepted by Twilio: CA")
        call_another(page)
        assert called(calls)[before:] == ["+14128574309", "+14128570000"]


def call_another(page: Page) -> None:
    """Place a call after the first; a press that had waited its turn would come before it."""
    first = page.locator("#outcome").inner_text()
    page.fill("#phone_number", "(412) 857-0000")
    page.locator("#send_test_call").click()
    expect(page.locator("#outcome")).not_to_have_text(first)
    expect(page.locator("#send_test_call")).to_be_enabled()


def called(calls: dict[str, Call]) -> list[str]:
    return [call.request.to for call in calls.values()]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("app", "prefix"), [("examples/tutorial_app.py", ""), ("examples/embed.py", "brewer-")]
)
def test_twilio_reads_the_documents_that_the_app_keeps(
    browser: Browser, project: Path, app: str, prefix: str
) -> None:
    with (
        running_with_account(project, app) as (url, calls),
        well_behaved_page(browser, url) as page,
    ):
        expect(page.get_by_text("This is a simulation")).to_have_count(0)
        if prefix:
            page.get_by_role("tab", name="Call the brewer").click()
            page.fill(f"#{prefix}message", "Hold batch 1407.")
        page.fill(f"#{prefix}phone_number", "(412) 857-4309")
        page.locator(f"#{prefix}send_test_call").click()
        deadline = time.monotonic() + 90
        while not any(call.is_over for call in calls.values()) and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        [call] = calls.values()
        assert (call.status, call.troubles) == ("completed", [])
        assert "say" in {line.kind for line in call.transcript}


@contextmanager
def running_with_account(project: Path, app: str) -> Iterator[tuple[str, dict[str, Call]]]:
    """`shiny run app` with an account and a PUBLIC_URL: its address, and the calls that it made."""
    twilio = create_app(account_sid=SIMULATOR_ACCOUNT_SID, auth_token="hush", speed=100)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serve(twilio) as address:
        account = {
            "TWILIO_BASE_URL": address,
            "TWILIO_ACCOUNT_SID": SIMULATOR_ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": "hush",
            "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER,
            "PUBLIC_URL": url,
        }
        with running_app(project, app, str(port), **account) as served:
            yield served, twilio.state.exchange.calls


def test_the_tutorials_app_is_short(project: Path) -> None:
    assert len((project / "examples/tutorial_app.py").read_text().splitlines()) < 65


@pytest.mark.browser
def test_the_send_page_works_inside_another_dashboard(browser: Browser, project: Path) -> None:
    with (
        running_app(project, "examples/embed.py") as url,
        well_behaved_page(browser, url) as page,
    ):
        page.select_option("#batch", "1407")
        expect(page.locator("#finding")).to_have_text("Batch 1407: diacetyl")
        page.get_by_role("tab", name="Call the brewer").click()
        expect(page.locator("#brewer-message")).to_have_value(
            "Batch 1407 was found to be diacetyl."
        )
        expect(page.locator("#brewer-recipients .good")).to_be_visible()
        expect(page.locator("#brewer-twiml_preview")).to_contain_text("<Response>")
        page.locator("#brewer-send_test_call").click()
        expect(page.locator("#brewer-progress .cb-pill")).to_have_text(re.compile("Reached"))
        expect(page).to_have_url(re.compile(r"\?brewer-alert=[0-9a-f]{16}$"))
        page.get_by_role("tab", name="Tastings").click()
        expect(page.locator("#told")).to_have_text("The brewer has been told.")


def test_the_batch_script_calls_everybody(project: Path) -> None:
    ran = batch(project, "412 555 0104", "412 555 0101")
    assert "412 555 0104: completed" in ran.stdout
    assert "412 555 0101: unanswered" in ran.stdout
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("number", "why"),
    [("911", "911 is an emergency number"), ("412 555 0105", "Twilio couldn't connect the call")],
)
def test_the_batch_script_says_why_a_call_failed(project: Path, number: str, why: str) -> None:
    ran = batch(project, number, "412 555 0104")
    assert f"{number}: {why}" in ran.stdout
    assert "412 555 0104: completed" in ran.stdout  # the others are called all the same
    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "shiny", "run", "--port", "0", "examples/tutorial_app.py"],
        ["-m", "shiny", "run", "--port", "0", "examples/embed.py"],
        ["examples/batch.py", "Off.", "412 555 0104"],
    ],
    ids=["tutorial_app", "embed", "batch"],
)
def test_a_mistake_in_the_settings_is_one_sentence(project: Path, command: list[str]) -> None:
    ran = run(project, command, STORAGE="s3")
    assert ran.stderr == "STORAGE is s3 but S3_BUCKET is not set: name the bucket.\n"
    assert (ran.returncode, ran.stdout) == (1, "")


def batch(project: Path, *numbers: str) -> subprocess.CompletedProcess[str]:
    return run(project, ["examples/batch.py", "Off.", *numbers])


def run(project: Path, command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=bare_environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
