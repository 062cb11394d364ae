"""Step 4: follow a call or text to its end; hang up or leave a voicemail message on the way."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus

from alerts.alert import Alert, Event, Problem
from alerts.errors import UnusableInput
from alerts.history import History
from alerts.message.call_twiml import write_voicemail
from alerts.message.compose import filled_in
from alerts.status import Status
from alerts.steps.polling import PlacedTry, StatusPoller
from alerts.steps.waiting import LONGEST_WAIT_SECONDS
from twilio_client import Call, TwilioClient, TwilioError, TwilioRefused

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 60.0
CALL_NOT_ENDED = "The call couldn't be ended"
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
    call = LiveCall(twilio, history, placed.sid) if alert.channel == "call" else None
    is_polled_soon = False
    with poller.polling(placed), history.news_of(alert.id) as news:
        while not alert.status.final and alert.try_number == number:
            if not is_polled_soon and _has_ended(alert):
                is_polled_soon = True
                poller.poll_soon(placed)
            seconds = await call.update(alert) if call else None
            if alert.reply_until and (alert.canceling or _seconds_until(alert.reply_until) <= 0):
                alert = await _stop_waiting_for_reply(history, alert)
                continue
            if alert.reply_until:
                # Look at the clock again at least every hour, in case it has been set.
                seconds = min(_seconds_until(alert.reply_until), LONGEST_WAIT_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    alert = await news.get() or alert
    return alert


class LiveCall:
    """Ends a call if its alert is canceled, and leaves the message for voicemail; each once."""

    def __init__(self, twilio: TwilioClient, history: History, sid: str) -> None:
        self._twilio = twilio
        self._history = history
        self._sid = sid
        self._is_ended = self._has_spoken = False
        self._failures = 0
        self._wait = FIRST_RETRY_SECONDS

    async def update(self, alert: Alert) -> float | None:
        """Do what the alert needs now; returns the seconds until that has to be repeated, if so."""
        try:
            if alert.canceling:
                if not self._is_ended:
                    await end_call(self._twilio, self._sid)
                    self._is_ended = True
            elif _is_at_the_beep(alert) and not self._has_spoken:
                await self._speak_to_machine(alert)
                self._has_spoken = True
        except TwilioError as problem:
            log.warning(
                "The call of alert %s couldn't be updated; trying again: %s", alert.id, problem
            )
            return await self._wait_to_end(alert, problem) if alert.canceling else self._wait
        return None

    async def _wait_to_end(self, alert: Alert, problem: TwilioError) -> float:
        """Return how long to wait before the next hang-up, and let people know if it goes on."""
        self._failures += 1
        # The desk that canceled it reports the same failure, so wait for a second one.
        if self._failures > 1 and not _is_reported(alert):
            await self._note(alert, CALL_NOT_ENDED, problem)
        wait = self._wait
        if isinstance(problem, TwilioRefused):
            # It is about our credentials, which aren't mended soon.
            self._wait = min(self._wait * 2, LONGEST_RETRY_SECONDS)
        return wait

    async def _speak_to_machine(self, alert: Alert) -> None:
        """Replace the TwiML of the call with the short message for voicemail."""
        try:
            document = write_voicemail(filled_in(alert.request, datetime.now(UTC)))
        except UnusableInput as problem:
            # It had words when the call was placed, but has none at this time of day.
            await self._note(alert, f"A machine answered: no short message. {problem}")
            return
        try:
            await self._twilio.update_call(self._sid, twiml=document.to_xml())
        except TwilioRefused as refusal:
            note = "A machine answered: the short message couldn't be left"
            await self._note(alert, note, refusal)
        else:
            await self._note(alert, "A machine answered: leaving the short message")

    async def _note(self, alert: Alert, note: str, problem: TwilioError | None = None) -> None:
        error = Problem.of(problem) if problem else None
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number, error=error)
        await self._history.record(alert.id, event)


async def end_call(twilio: TwilioClient, sid: str) -> Call | None:
    """End a call, dialed or not, and return it; None if it was over already.

    Raises `TwilioError` if Twilio couldn't do it yet, or doesn't let us.
    https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
    """
    try:
        return await twilio.update_call(sid, status="completed")
    except TwilioRefused as refusal:
        # Any other refusal is about our credentials, not about the call, and it goes on.
        if refusal.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
            raise
        return None


def _seconds_until(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


async def _stop_waiting_for_reply(history: History, alert: Alert) -> Alert:
    """End an alert whose last text has arrived and got no reply."""
    reported = {event.status for event in alert.events if event.try_number == alert.try_number}
    status = Status.DELIVERED if Status.DELIVERED in reported else Status.UNKNOWN
    event = Event(datetime.now(UTC), status, NO_REPLY, try_number=alert.try_number)
    return await history.record(alert.id, event) or alert


def _has_ended(alert: Alert) -> bool:
    """Whether Twilio reported the end of the call; it may still say that a machine answered."""
    return any(
        event.status is Status.COMPLETED and event.try_number == alert.try_number
        for event in alert.events
    )


def _is_at_the_beep(alert: Alert) -> bool:
    heard = (alert.answered_by or "").startswith("machine_end")
    return heard and alert.status is Status.ANSWERED and bool(alert.request.voicemail)


def _is_reported(alert: Alert) -> bool:
    """Whether the alert's story says already that this try's call couldn't be ended."""
    return any(
        event.note == CALL_NOT_ENDED and event.try_number == alert.try_number
        for event in alert.events
    )
