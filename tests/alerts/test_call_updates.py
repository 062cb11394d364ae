"""Updates of a live call that Twilio refuses: the alert says so, and a hang-up is tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.steps import following
from tests.support.desks import CALL, desk_at, until_over
from tests.support.scripted_twilio import CALL_SID, PLACED, Answer, at, scripted_twilio
from tests.support.waiting import until

NOT_ALLOWED = Answer(401, {"code": 20003, "message": "Authenticate"})
FORBIDDEN = Answer(403, {"code": 20403, "message": "Forbidden"})
OVER = Answer(400, {"code": 21220, "message": "Call is not in-progress. Cannot redirect."})
ENDED = Answer(200, {"sid": CALL_SID, "status": "completed"})
MACHINE = at("in-progress", answered_by="machine_end_beep")


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(following, "LONGEST_RETRY_SECONDS", 0.1)


@pytest.mark.parametrize("refusal", [NOT_ALLOWED, FORBIDDEN])
async def test_a_hang_up_that_is_not_allowed_is_reported_and_tried_again(refusal: Answer):
    """The call goes on ringing, so the person who canceled it must get to know."""
    creating = [PLACED, refusal, refusal, refusal, refusal, ENDED]
    looking = [at("ringing")]
    async with (
        scripted_twilio(*creating, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(CALL)
        canceled = await desk.cancel(alert.id)
        assert canceled is not None
        assert not canceled.status.final
        await until(lambda: len(twilio.posts) >= len(creating))
        looking[:] = [at("completed")]
        alert = await until_over(desk, alert.id)
    told = [event for event in alert.events if event.note == "The call couldn't be ended"]
    assert len(told) in {1, 2}  # the desk and the worker try at the same time
    assert told[0].error is not None
    assert told[0].error.code == refusal.payload["code"]
    assert twilio.posts[1:] == [{"Status": "completed"}] * (len(twilio.posts) - 1)


async def test_a_worker_reports_a_hang_up_too():
    """The process that canceled it died before its own hang-up."""
    async with (
        scripted_twilio(PLACED, NOT_ALLOWED, looking=[at("ringing")]) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(CALL)
        history = await desk.history()
        await history.record(alert.id, replace(alert.events[0], status=None, canceling=True))
        await history.until(
            alert.id,
            lambda newest: any("couldn't be ended" in each.note for each in newest.events),
            10,
        )
        await until(lambda: len(twilio.posts) > 6)
        newest = await desk.status(alert.id)
    assert newest is not None
    assert [each.note for each in newest.events].count("The call couldn't be ended") == 1


async def test_a_call_that_was_over_already():
    creating, looking = [PLACED, OVER], [at("ringing")]
    async with (
        scripted_twilio(*creating, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(CALL)
        await desk.cancel(alert.id)
        await until(lambda: len(twilio.posts) == 3)
        looking[:] = [at("completed")]
        alert = await until_over(desk, alert.id)
    assert alert.error is None
    assert not any(event.error for event in alert.events)
    assert len(twilio.posts) == 3


async def test_a_refused_message_for_voicemail_is_reported():
    looking = [at("ringing"), MACHINE]
    async with (
        scripted_twilio(PLACED, FORBIDDEN, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(replace(CALL, voicemail="Call us back."))
        history = await desk.history()
        await history.until(alert.id, lambda newest: any(each.error for each in newest.events), 10)
        looking[:] = [at("completed", answered_by="machine_end_beep")]
        alert = await until_over(desk, alert.id)
    [told] = [event for event in alert.events if event.error]
    assert told.note == "A machine answered: the short message couldn't be left"
    assert told.error is not None
    assert told.error.code == 20403
    assert len(twilio.posts) == 2
    assert alert.status == "voicemail"
