"""One visitor's slow call never slows another's page."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.browser import well_behaved_page
from tests.support.running_app import running_app
from tests.support.servers import serve

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SID = "CA" + "0" * 32


class TwilioThatKeepsOneWaiting:
    """Answers a new call only once it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        path = "/2010-04-01/Accounts/{account}/Calls"
        self.app = Starlette(
            routes=[
                Route(path + ".json", self.create, methods=["POST"]),
                Route(path + "/{sid}.json", self.fetch),
            ]
        )

    def create(self, _: Request) -> JSONResponse:
        self.asked.set()
        assert self.may_answer.wait(60)
        return JSONResponse({"sid": SID, "status": "queued"}, status_code=201)

    def fetch(self, _: Request) -> JSONResponse:
        return JSONResponse({"sid": SID, "status": "completed"})


def test_a_call_that_waits_for_twilio_holds_up_nobody_else(browser: Browser, project: Path) -> None:
    twilio = TwilioThatKeepsOneWaiting()
    with serve(twilio.app) as twilio_url:
        account = {
            "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
            "TWILIO_AUTH_TOKEN": "a-token-for-nothing",
            "TWILIO_FROM_NUMBER": "+17248675309",
            "TWILIO_BASE_URL": twilio_url,
        }
        with (
            running_app(project, **account) as url,
            well_behaved_page(browser, url) as caller,
            well_behaved_page(browser, url) as writer,
        ):
            expect(caller.get_by_text("Simulation")).to_have_count(0)
            caller.fill("#send-phone_number", "412 857 4309")
            expect(caller.locator("#send-recipients .good")).to_be_visible()
            caller.fill("#send-message", "Hold batch 1407.")
            caller.locator("#send-send_test_call").click()
            assert twilio.asked.wait(90)
            # The call hangs, but both the other visitor and the caller can go on writing.
            writer.fill("#send-message", "The other's words.")
            expect(writer.locator("#send-twiml_preview")).to_contain_text("The other's words.")
            caller.fill("#send-message", "My next words.")
            expect(caller.locator("#send-twiml_preview")).to_contain_text("My next words.")
            expect(caller.locator("#send-progress .cb-pill")).to_have_text("Sending")
            # A refused press doesn't hang either while another visitor's is under way.
            writer.fill("#send-phone_number", "911")
            expect(writer.locator("#send-recipients .bad")).to_be_visible()
            writer.locator("#send-send_test_call").click()
            expect(writer.get_by_role("alert")).to_contain_text("emergency number")
            expect(writer.locator("#send-send_test_call")).to_be_enabled()
            twilio.may_answer.set()
            expect(caller.locator("#send-progress .cb-pill")).to_have_text(re.compile("Reached"))
            expect(writer.locator("#send-progress .cb-pill")).to_have_count(0)
