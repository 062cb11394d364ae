"""Step 4: seeing what becomes of a call or text, and acting on it while it lasts."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime

from alerts.alert import Alert, Event
from alerts.message.call_twiml import write_voicemail
from alerts.status import Status
from alerts.steps.courier import Courier
from alerts.steps.poll_schedule import Followed
from twilio_client import Call, TwilioClient, TwilioError, TwilioRefused

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ACTIONS = 2.0


async def follow(courier: Courier, alert_id: str, try_number: int) -> None:
    """Wait until a try is over; end its call when somebody cancels, speak to a machine."""
    alert = await courier.alert(alert_id)
    if alert.sid is None or _is_over(alert, try_number):
        return
    placed_at = next(event.at for event in alert.events if event.sid == alert.sid)
    followed = Followed(alert_id, try_number, alert.channel, alert.sid, placed_at)
    with courier.follower.following(followed), courier.history.news_of(alert_id) as news:
        done: set[str] = set()
        while not _is_over(alert, try_number):
            if "look" not in done and _has_ended(alert, try_number):
                done.add("look")
                courier.follower.look_soon(followed)
            pending = await _act(courier, alert, alert.sid or "", done)
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_BETWEEN_ACTIONS if pending else None):
                    alert = await news.get() or alert


def _is_over(alert: Alert, try_number: int) -> bool:
    return alert.status.final or alert.try_number != try_number


def _has_ended(alert: Alert, try_number: int) -> bool:
    """Whether Twilio told that the call is over, but not yet whether a machine had answered."""
    return any(
        event.status is Status.COMPLETED and event.try_number == try_number
        for event in alert.events
    )


async def _act(courier: Courier, alert: Alert, sid: str, done: set[str]) -> bool:
    """Do once what the alert's standing asks for; true if it has to be tried again."""
    if alert.channel != "call":
        return False
    try:
        if alert.canceling and "end" not in done:
            await end_call(courier.services.twilio, sid)
            done.add("end")
        elif _is_at_the_beep(alert) and "speak" not in done:
            await _speak_to_machine(courier, alert, sid)
            done.add("speak")
    except TwilioError as problem:
        log.warning("A call could not be changed: %s", problem)
        return True
    return False


def _is_at_the_beep(alert: Alert) -> bool:
    heard = (alert.answered_by or "").startswith("machine_end")
    return heard and alert.status is Status.ANSWERED and bool(alert.request.voicemail)


async def _speak_to_machine(courier: Courier, alert: Alert, sid: str) -> None:
    """Leave the short message in place of what the machine has been told so far."""
    with suppress(TwilioRefused):
        await courier.services.twilio.update_call(
            sid, twiml=write_voicemail(alert.request).to_xml()
        )
        note = "A machine answered: leaving the short message"
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number)
        await courier.history.record(alert.id, event)


async def end_call(twilio: TwilioClient, sid: str) -> Call | None:
    """Hang up, or keep it from being dialled; gives the call, or None if it was over already.

    Raises `TwilioError` if it has to be tried again.
    https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
    """
    try:
        return await twilio.update_call(sid, status="completed")
    except TwilioRefused:
        return None
