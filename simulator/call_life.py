"""How a call goes on in time: queued, ringing, answered, over."""

from __future__ import annotations

import asyncio

from simulator.call import Call
from simulator.conversation import Conversation
from simulator.directory import Person, person_at
from simulator.instructions import Instructions
from simulator.twiml_fetch import TwimlFetcher

QUEUED_SECONDS = 0.3
HUMAN_DETECTION_SECONDS = 2
MACHINE_DETECTION_SECONDS = 4


async def place(call: Call, fetcher: TwimlFetcher) -> None:
    """Take a queued call to its end."""
    person = person_at(call.request.to)
    await call.clock.sleep(QUEUED_SECONDS)
    if person.call == "failed":
        call.end("failed")
        return
    call.ring()
    await call.clock.sleep(min(person.rings, call.request.timeout))
    if person.rings > call.request.timeout:
        call.end("no-answer")
    elif person.call != "answers":
        call.end(person.call)
    else:
        call.answer()
        await talk(call, fetcher, call.request.instructions)


async def talk(call: Call, fetcher: TwimlFetcher, instructions: Instructions) -> None:
    """Take an answered call to its end: by the instructions, the listener, or the time limit."""
    person = person_at(call.request.to)
    stays = min(person.stays, call.request.time_limit) - call.seconds_since_answer
    try:
        async with call.clock.limit(stays) as limit:
            await _listen(call, person, fetcher, instructions)
    except TimeoutError:
        if not limit.expired():
            raise
        call.note("hangup", "The other end hangs up.")
    call.end("completed")


async def _listen(
    call: Call, person: Person, fetcher: TwimlFetcher, instructions: Instructions
) -> None:
    conversation = Conversation(call, person, fetcher)
    if call.answered_by is not None or call.request.machine_detection is None:
        await conversation.follow(instructions)
    elif not call.request.detects_in_background:
        await _detect(call, person)
        await conversation.follow(instructions)
    else:
        detection = asyncio.create_task(_detect(call, person))
        try:
            await conversation.follow(instructions)
        finally:
            detection.cancel()


async def _detect(call: Call, person: Person) -> None:
    """https://www.twilio.com/docs/voice/answering-machine-detection"""
    if not person.is_machine:
        await call.clock.sleep(HUMAN_DETECTION_SECONDS)
        call.answered_by = "human"
        return
    await call.clock.sleep(MACHINE_DETECTION_SECONDS)
    waits_for_beep = call.request.machine_detection == "DetectMessageEnd"
    call.answered_by = "machine_end_beep" if waits_for_beep else "machine_start"
