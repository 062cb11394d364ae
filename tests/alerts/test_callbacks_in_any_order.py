"""Made-up alerts, reported as Twilio does: over HTTP, signed, late, twice; and forged requests."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from random import Random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import Event, Status
from alerts.alert import tries_of
from alerts.submissions import Outcome
from tests.support.callback_app import CallbackApp, callback_app
from tests.support.databases import sqlite_in
from tests.support.made_up_alerts import made_up_alerts

pytestmark = pytest.mark.slow

CALL_WORDS = {
    Status.PLACED: "initiated",
    Status.RINGING: "ringing",
    Status.ANSWERED: "in-progress",
    Status.COMPLETED: "completed",
    Status.UNANSWERED: "no-answer",
    Status.FAILED: "failed",
    Status.CANCELED: "canceled",
}
TEXT_WORDS = {
    Status.PLACED: "sent",
    Status.DELIVERED: "delivered",
    Status.FAILED: "undelivered",
    Status.CANCELED: "canceled",
}


def as_form(event: Event, channel: str, sid: str) -> dict[str, str]:
    """The form of the callback that reports the event."""
    if channel == "text":
        assert event.status is not None
        return {"MessageSid": sid, "MessageStatus": TEXT_WORDS[event.status]}
    form = {"CallSid": sid}
    if event.status is not None:
        form["CallStatus"] = CALL_WORDS[event.status]
    if event.answered_by is not None:
        form["AnsweredBy"] = event.answered_by
    if event.duration is not None:
        form["CallDuration"] = str(event.duration)
    return form


class CallbackSender:
    """Reports one alert's events to the app as Twilio would, and some forged ones."""

    def __init__(self, app: CallbackApp, alert_id: str, chance: Random) -> None:
        self.app = app
        self.alert_id = alert_id
        self.chance = chance

    async def send(self, event: Event) -> None:
        alert = await self.app.alert(self.alert_id)
        channel = tries_of(alert.request)[event.try_number - 1].channel
        sid = event.sid and f"{event.sid}-{self.alert_id}"
        if event.status is Status.SENDING:
            await self.app.begin(self.alert_id, event.try_number)
        elif event.source != "callback":
            await self._write(replace(event, sid=sid))
        else:
            form = as_form(event, channel, str(sid))
            if self.chance.random() < 0.3:
                await self._forge(form, event.try_number)
            assert await self.app.status(form, self.alert_id, event.try_number) == 204

    async def _write(self, event: Event) -> None:
        refused = event.status is Status.FAILED and event.sid is None
        request_id = f"{self.alert_id}-{event.try_number}"
        if refused:
            await self.app.settle(request_id, Outcome.REFUSED)
        await self.app.record(event, self.alert_id)

    async def _forge(self, form: dict[str, str], number: int) -> None:
        """Send callbacks that say it is over and that 1 was pressed, without Twilio's signature."""
        before = await self.app.alert(self.alert_id)
        addresses = self.app.addresses
        forged = {"X-Twilio-Signature": secrets.token_urlsafe(20)}
        over = form | {"CallStatus": "completed", "MessageStatus": "delivered", "Digits": "1"}
        for url in (
            addresses.status(self.alert_id, number),
            addresses.key_press(self.alert_id, number),
        ):
            answer = await self.app.post(url, over, forged)
            assert answer.status_code == httpx.codes.FORBIDDEN
        assert await self.app.alert(self.alert_id) == before


@settings(max_examples=40)
@given(made_up_alerts(), st.randoms(use_true_random=False))
def test_an_alert_ends_as_it_truly_did(tmp_path_factory, made_up, chance):
    request, events, end = made_up
    # A database of its own, because all examples use the same number.
    database = sqlite_in(tmp_path_factory.mktemp("made-up"))

    async def send() -> None:
        async with callback_app(database) as app:
            await app.add("a & b", request)
            sender = CallbackSender(app, "a & b", chance)
            for event in events:
                await sender.send(event)
            alert = await app.alert("a & b")
            assert alert.status is end
            if alert.sid:
                assert alert.sid.startswith(f"CA{alert.try_number}-")

    asyncio.run(send())
