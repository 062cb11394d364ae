"""How a call goes on in time: queued, ringing, answered, over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulator.clock import happens, unless
from simulator.detection import detect, detect_in_background
from simulator.models.call import Call
from simulator.models.people import Person, at_handset, person_at
from simulator.models.webhooks import Instructions
from simulator.ringing import ring
from simulator.twiml.interpreter import Conversation

if TYPE_CHECKING:  # the exchange runs these functions
    from simulator.exchange import Exchange

QUEUED_SECONDS = 0.3
TALK_SECONDS = 20
"""How long two people talk whom a Dial has brought together."""


async def place(call: Call, exchange: Exchange) -> None:
    """Take a queued call to its end."""
    call.queue_seconds = await exchange.pace.turn(call.account_sid)
    await call.clock.sleep(QUEUED_SECONDS)
    call.initiate()
    if await ring(call):
        await talk(call, exchange, call.request.instructions)


async def place_dialed(call: Call) -> None:
    """Take a call that a Dial has placed to its end: who answers talks for a while."""
    call.initiate()
    if await ring(call):
        stays = min(_listener(call).stays, TALK_SECONDS, call.request.time_limit)
        await happens(call.other_end.hung_up, call.clock, stays)
        call.end("completed")


async def talk(call: Call, exchange: Exchange, instructions: Instructions) -> None:
    """Take an answered call to its end: by the instructions, the listener, or the time limit."""
    person = _listener(call)
    stays = min(person.stays, call.request.time_limit) - call.seconds_since_answer
    try:
        async with call.clock.limit(stays) as limit:
            listening = _listen(call, person, exchange, instructions)
            is_heard_out = await unless(call.other_end.hung_up, listening)
    except TimeoutError:
        if not limit.expired():
            raise
        is_heard_out = False
    if not is_heard_out:
        call.note("hangup", "The other end hangs up.")
    call.end("completed")


def _listener(call: Call) -> Person:
    number = call.request.to
    return at_handset(number) if call.other_end.picks_up else person_at(number)


async def _listen(
    call: Call, person: Person, exchange: Exchange, instructions: Instructions
) -> None:
    conversation = Conversation(call, person, exchange)
    if call.answered_by is not None or call.request.machine_detection is None:
        await conversation.follow(instructions)
    elif not call.request.detects_in_background:
        await detect(call, person)
        await conversation.follow(instructions)
    else:
        work = detect_in_background(call, person, exchange.callbacks)
        detection = asyncio.create_task(work)
        try:
            await conversation.follow(instructions)
        finally:
            detection.cancel()
