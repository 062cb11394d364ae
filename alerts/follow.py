"""Step 4: watching a call or text at Twilio until nothing more can happen to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

from alerts.alert import Channel, Problem
from alerts.status import Status, status_of_call, status_of_message
from twilio_client import Call, Message, TwilioClient, TwilioError, TwilioRefused, hint_for

FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 5.0
GROWTH = 1.25
# Twilio ends a call after four hours; a text without a delivery receipt stays "sent" for ever.
GIVE_UP_AFTER: dict[Channel, float] = {"call": 4 * 3600, "text": 10 * 60}

CALL_NOTES = {
    "ringing": "Ringing",
    "in-progress": "Answered",
    "completed": "The call is over",
    "busy": "The line was busy",
    "no-answer": "Nobody answered",
    "canceled": "Canceled",
    "failed": "The call couldn't be connected",
}
MESSAGE_NOTES = {
    "delivered": "Delivered",
    "read": "Read",
    "undelivered": "The carrier couldn't deliver it",
    "failed": "Twilio couldn't send it",
    "canceled": "Canceled",
}
CALL_FAILED = Problem(
    None,
    "Twilio couldn't connect the call.",
    "Check the number; the call's page in Twilio's console says what the carrier answered.",
)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a look at Twilio showed."""

    status: Status
    note: str
    error: Problem | None = None


async def follow(twilio: TwilioClient, channel: Channel, sid: str) -> AsyncIterator[Observation]:
    """Look again and again, ever less often, up to a final status or until Twilio won't tell.

    Twilio being out of reach for a while changes nothing: the call itself goes on without us.
    """
    waited, wait = 0.0, FIRST_WAIT
    while waited < GIVE_UP_AFTER[channel]:
        await asyncio.sleep(wait)
        waited += wait
        # Jitter, so that alerts that were sent together aren't looked up together for ever.
        wait = min(wait * GROWTH, LONGEST_WAIT) * random.uniform(0.9, 1.1)  # noqa: S311
        try:
            observation = await _look(twilio, channel, sid)
        except TwilioRefused as refusal:
            problem = Problem.of(refusal)
            yield Observation(Status.UNKNOWN, "Twilio won't say what became of it", problem)
            return
        except TwilioError:
            wait = LONGEST_WAIT
            continue
        yield observation
        if observation.status.final:
            return
    yield Observation(Status.UNKNOWN, "No word of its end ever came")


async def _look(twilio: TwilioClient, channel: Channel, sid: str) -> Observation:
    if channel == "call":
        return observe_call(await twilio.fetch_call(sid))
    return observe_message(await twilio.fetch_message(sid))


def observe_call(call: Call) -> Observation:
    """What a Call resource says, in our words."""
    status = status_of_call(call.status or "", call.answered_by)
    if status is Status.VOICEMAIL:
        return Observation(status, "Voicemail took the call")
    error = CALL_FAILED if status is Status.FAILED else None
    return Observation(status, CALL_NOTES.get(call.status or "", "Twilio has it"), error)


def observe_message(message: Message) -> Observation:
    """What a Message resource says, in our words."""
    status = status_of_message(message.status or "")
    note = MESSAGE_NOTES.get(message.status or "", "Twilio has it")
    if status is not Status.FAILED:
        return Observation(status, note)
    problem = Problem(
        message.error_code,
        message.error_message or f"{note}.",
        hint_for(message.error_code, None),
    )
    return Observation(status, note, problem)
