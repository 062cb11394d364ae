"""`{{ now }}` is the moment of each try, in the sender's zone, and what was sent can be told."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import AlertRequest, UnusableInput
from alerts.message.compose import write_message
from alerts.tables import alerts, submissions
from tests.support.desks import (
    CALL,
    TEXT,
    database_in,
    desk_at,
    followed,
    posts,
    quiet_now,
    simulated_desk,
    until_over,
)
from tests.support.direct_sql import column, execute
from tests.support.scripted_twilio import (
    DROPPED,
    MESSAGE_SID,
    NOTHING,
    TEXTED,
    Answer,
    listed,
    scripted_twilio,
)
from tests.support.waiting import until

MACHINE = "+14125550103"
TOKYO = "Asia/Tokyo"
NOW = replace(TEXT, message="It is {{ now }}.", time_zone=TOKYO)
# In each of these zones it is another hour, so a wrong one shows.
ZONES = ["Pacific/Kiritimati", "Asia/Kolkata", "America/New_York"]


def words(request: AlertRequest, moment: datetime) -> str:
    return write_message(request, moment)


def around(request: AlertRequest, moment: datetime) -> set[str]:
    """The words in the minutes around a moment."""
    return {words(request, moment + timedelta(minutes=each)) for each in (-1, 0, 1)}


async def test_the_saved_request_keeps_the_template(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        alert = await followed(desk, NOW)
        [saved] = await column(desk.services.database_url, sa.select(alerts.c.request))
        assert alert.request.message == saved["message"] == "It is {{ now }}."
        assert posts(desk)[0]["Body"] in around(NOW, datetime.now(UTC))


@pytest.mark.parametrize("channel", ["call", "text"])
async def test_an_alert_that_waited_tells_the_time_it_is_sent(tmp_path, channel):
    """It is sent an hour after it was asked for: the database says that it waited."""
    request = replace(NOW, channel=channel, id="later", quiet_hours=quiet_now(TEXT.to))
    database: Any = {"database_url": database_in(tmp_path)}
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.send(request)
    url = database["database_url"]
    [saved] = await column(url, sa.select(alerts.c.request))
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    change = sa.update(alerts).values(
        request=saved | {"quiet_hours": ""}, created_at=hour_ago, since=hour_ago, due_at=hour_ago
    )
    await execute(url, change)
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.open()
        await until_over(desk, "later")
        [post] = posts(desk)
        if channel == "call":
            [document] = tmp_path.glob("**/*.xml")
            said = document.read_text()
        else:
            said = post["Body"]
    assert any(each in said for each in around(request, datetime.now(UTC)))


@pytest.mark.parametrize("zone", ZONES)
async def test_the_zone_is_the_senders_or_the_one_of_the_settings(tmp_path, zone):
    request = replace(NOW, time_zone="")
    async with simulated_desk(tmp_path, time_zone=zone) as desk:
        alert = await followed(desk, request)
        assert alert.request.time_zone == zone
        other = await followed(desk, NOW)
        mine, theirs = (form["Body"] for form in posts(desk))
    assert other.request.time_zone == TOKYO
    assert mine in around(alert.request, datetime.now(UTC))
    assert theirs in around(NOW, datetime.now(UTC))
    with pytest.raises(UnusableInput, match="not a time zone"):
        desk.check(replace(NOW, time_zone="Nowhere/Land"))


async def test_each_try_tells_its_own_time(tmp_path):
    """The second submission, of another process, is of another time than the first."""
    request = replace(NOW, id="one")
    database: Any = {"database_url": database_in(tmp_path)}
    slow = replace(TEXTED, seconds=60)
    async with scripted_twilio(slow, TEXTED, looking=[NOTHING]) as twilio:
        async with desk_at(twilio.url, **database) as desk:
            sending = asyncio.create_task(desk.send(request))
            await until(lambda: twilio.posts)
        sending.cancel()
        await shift_submission(database["database_url"])
        async with desk_at(twilio.url, **database) as desk:
            await desk.open()
            await until(lambda: len(twilio.posts) == 2)
        assert twilio.posts[1]["Body"] in around(request, datetime.now(UTC))


async def shift_submission(url: Any) -> float:
    """Make it ten hours ago that the only submission was made; returns when."""
    [at] = await column(url, sa.select(submissions.c.at))
    await execute(url, sa.update(submissions).values(at=at - 36_000))
    return float(at) - 36_000


async def test_a_lost_text_is_known_by_the_words_of_its_own_time(tmp_path):
    """Its process died. Hours later another one finds it, though its words name another time."""
    request = replace(NOW, id="one")
    database: Any = {"database_url": database_in(tmp_path)}
    looking: list[Answer] = [NOTHING]
    slow = replace(TEXTED, seconds=60)
    async with scripted_twilio(slow, looking=looking) as twilio:
        async with desk_at(twilio.url, **database) as desk:
            sending = asyncio.create_task(desk.send(request))
            await until(lambda: twilio.posts)
        sending.cancel()
        made = datetime.fromtimestamp(await shift_submission(database["database_url"]), UTC)
        sent = words(request, made)
        assert sent != words(request, datetime.now(UTC))
        looking[:] = [listed(TEXT, body=sent)]
        async with desk_at(twilio.url, **database) as desk:
            await desk.open()
            history = await desk.history()
            alert = await history.until("one", lambda each: each.sid is not None, 10)
    assert (alert.sid, alert.events[-1].source) == (MESSAGE_SID, "lookup")
    assert len(twilio.posts) == 1


async def test_a_lost_text_with_the_words_of_another_time_is_not_ours():
    other = words(NOW, datetime.now(UTC) - timedelta(hours=3))
    looking = [listed(TEXT, body=other)]
    async with (
        scripted_twilio(DROPPED, TEXTED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(NOW)
    assert alert.status == "unknown"


async def test_what_an_earlier_version_saved_is_sent_as_it_stands(tmp_path):
    """It filled in messages before it saved them, and had no field `template`."""
    database: Any = {"database_url": database_in(tmp_path)}
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.send(replace(TEXT, id="old", quiet_hours=quiet_now(TEXT.to)))
    url = database["database_url"]
    [saved] = await column(url, sa.select(alerts.c.request))
    saved |= {"quiet_hours": "", "message": "See {{ 1/0 }} {#7}"}
    del saved["template"]
    await execute(url, sa.update(alerts).values(request=saved, due_at=0))
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.open()
        alert = await until_over(desk, "old")
        assert [form["Body"] for form in posts(desk)] == ["See {{ 1/0 }} {#7}"]
    assert alert.status == "delivered"


async def test_words_of_data_are_sent_as_they_stand(tmp_path):
    body = "{{ .CommonLabels.alertname }} fired at {{ now }} {#7}"
    async with simulated_desk(tmp_path) as desk:
        await followed(desk, replace(TEXT, message=body, template=False))
        assert posts(desk)[0]["Body"] == body


@pytest.mark.parametrize("channel", ["call", "text"])
async def test_a_message_that_has_nothing_to_say_at_its_time_fails_unsent(tmp_path, channel):
    """It was fine when it was asked for, so the alert itself says what became of it."""
    request = replace(NOW, channel=channel, id="later", quiet_hours=quiet_now(TEXT.to))
    database: Any = {"database_url": database_in(tmp_path)}
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.send(request)
    url = database["database_url"]
    [saved] = await column(url, sa.select(alerts.c.request))
    saved |= {"quiet_hours": "", "message": "{% if now == 'never' %}Hello{% endif %}"}
    await execute(url, sa.update(alerts).values(request=saved, due_at=0))
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.open()
        alert = await until_over(desk, "later")
        assert posts(desk) == []
        outcomes = await column(url, sa.select(submissions.c.outcome))
    assert (alert.status, alert.events[-1].note) == ("failed", "Not sent")
    assert "Write a message." in str(alert.error)
    assert outcomes == ([] if channel == "call" else ["never sent"])


async def test_a_short_message_that_has_no_words_at_that_time(tmp_path):
    """The desk takes no such message, so an alert that has it is written into the database."""
    request = replace(CALL, to=MACHINE, message="Long " * 40, voicemail="Call", id="later")
    database: Any = {"database_url": database_in(tmp_path)}
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.send(replace(request, quiet_hours=quiet_now(MACHINE)))
    url = database["database_url"]
    [saved] = await column(url, sa.select(alerts.c.request))
    saved |= {"quiet_hours": "", "voicemail": "{% if now == 'never' %}Hello{% endif %}"}
    await execute(url, sa.update(alerts).values(request=saved, due_at=0))
    async with simulated_desk(tmp_path, **database) as desk:
        await desk.open()
        alert = await until_over(desk, "later")
        assert posts(desk) == []
    assert (alert.status, alert.events[-1].note) == ("failed", "Not sent")
    assert "voicemail message" in str(alert.error)


async def test_voicemail_is_filled_in_too(tmp_path):
    request = replace(CALL, to=MACHINE, message="Long " * 40, voicemail="At {{ now }}")
    async with simulated_desk(tmp_path) as desk:
        await followed(desk, request)
        spoken = [form["Twiml"] for form in posts(desk) if "Twiml" in form]
    assert len(spoken) == 1
    assert re.search(r">At \d+:\d\d ", spoken[0].replace("\u202f", " "))
