"""True stories, told as Twilio tells them: over HTTP, signed, late and twice; and forged ones."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from random import Random

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import Event, Status
from alerts.alert import tries_of
from alerts.submissions import Outcome
from tests.support.stories import stories
from tests.support.told_app import Told, told

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
    """What Twilio says in place of the event."""
    if channel == "text":
        assert event.status is not None
        return {"MessageSid": sid, "MessageStatus": TEXT_WORDS[event.status]}
    form = {"CallSid": sid}
    if event.status is not None:
        form["CallStatus"] = CALL_WORDS[event.status]
    if event.answered_by is not None:
        form["AnsweredBy"] = event.answered_by
    return form


class Teller:
    """Tells one alert's story."""

    def __init__(self, desk: Told, alert_id: str, chance: Random) -> None:
        self.desk = desk
        self.alert_id = alert_id
        self.chance = chance

    async def tell(self, event: Event) -> None:
        alert = await self.desk.alert(self.alert_id)
        channel = tries_of(alert.request)[event.try_number - 1].channel
        sid = event.sid and f"{event.sid}-{self.alert_id}"
        if event.status is Status.SENDING:
            await self.desk.begin(self.alert_id, event.try_number)
        elif event.source != "callback":
            await self._write(replace(event, sid=sid))
        else:
            form = as_form(event, channel, str(sid))
            if self.chance.random() < 0.3:
                await self._forge(form, event.try_number)
            assert await self.desk.status(form, self.alert_id, event.try_number) == 204

    async def _write(self, event: Event) -> None:
        refused = event.status is Status.FAILED and event.sid is None
        request_id = f"{self.alert_id}-{event.try_number}"
        if refused:
            await self.desk.settle(request_id, Outcome.REFUSED)
        await self.desk.record(event, self.alert_id)

    async def _forge(self, form: dict[str, str], number: int) -> None:
        """Somebody else says that it is over, and that somebody pressed 1."""
        before = await self.desk.alert(self.alert_id)
        addresses = self.desk.addresses
        forged = {"X-Twilio-Signature": secrets.token_urlsafe(20)}
        over = form | {"CallStatus": "completed", "MessageStatus": "delivered", "Digits": "1"}
        for url in (
            addresses.status(self.alert_id, number),
            addresses.key_press(self.alert_id, number),
        ):
            answer = await self.desk.post(url, over, forged)
            assert answer.status_code == httpx.codes.FORBIDDEN
        assert await self.desk.alert(self.alert_id) == before


@settings(max_examples=40, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_a_story_over_http(tmp_path_factory, story, chance):
    request, events, end = story
    # Of its own: only one request to a number may be about at a time.
    database = tmp_path_factory.getbasetemp() / f"{secrets.token_hex(8)}.sqlite"

    async def tell() -> None:
        async with told(f"sqlite:///{database}") as desk:
            await desk.add("a & b", request)
            teller = Teller(desk, "a & b", chance)
            for event in events:
                await teller.tell(event)
            alert = await desk.alert("a & b")
            assert alert.status is end
            if alert.sid:
                assert alert.sid.startswith(f"CA{alert.try_number}-")

    asyncio.run(tell())
