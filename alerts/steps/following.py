"""Step 4: follow a call or text to its end; hang up or leave a voicemail message on the way."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime

from alerts.alert import Alert, Event
from alerts.errors import UnusableInput
from alerts.history import History
from alerts.message.call_twiml import write_voicemail
from alerts.message.compose import filled_in
from alerts.status import Status
from alerts.steps.polling import PlacedTry, StatusPoller
from alerts.steps.waiting import LONGEST_WAIT_SECONDS
from twilio_client import Call, TwilioClient, TwilioError, TwilioRefused

log = logging.getLogger(__name__)

CALL_UPDATE_RETRY_SECONDS = 2.0
NO_REPLY = "Nobody replied"


async def follow(
    twilio: TwilioClient, history: History, poller: StatusPoller, alert: Alert
) -> Alert:
    """Wait until the alert's try is over, and return the alert as it stands then.

    Meanwhile, end the call if the alert is canceled, and leave the voicemail message if a machine
    answered. If a text has arrived that asks for a reply, wait for that too.
    """
    number = alert.try_number
    if alert.sid is None or alert.status.final:
        return alert
    placed_at = next(event.at for event in alert.events if event.sid == alert.sid)
    placed = PlacedTry(alert.id, number, alert.channel, alert.sid, placed_at)
    done: set[str] = set()
    with poller.polling(placed), history.news_of(alert.id) as news:
        while not alert.status.final and alert.try_number == number:
            if "poll" not in done and _has_ended(alert):
                done.add("poll")
                poller.poll_soon(placed)
            pending = await _act(twilio, history, alert, placed.sid, done)
            if alert.reply_until and (alert.canceling or _seconds_until(alert.reply_until) <= 0):
                alert = await _stop_waiting_for_reply(history, alert)
                continue
            seconds = CALL_UPDATE_RETRY_SECONDS if pending else None
            if alert.reply_until:
                # Look at the clock again at least every hour, in case it has been set.
                seconds = min(_seconds_until(alert.reply_until), LONGEST_WAIT_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    alert = await news.get() or alert
    return alert


def _seconds_until(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


async def _stop_waiting_for_reply(history: History, alert: Alert) -> Alert:
    """End an alert whose last text has arrived and got no reply."""
    reported = {event.status for event in alert.events if event.try_number == alert.try_number}
    status = Status.DELIVERED if Status.DELIVERED in reported else Status.UNKNOWN
    event = Event(datetime.now(UTC), status, NO_REPLY, try_number=alert.try_number)
    return await history.record(alert.id, event) or alert


async def end_call(twilio: TwilioClient, sid: str) -> Call | None:
    """End a call, dialed or not, and return it; None if it was over already.

    Raises `TwilioError` if Twilio couldn't do it yet.
    https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
    """
    try:
        return await twilio.update_call(sid, status="completed")
    except TwilioRefused:
        return None


def _has_ended(alert: Alert) -> bool:
    """Whether Twilio reported the end of the call; it may still say that a machine answered."""
    return any(
        event.status is Status.COMPLETED and event.try_number == alert.try_number
        for event in alert.events
    )


async def _act(
    twilio: TwilioClient, history: History, alert: Alert, sid: str, done: set[str]
) -> bool:
    """End the call or speak to a machine, each once; true if that failed and has to be repeated."""
    if alert.channel != "call":
        return False
    try:
        if alert.canceling and "end" not in done:
            await end_call(twilio, sid)
            done.add("end")
        elif _is_at_the_beep(alert) and "speak" not in done:
            await _speak_to_machine(twilio, history, alert, sid)
            done.add("speak")
    except TwilioError as problem:
        log.warning("A call couldn't be updated; trying again in a moment: %s", problem)
        return True
    return False


def _is_at_the_beep(alert: Alert) -> bool:
    heard = (alert.answered_by or "").startswith("machine_end")
    return heard and alert.status is Status.ANSWERED and bool(alert.request.voicemail)


async def _speak_to_machine(twilio: TwilioClient, history: History, alert: Alert, sid: str) -> None:
    """Replace the TwiML of the call with the short message for voicemail."""
    try:
        document = write_voicemail(filled_in(alert.request, datetime.now(UTC)))
    except UnusableInput as problem:
        # It had words when the call was placed, but has none at this time of day.
        note = f"A machine answered: no short message. {problem}"
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number)
        await history.record(alert.id, event)
        return
    with suppress(TwilioRefused):
        await twilio.update_call(sid, twiml=document.to_xml())
        note = "A machine answered: leaving the short message"
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number)
        await history.record(alert.id, event)
