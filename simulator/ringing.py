"""A call that rings at the other end, and what becomes of it."""

from __future__ import annotations

from simulator.clock import happens
from simulator.models.call import Call
from simulator.models.people import Person, person_at


async def ring(call: Call) -> bool:
    """Let the other end ring: whether somebody or something answered. If not, the call is over."""
    person = person_at(call.request.to)
    if person.call == "failed" and not call.other_end.taken_over.is_set():
        call.end("failed")
        return False
    call.ring()
    outcome = await _outcome(call, person)
    if outcome == "answers":
        call.answer()
        return True
    call.end(outcome)
    return False


async def _outcome(call: Call, person: Person) -> str:
    other_end, clock, timeout = call.other_end, call.clock, call.request.timeout
    began = clock.seconds()
    if await happens(other_end.taken_over, clock, min(person.rings, timeout)):
        rung = clock.seconds() - began
        waits = min(max(other_end.patience, person.rings - rung), timeout - rung)
        if await happens(other_end.decided, clock, waits):
            return "answers" if other_end.picks_up else "busy"
        if clock.seconds() - began >= timeout:
            return "no-answer"
        call.let_go()
    return person.call if person.rings <= timeout else "no-answer"
