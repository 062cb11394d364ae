"""The Send page's logic in memory, against the simulator; what people see is in tests/browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shiny.testserver import AsyncTestServerSession

from alerts import Desk
from tests.support.desks import CALL, posts, simulated_desk, until_over
from tests.support.page_in_memory import (
    FORM,
    Page,
    calls_at_twilio,
    fill_in,
    opened,
    press,
    shown,
    until,
)

pytestmark = pytest.mark.usefixtures("fresh_lock")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with simulated_desk(tmp_path, speed=20) as desk:
        yield desk


@pytest.fixture
async def opened_page(desk: Desk) -> AsyncIterator[Page]:
    async with opened(desk) as page:
        yield page


@pytest.fixture
def page(opened_page: Page) -> AsyncTestServerSession:
    return opened_page.session


async def test_preview_is_the_document_that_will_be_spoken(page: AsyncTestServerSession):
    expected = '<Say voice="alice" language="en-GB" loop="3">Batch 1407 is off.</Say>'
    assert expected in shown(page, "twiml_preview")
    await fill_in(page, message="Recall <1408> & 1409", repeat="1")
    assert 'loop="1">Recall &lt;1408&gt; &amp; 1409</Say>' in shown(page, "twiml_preview")


async def test_preview_tells_the_time_of_the_viewer_and_not_of_the_server(
    page: AsyncTestServerSession,
):
    await fill_in(page, message="{{ today }} {{ now }}", time_zone="Pacific/Kiritimati")
    ahead = shown(page, "twiml_preview")
    await fill_in(page, time_zone="Pacific/Pago_Pago")  # 25 hours behind
    assert shown(page, "twiml_preview") != ahead


async def test_a_browsers_zone_that_is_unknown_does_not_stop_an_alert(
    page: AsyncTestServerSession, desk: Desk
):
    await fill_in(page, message="It is {{ now }}.", time_zone="Mars/Olympus_Mons")
    assert "It is " in shown(page, "twiml_preview")
    await press(page)
    await until(page, lambda: "cb-pill good" in shown(page, "progress"))
    assert calls_at_twilio(desk) == 1


async def test_a_number_that_is_not_known_yet_can_be_called(page: AsyncTestServerSession):
    await fill_in(page, phone_number="(436) 857-4309")
    assert "Twilio decides" in shown(page, "recipients")
    assert "waiting" in shown(page, "recipients")


async def test_an_extension_is_for_calls(page: AsyncTestServerSession, desk: Desk):
    await fill_in(page, phone_number="412 857 4309 x12")
    assert "+1 412-857-4309 ext. 12" in shown(page, "recipients")
    await fill_in(page, channel="text")
    await until(page, lambda: "leave out 12" in shown(page, "recipients"))
    await press(page)
    await until(page, lambda: "leave out 12" in shown(page, "send_refusal"))
    assert posts(desk) == []


async def test_number_is_judged_while_it_is_typed(page: AsyncTestServerSession):
    await until(page, lambda: "+1 412-857-4309" in shown(page, "recipients"))
    assert "Pittsburgh" in shown(page, "recipients") or "Pennsylvania" in shown(page, "recipients")
    await fill_in(page, phone_number="+33 1 42 68 53 00")
    assert "France isn" in shown(page, "recipients")
    assert "bad" in shown(page, "recipients")


async def test_a_text_is_counted_in_segments(page: AsyncTestServerSession):
    await fill_in(page, channel="text", message="Batch 1407 is “off”.")
    feedback = shown(page, "message_feedback_line")
    assert "1 segment" in feedback
    assert "UCS-2" in feedback
    assert "“, ” force the costlier encoding" in feedback
    assert "Batch 1407 is “off”." in shown(page, "words")


async def test_what_cannot_be_seen_is_named_and_composing_is_offered(page: AsyncTestServerSession):
    await fill_in(page, channel="text", message="Batch\t1407\u00a0is off.")
    feedback = shown(page, "message_feedback_line")
    assert "tab, no-break space force the costlier encoding" in feedback
    assert "write_composed" not in feedback
    await fill_in(page, message="cafe\u0301 " * 12)
    feedback = shown(page, "message_feedback_line")
    assert "combining acute accent forces" in feedback
    assert "it is 1 segment instead of 2, in GSM-7." in feedback
    assert "send-write_composed" in feedback


async def test_a_template_that_fails_is_one_sentence(page: AsyncTestServerSession):
    await fill_in(page, message="Batch {{ batch }}")
    assert "batch" in shown(page, "message_feedback_line")
    assert page.get_output("send-twiml_preview").status == "silent"


async def test_too_long_to_be_spoken_is_said_while_it_is_written(page: AsyncTestServerSession):
    await fill_in(page, message="x" * 4_200)
    assert "4,096" in shown(page, "message_feedback_line")
    assert page.get_output("send-twiml_preview").status == "silent"


async def test_voices_follow_the_language(page: AsyncTestServerSession):
    await fill_in(page, language="fr-FR", voice="Polly.Lea")
    assert 'voice="Polly.Lea" language="fr-FR"' in shown(page, "twiml_preview")
    await fill_in(page, language="de-DE")  # the browser is told to choose again
    assert page.get_output("send-twiml_preview").status == "silent"
    await fill_in(page, voice="alice")
    assert 'voice="alice" language="de-DE"' in shown(page, "twiml_preview")


async def test_a_list_of_voices_follows_back_to_the_first_language(opened_page: Page):
    page, first = opened_page.session, FORM["language"]
    await fill_in(page, language="fr-FR")  # alice speaks both
    await until(page, lambda: "Polly.Lea" in str(opened_page.changed.get("voice")))
    await fill_in(page, language=first)
    await until(page, lambda: "Polly.Amy" in str(opened_page.changed.get("voice")))


async def test_what_a_program_has_sent_can_be_sent_again(opened_page: Page, desk: Desk):
    chosen: dict[str, Any] = {
        "language": "tlh-KX", "voice": "Google.tlh-KX-Kore", "repeat": 4, "tries": 6,
    }  # fmt: skip
    sent = await desk.send(replace(CALL, **chosen, minutes_between_tries=0))
    page, changed = opened_page.session, opened_page.changed
    await fill_in(page, fill_in={"again": sent.id})
    await until(page, lambda: "tries" in changed)
    for name, value in chosen.items():
        assert f'<option value="{value}" selected="">' in changed[name]["options"]
    # As the browser answers.
    await fill_in(page, **{name: str(value) for name, value in chosen.items()})
    assert 'voice="Google.tlh-KX-Kore" language="tlh-KX" loop="4"' in shown(page, "twiml_preview")
    assert f'<option value="{chosen["voice"]}" selected="">' in changed["voice"]["options"]
    await press(page)
    await until(page, lambda: opened_page.alert is not None)
    assert opened_page.alert is not None
    assert replace(opened_page.alert.request, **chosen) == opened_page.alert.request


async def test_press_calls_and_shows_each_step(page: AsyncTestServerSession, desk: Desk):
    await press(page)
    await until(page, lambda: "Accepted by Twilio" in shown(page, "announcement"))
    await until(page, lambda: "cb-pill good" in shown(page, "progress"))
    assert calls_at_twilio(desk) == 1


async def test_presses_while_it_works_send_nothing_more(page: AsyncTestServerSession, desk: Desk):
    for times in range(1, 6):
        await press(page, times)
    await until(page, lambda: "cb-pill good" in shown(page, "progress"))
    assert calls_at_twilio(desk) == 1


async def test_pressing_again_afterwards_is_a_second_call(page: AsyncTestServerSession, desk: Desk):
    await press(page, 1)
    await until(page, lambda: "cb-pill good" in shown(page, "progress"))
    times = 1
    async with asyncio.timeout(20):
        while calls_at_twilio(desk) == 1:  # until the button takes presses again
            times += 1
            await press(page, times)
            await asyncio.sleep(0.05)
    assert calls_at_twilio(desk) == 2


async def test_unusable_input_is_said_at_the_button_and_sends_nothing(
    page: AsyncTestServerSession, desk: Desk
):
    await fill_in(page, phone_number="911")
    await press(page)
    assert "emergency number" in shown(page, "send_refusal")
    assert calls_at_twilio(desk) == 0


@pytest.mark.slow
async def test_a_refusal_of_twilio_says_what_to_do(page: AsyncTestServerSession):
    await fill_in(page, channel="text", phone_number="412 555 0113")
    await press(page)
    await until(page, lambda: "cb-pill bad" in shown(page, "progress"))
    assert "START" in shown(page, "progress")
    assert "Twilio error 21610" in shown(page, "progress")


async def test_a_session_that_ends_stops_looking_but_not_the_call(opened_page: Page, desk: Desk):
    page = opened_page.session
    await press(page)
    await until(page, lambda: calls_at_twilio(desk) == 1 and opened_page.alert is not None)
    assert opened_page.alert is not None
    await page.__aexit__(None, None, None)
    assert (await until_over(desk, opened_page.alert.id)).reached
