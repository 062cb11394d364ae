"""Texts that come in: each once, in the story of the alert that it replies to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from access import EVERYTHING, Actor
from alerts import AlertRequest, Event, Status
from alerts.alert import Problem
from alerts.desk import Desk
from alerts.replies import ReplyPoller
from alerts.state import REPLY_WINDOW
from alerts.steps import following
from alerts.texting_states import TextingState, texting_states_of
from simulator import SIMULATOR_FROM_NUMBER
from tests.support.callback_app import FROM, CallbackApp, callback_app
from tests.support.desks import ANYBODY, TEXT, followed, posts, simulated_desk, until_over

PROMPT, HAD_ENOUGH = "+14125550115", "+14125550116"
RECIPIENT = "+14128574309"
ASKING = AlertRequest("text", RECIPIENT, "Batch 7 failed", acknowledge=True)
TEXTED_SID = "SM" + "7" * 32


@pytest.fixture
async def app(database_url):
    async with callback_app(database_url) as opened:
        yield opened


async def texted(app: CallbackApp, alert_id: str, request: AlertRequest, sid: str) -> None:
    """A text that Twilio has."""
    await app.add(alert_id, request)
    await app.begin(alert_id)
    await app.status({"MessageSid": sid, "MessageStatus": "sent"}, alert_id)


async def delivered(app: CallbackApp, alert_id: str, sid: str) -> None:
    await app.status({"MessageSid": sid, "MessageStatus": "delivered"}, alert_id)


async def write(app: CallbackApp, body: str, sid: str = "SM" + "1" * 32, from_: str = RECIPIENT):
    answer = await app.post(
        app.addresses.inbound, {"MessageSid": sid, "From": from_, "To": FROM, "Body": body}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.endswith("<Response/>") or answer.text.endswith("<Response></Response>")


async def states(app: CallbackApp, *numbers: str) -> dict[str, TextingState]:
    return await app.desk.database.read(
        lambda connection: texting_states_of(connection, app.account_sid, numbers)
    )


@pytest.mark.parametrize("is_delivered", [True, False])
async def test_a_1_confirms_also_after_the_text_arrived(app: CallbackApp, is_delivered):
    await texted(app, "one", ASKING, TEXTED_SID)
    if is_delivered:
        await delivered(app, "one", TEXTED_SID)
        assert (await app.alert()).reply_until
    assert (await app.alert()).status is Status.PLACED
    await write(app, "1")
    alert = await app.alert()
    assert (alert.status, alert.reached) == (Status.ACKNOWLEDGED, True)
    assert (alert.events[-1].note, alert.events[-1].source) == ("Replied “1”", "recipient")


async def test_each_text_counts_once(app: CallbackApp):
    await texted(app, "one", ASKING, TEXTED_SID)
    await asyncio.gather(*(write(app, "Who is this?") for _ in range(3)))
    alert = await app.alert()
    assert [each.note for each in alert.events].count("Replied “Who is this?”") == 1
    assert alert.status is Status.PLACED


async def test_no_never_confirms(app: CallbackApp):
    await texted(app, "one", ASKING, TEXTED_SID)
    await write(app, "No")
    alert = await app.alert()
    assert (alert.status, alert.events[-1].note) == (Status.PLACED, "Replied “No”")


async def test_it_belongs_to_the_alert_that_asked(app: CallbackApp):
    await texted(app, "asked", ASKING, TEXTED_SID)
    await delivered(app, "asked", TEXTED_SID)
    await texted(app, "told", replace(ASKING, acknowledge=False), "SM" + "8" * 32)
    await delivered(app, "told", "SM" + "8" * 32)
    await write(app, "ok")
    assert (await app.alert("asked")).status is Status.ACKNOWLEDGED
    await write(app, "Thanks", "SM" + "2" * 32)
    told = await app.alert("told")
    assert (told.status, told.events[-1].note) == (Status.DELIVERED, "Replied “Thanks”")
    assert not told.events[-1].news


async def test_from_a_person_who_was_never_texted(app: CallbackApp):
    await texted(app, "one", ASKING, TEXTED_SID)
    await write(app, "1", from_="+14128574310")
    assert (await app.alert()).status is Status.PLACED


async def test_stop_and_start(app: CallbackApp):
    await texted(app, "one", ASKING, TEXTED_SID)
    await write(app, "STOP")
    found = await states(app, RECIPIENT, FROM)
    assert [(number, each.state) for number, each in found.items()] == [(RECIPIENT, "stop")]
    assert isinstance(found[RECIPIENT], TextingState)
    assert abs(found[RECIPIENT].since - datetime.now(UTC)) < timedelta(minutes=1)
    assert (await app.alert()).status is Status.PLACED
    await write(app, "start", "SM" + "2" * 32)
    assert await states(app, RECIPIENT) == {}


@pytest.mark.parametrize(("code", "state"), [("21610", "stop"), ("30006", "landline")])
async def test_twilios_errors_say_it_too_until_a_text_arrives(app: CallbackApp, code, state):
    await texted(app, "one", replace(ASKING, acknowledge=False), TEXTED_SID)
    failed = {"MessageSid": TEXTED_SID, "MessageStatus": "undelivered", "ErrorCode": code}
    await app.status(failed)
    assert (await states(app, RECIPIENT))[RECIPIENT].state == state
    await texted(app, "two", replace(ASKING, acknowledge=False), "SM" + "8" * 32)
    await delivered(app, "two", "SM" + "8" * 32)
    assert await states(app, RECIPIENT) == {}


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_stop_isnt_forgotten_because_an_older_text_arrived(app: CallbackApp, is_known):
    """Both are written in one transaction, with the news of other alerts."""
    request = replace(ASKING, acknowledge=False)
    numbers = {"0": RECIPIENT, "1": RECIPIENT, "2": RECIPIENT, "3": FROM}
    for each, to in numbers.items():
        await texted(app, each, replace(request, to=to), "SM" + each * 32)
    now = datetime.now(UTC)
    if is_known:
        await failed_with_stop(app, "0", now - timedelta(minutes=2))
    arrived = Event(now - timedelta(minutes=1), Status.DELIVERED, "", "callback")
    await asyncio.gather(
        app.record(arrived, "2"),
        failed_with_stop(app, "1", now),
        app.record(replace(arrived, at=now + timedelta(minutes=1)), "3"),
    )
    found = await states(app, RECIPIENT)
    assert found[RECIPIENT].state == "stop"


async def failed_with_stop(app: CallbackApp, alert_id: str, at: datetime) -> None:
    stopped = Problem(21610, "Attempt to send to unsubscribed recipient", "")
    await app.record(Event(at, Status.FAILED, "", "callback", error=stopped), alert_id)


@pytest.mark.parametrize(
    ("fields", "status"), [({"From": RECIPIENT}, 400), ({"MessageSid": "SM1"}, 400)]
)
async def test_what_is_no_text(app: CallbackApp, fields, status):
    assert (await app.post(app.addresses.inbound, fields)).status_code == status


async def test_unsigned_is_refused(app: CallbackApp):
    await texted(app, "one", ASKING, TEXTED_SID)
    fields = {"MessageSid": "SM1", "From": RECIPIENT, "Body": "1"}
    forged = await app.post(app.addresses.inbound, fields, {"X-Twilio-Signature": "forged"})
    assert forged.status_code == 403
    assert (await app.alert()).status is Status.PLACED


# --- On a whole desk ----------------------------------------------------------------------------


async def asking(desk: Desk, to: str) -> AlertRequest:
    return replace(TEXT, to=to, acknowledge=True)


@pytest.mark.parametrize("callbacks", [True, False])
async def test_a_quick_reply_confirms(tmp_path, callbacks):
    """Through the number's webhook, or found in Twilio's list."""
    async with simulated_desk(tmp_path, callbacks=callbacks) as desk:
        if callbacks:
            simulator = desk.services.simulator
            assert simulator is not None
            [owned] = simulator.exchange.accounts.get(
                desk.services.twilio.account_sid
            ).numbers.values()
            assert desk.services.callbacks is not None
            owned.settings["sms_url"] = desk.services.callbacks.inbound
        alert = await followed(desk, await asking(desk, PROMPT))
        sent = next(each for each in posts(desk) if "Body" in each)
    assert sent["Body"] == "Hello. Reply 1 to confirm."
    assert (alert.status, alert.events[-1].note) == ("acknowledged", "Replied “1”")


async def test_a_reply_to_the_first_text_spares_the_second(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        request = replace(TEXT, to=PROMPT, acknowledge=True, tries=2, minutes_between_tries=5)
        alert = await followed(desk, request)
        assert (alert.status, alert.try_number) == ("acknowledged", 2)
        assert len([each for each in posts(desk) if "Body" in each]) == 1


async def test_stop_is_found_in_the_list(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        sent = await desk.send(await asking(desk, HAD_ENOUGH))
        history = await desk.history()
        await history.until(sent.id, lambda alert: "STOP" in alert.events[-1].note, 20)
        known = await (await desk.database()).read(
            lambda connection: texting_states_of(
                connection, desk.services.twilio.account_sid, [HAD_ENOUGH]
            )
        )
        assert known[HAD_ENOUGH].state == "stop"


async def test_nobody_replies(tmp_path, monkeypatch):
    async with simulated_desk(tmp_path) as desk:
        history = await desk.history()
        sent = await desk.send(await asking(desk, ANYBODY))
        waiting = await history.until(sent.id, lambda alert: bool(alert.reply_until), 20)
        assert waiting.reply_until is not None
        left = waiting.reply_until - datetime.now(UTC)
        assert REPLY_WINDOW - timedelta(minutes=1) < left <= REPLY_WINDOW
        monkeypatch.setattr(following, "_seconds_until", lambda _: 0.0)
        # Anything new makes the delivery look at the clock.
        await history.record(sent.id, Event(datetime.now(UTC), None, "A look"))
        ended = await until_over(desk, sent.id)
    assert (ended.status, ended.events[-1].note) == ("delivered", "Nobody replied")
    assert not ended.reached


async def test_canceling_ends_the_wait(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        history = await desk.history()
        sent = await desk.send(await asking(desk, ANYBODY))
        await history.until(sent.id, lambda alert: bool(alert.reply_until), 20)
        await desk.acting_as(Actor("ann", EVERYTHING)).cancel(sent.id)
        assert (await until_over(desk, sent.id)).status == "delivered"


async def test_another_process_goes_on_waiting(tmp_path):
    request = replace(TEXT, to=ANYBODY, acknowledge=True)
    async with simulated_desk(tmp_path) as desk:
        history = await desk.history()
        sent = await desk.send(request)
        await history.until(sent.id, lambda alert: bool(alert.reply_until), 20)
        simulator = desk.services.simulator
        assert simulator is not None
        twilio = desk.services.twilio
        async with simulated_desk(tmp_path, twilio=twilio, simulator=simulator) as other:
            await history.close()
            simulator.exchange.receive_text(ANYBODY, SIMULATOR_FROM_NUMBER, "ok")
            assert (await until_over(other, sent.id)).status == "acknowledged"


async def test_nothing_is_asked_of_twilio_while_nobody_is_awaited(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        await followed(desk, TEXT)
        history = await desk.history()
        assert await history.awaited_replies() == {}
        await followed(desk, replace(TEXT, to=PROMPT, acknowledge=True))
        assert await history.awaited_replies() == {}
        # A look saves nothing twice.
        before = await history.unknown_texts(["SM0"])
        await ReplyPoller(desk.services, history).look({PROMPT: datetime.now(UTC)})
        assert before == {"SM0"}
