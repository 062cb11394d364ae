"""What Twilio answers that isn't as documented loses no alert and keeps nothing waiting forever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from pydantic import SecretStr

from alerts.replies import ReplyPoller
from alerts.services import RetryPolicy
from simulator import SIMULATOR_FROM_NUMBER
from tests.support.desks import CALL, TEXT, UNHURRIED, desk_at, followed
from tests.support.scripted_twilio import PLACED, TEXTED, TOO_FAST, Answer, at, scripted_twilio

FROM = "+14128574309"


def incoming(sid: str, body: str) -> dict[str, str]:
    now = format_datetime(datetime.now(UTC))
    made = {"from": FROM, "to": SIMULATOR_FROM_NUMBER, "direction": "inbound"}
    return made | {"sid": sid, "body": body, "date_created": now, "status": "received"}


@pytest.mark.parametrize("odd", ["half an emoji \ud83d", "a NUL \0"])
async def test_a_reply_that_no_database_can_keep_is_saved_without_that(odd, database_url):
    rows = [incoming("SM" + "2" * 32, "ok"), incoming("SM" + "1" * 32, odd)]
    looking = [Answer(200, {"messages": rows})]
    async with (
        scripted_twilio(looking=looking) as twilio,
        desk_at(twilio.url, database_url=SecretStr(database_url)) as desk,
    ):
        history = await desk.history()
        await ReplyPoller(desk.services, history).look({FROM: datetime.now(UTC)})
        assert await history.unknown_texts([each["sid"] for each in rows]) == set()


@pytest.mark.parametrize("odd", ["half an emoji \ud83d", "a NUL \0"])
async def test_a_refusal_in_words_that_no_database_can_keep(odd, database_url):
    refused = Answer(400, {"code": 21211, "message": odd})
    async with (
        scripted_twilio(refused, looking=[]) as twilio,
        desk_at(twilio.url, database_url=SecretStr(database_url)) as desk,
    ):
        alert = await desk.send(CALL)
    assert alert.status == "failed"
    assert alert.error is not None
    assert alert.error.code == 21211


@pytest.mark.parametrize("asked", ["9" * 400, "Thu, 26 Nov 2999 20:08:37 GMT"])
async def test_nobody_waits_for_years_because_an_answer_asks_for_it(asked):
    later = replace(TOO_FAST, headers={"Retry-After": asked})
    policy = replace(UNHURRIED["retry_policy"], longest_asked_seconds=0.1)
    async with (
        scripted_twilio(later, PLACED, looking=[at("completed")]) as twilio,
        desk_at(twilio.url, retry_policy=policy) as desk,
    ):
        assert (await followed(desk, CALL)).status == "completed"
    assert RetryPolicy().wait(0, float(10**9)) <= 20 * 60


@pytest.mark.parametrize("seconds", ["9" * 12, "9" * 30])
async def test_a_duration_that_no_database_can_keep(seconds, database_url):
    looking = [at("completed", duration=seconds)]
    async with (
        scripted_twilio(PLACED, looking=looking) as twilio,
        desk_at(twilio.url, database_url=SecretStr(database_url)) as desk,
    ):
        assert (await followed(desk, CALL)).status == "completed"


async def test_a_call_without_a_sid_that_can_be_asked_about_ends():
    looking = [Answer(200, {"calls": [{"sid": "CA1/../2"}]})]
    odd = Answer(201, {"sid": "CA1/../2", "status": "queued"})
    async with (
        scripted_twilio(odd, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await followed(desk, CALL)
    assert (alert.status, alert.sid) == ("unknown", None)
    assert len(twilio.posts) == 1


@pytest.mark.parametrize("year", ["0001", "9999"])
async def test_a_date_from_which_nothing_can_be_counted(year):
    sent = at("sent", date_sent=f"Fri, 31 Dec {year} 23:59:00 +0000")
    async with (
        scripted_twilio(TEXTED, looking=[sent, sent, at("delivered")]) as twilio,
        desk_at(twilio.url) as desk,
    ):
        assert (await followed(desk, TEXT)).status == "delivered"
