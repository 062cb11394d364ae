""" "If nobody answers": from the form to the request, and summed up in a line."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts import AlertRequest, Desk
from dashboard.send.if_nobody_answers import summary
from people.recipients import parts_of
from tests.support.desks import CALL, simulated_desk
from tests.support.page_in_memory import Page, calls_at_twilio, fill_in, opened, press, shown, until

pytestmark = pytest.mark.usefixtures("fresh_lock")

EVERYTHING: dict[str, Any] = {
    "acknowledge": True,
    "voicemail": " Call back. ",
    "tries": "3",
    "minutes_between_tries": 2,
    "then_text": True,
    "then_to": "(412) 555-0106\n\n412 555 0107, 412 555 0108",
    "quiet_hours": True,
}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with simulated_desk(tmp_path, speed=20, callbacks=True) as desk:
        yield desk


@pytest.fixture
async def page(desk: Desk) -> AsyncIterator[Page]:
    async with opened(desk) as page:
        yield page


async def sent(page: Page) -> AlertRequest:
    await press(page.session)
    await until(page.session, lambda: page.alert is not None)
    assert page.alert is not None
    return page.alert.request


async def test_all_of_it_is_asked_for(page: Page):
    await fill_in(page.session, **EVERYTHING)
    request = await sent(page)
    assert request == replace(
        request,
        acknowledge=True,
        voicemail="Call back.",
        tries=3,
        minutes_between_tries=2,
        then_text=True,
        then_to=("+14125550106", "+14125550107", "+14125550108"),
        quiet_hours="22:00-07:00",
    )


async def test_a_text_leaves_out_what_only_a_call_can_do(page: Page):
    await fill_in(page.session, **EVERYTHING, channel="text")
    request = await sent(page)
    assert (request.voicemail, request.then_text) == ("", False)
    assert (request.tries, request.then_to[0]) == (3, "+14125550106")


async def test_the_preview_asks_for_the_key(page: Page):
    await fill_in(page.session, acknowledge=True)
    await until(page.session, lambda: "<Gather" in shown(page.session, "twiml_preview"))
    await until(page.session, lambda: "They press 1" in shown(page.session, "progress"))


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"minutes_between_tries": None}, "Wait 0 to 1,440 minutes."),
        ({"then_to": "412 555 0106, 12"}, "12: Too few digits"),
        ({"then_to": "(412) 857-4309"}, "there twice"),
        ({"voicemail": "{{ batch }}"}, "batch"),
    ],
)
async def test_what_cannot_be_is_refused(
    page: Page, desk: Desk, inputs: dict[str, Any], words: str
):
    await fill_in(page.session, **inputs)
    await press(page.session)
    assert words in shown(page.session, "send_refusal")
    assert calls_at_twilio(desk) == 0
    await fill_in(page.session, then_to="", voicemail="", minutes_between_tries=5)
    assert shown(page.session, "send_refusal") == ""


async def test_further_numbers_are_judged_while_they_are_typed(page: Page):
    await fill_in(page.session, then_to="412 555 0106; 412 555 0107")
    both = "+1 412-555-0106 · +1 412-555-0107"
    await until(page.session, lambda: both in shown(page.session, "then_to_feedback_line"))
    assert "good" in shown(page.session, "then_to_feedback_line")
    await fill_in(page.session, then_to="911")
    refused = "emergency number"
    await until(page.session, lambda: refused in shown(page.session, "then_to_feedback_line"))


async def test_without_a_public_url_nobody_can_press_1(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        assert "PUBLIC_URL" in shown(page.session, "acknowledge_line")


async def test_with_one_they_can(page: Page):
    assert "PUBLIC_URL" not in shown(page.session, "acknowledge_line")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "One attempt"),
        (
            {"acknowledge": True, "tries": 3, "then_text": True},
            "3 tries, 5 minutes apart · then a text",
        ),
        ({"tries": 2, "minutes_between_tries": 1}, "2 tries, 1 minute apart"),
        ({"tries": 2, "minutes_between_tries": 0}, "2 tries"),
        ({"then_to": ("1",)}, "Then 1 more person"),
        (
            {"then_to": ("1", "2"), "voicemail": "x", "quiet_hours": "22:00-07:00"},
            "Short message on voicemail · then 2 more people · not at night",
        ),
    ],
)
def test_the_summary_says_what_is_on(changes: dict[str, Any], words: str):
    assert summary(replace(CALL, **changes)) == words


def test_numbers_are_read_between_lines_and_commas():
    assert parts_of(" 8574309,8574310;\n\n 3 \r\n") == ("8574309", "8574310", "3")
    assert parts_of(" ") == ()


@pytest.mark.parametrize("repeated", [",", ",;", "1,", ",1", " ", ",ext=", "1 ,"])
def test_a_long_text_is_split_in_no_time(repeated: str):
    began = time.process_time()
    parts_of(repeated * (20_000 // len(repeated)))
    assert time.process_time() - began < 2  # without a limit, commas alone take a minute


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("412 857 4309,,123", ["412 857 4309,,123"]),
        ("4128574309,4128574310", ["4128574309", "4128574310"]),
        ("412 857 4309;ext=12, 412 857 4310 x3\n412 857 4311,45", [
            "412 857 4309;ext=12", "412 857 4310 x3", "412 857 4311,45",
        ]),
        ("412 857 4309,12;412 857 4310", ["412 857 4309,12", "412 857 4310"]),
        ("412 857 4309\n911", ["412 857 4309", "911"]),
        ("412 857 4309, 911", ["412 857 4309", "911"]),
    ],
)  # fmt: skip
def test_an_extension_stays_with_its_number(text, numbers):
    assert list(parts_of(text)) == numbers
