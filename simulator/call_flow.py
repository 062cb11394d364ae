"""The course of a call in time: queued, ringing, answered, over."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict

from simulator.clock import Clock, run_until
from simulator.models.call import Call, request_parameters
from simulator.models.people import Person, person_at, person_with_handset
from simulator.models.webhooks import Instructions
from simulator.twiml.context import CallControl
from simulator.twiml.interpreter import Interpreter

QUEUED_SECONDS = 0.3
JOINED_SECONDS = 20
"""How long two people talk when a Dial has joined their calls."""

# How long answering-machine detection takes.
HUMAN_DETECTION_SECONDS = 2
MACHINE_DETECTION_SECONDS = 4


class CallQueue:
    """Each account's queue: `per_second` calls leave it in a simulated second, one at a time.

    https://www.twilio.com/docs/voice/api/call-resource#queue-time
    Raises ValueError unless `per_second` is above 0.
    """

    def __init__(self, clock: Clock, per_second: float) -> None:
        if not (math.isfinite(per_second) and per_second > 0):
            raise ValueError(f"Calls per second must be a number above 0, not {per_second}.")
        self._clock = clock
        self._gap = 1 / per_second
        self._next: dict[str, float] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def wait(self, account_sid: str) -> float:
        """Wait in the account's queue; return the simulated seconds that it took."""
        joined = self._clock.seconds()
        # The slot is used after the wait, so a call canceled meanwhile leaves it to the next one.
        async with self._locks[account_sid]:
            turn = max(joined, self._next.get(account_sid, joined))
            if (wait := turn - self._clock.seconds()) > 0:
                await self._clock.sleep(wait)
            self._next[account_sid] = turn + self._gap
        return turn - joined


async def run_call(call: Call, queue: CallQueue, control: CallControl) -> None:
    """Take a queued call to its end."""
    call.queue_seconds = await queue.wait(call.account_sid)
    await call.clock.sleep(QUEUED_SECONDS)
    call.initiate()
    if await _ring(call):
        await run_answered_call(call, control, call.request.instructions)


async def run_dialed_call(call: Call) -> None:
    """Take the second call of a Dial to its end: the callee talks for a while, then hangs up."""
    call.initiate()
    if await _ring(call):
        stays = min(_listener(call).stays, JOINED_SECONDS, call.request.time_limit)
        await call.clock.wait_for(call.callee.hung_up, stays)
        call.end("completed")


async def run_answered_call(call: Call, control: CallControl, instructions: Instructions) -> None:
    """Take an answered call to its end: the end of the instructions, the callee's, or the time
    limit."""
    person = _listener(call)
    stays = min(person.stays, call.request.time_limit) - call.seconds_since_answer
    try:
        async with call.clock.limit(stays) as limit:
            following = _follow(call, person, control, instructions)
            is_followed = await run_until(call.callee.hung_up, following)
    except TimeoutError:
        if not limit.expired():
            raise
        is_followed = False
    if not is_followed:
        call.note("hangup", "The other end hangs up.")
    call.end("completed")


async def _ring(call: Call) -> bool:
    """Let the callee's phone ring; return whether the call was answered. If not, it is over."""
    person = person_at(call.request.to)
    if person.call == "failed" and not call.callee.on_handset.is_set():
        call.end("failed")
        return False
    call.ring()
    outcome = await _answer(call, person)
    if outcome == "answers":
        call.answer()
        return True
    call.end(outcome)
    return False


async def _answer(call: Call, person: Person) -> str:
    """Wait for what the callee does: `answers`, or the status that the call ends with."""
    callee, clock, timeout = call.callee, call.clock, call.request.timeout
    began = clock.seconds()
    if await clock.wait_for(callee.on_handset, min(person.rings, timeout)):
        rung = clock.seconds() - began
        waits = min(max(callee.ring_seconds, person.rings - rung), timeout - rung)
        if await clock.wait_for(callee.decided, waits):
            return "answers" if callee.picks_up else "busy"
        if clock.seconds() - began >= timeout:
            return "no-answer"
        call.detach_handset()
    return person.call if person.rings <= timeout else "no-answer"


def _listener(call: Call) -> Person:
    number = call.request.to
    return person_with_handset(number) if call.callee.picks_up else person_at(number)


async def _follow(
    call: Call, person: Person, control: CallControl, instructions: Instructions
) -> None:
    interpreter = Interpreter(call, person, control)
    if call.answered_by is not None or call.request.machine_detection is None:
        await interpreter.follow(instructions)
    elif not call.request.detects_in_background:
        await _detect_machine(call, person)
        await interpreter.follow(instructions)
    else:
        detection = asyncio.create_task(_detect_and_report(call, person, control))
        try:
            await interpreter.follow(instructions)
        finally:
            detection.cancel()


async def _detect_machine(call: Call, person: Person) -> None:
    """Find out who answered, or `unknown` if the request's timeout is too short for it.

    https://www.twilio.com/docs/voice/answering-machine-detection
    """
    needed = MACHINE_DETECTION_SECONDS if person.is_machine else HUMAN_DETECTION_SECONDS
    takes = min(needed, call.request.detection_timeout)
    await call.clock.sleep(takes)
    call.detection_seconds = takes
    if takes < needed:
        call.answered_by = "unknown"
    elif not person.is_machine:
        call.answered_by = "human"
    elif call.request.machine_detection == "DetectMessageEnd":
        call.answered_by = "machine_end_beep"
    else:
        call.answered_by = "machine_start"


async def _detect_and_report(call: Call, person: Person, control: CallControl) -> None:
    await _detect_machine(call, person)
    if call.request.detection_callback is not None:
        control.send_callback(call, call.request.detection_callback, request_parameters(call))
