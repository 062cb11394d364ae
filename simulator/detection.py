"""Telling answering machines from people.

https://www.twilio.com/docs/voice/answering-machine-detection
"""

from __future__ import annotations

from simulator.callbacks import Callbacks
from simulator.models.call import Call, request_parameters
from simulator.models.people import Person

HUMAN_SECONDS = 2
MACHINE_SECONDS = 4


async def detect(call: Call, person: Person) -> None:
    """Find out who answered, if the call's detection has the time for it."""
    needed = MACHINE_SECONDS if person.is_machine else HUMAN_SECONDS
    takes = min(needed, call.request.detection_timeout)
    await call.clock.sleep(takes)
    call.detection_seconds = takes
    call.answered_by = "unknown" if takes < needed else _kind(call, person)


async def detect_in_background(call: Call, person: Person, callbacks: Callbacks) -> None:
    """The same while the call goes on; the result goes to the call's AsyncAmdStatusCallback."""
    await detect(call, person)
    if call.request.detection_callback is not None:
        callbacks.send(call, call.request.detection_callback, request_parameters(call))


def _kind(call: Call, person: Person) -> str:
    if not person.is_machine:
        return "human"
    waits_for_beep = call.request.machine_detection == "DetectMessageEnd"
    return "machine_end_beep" if waits_for_beep else "machine_start"
