"""Listening for the keys that are pressed in a call."""

from __future__ import annotations

from simulator.clock import happens
from simulator.models.call import Call


async def collect_keys(call: Call, silence: float, limit: int, finish_on_keys: str) -> str:
    """The keys pressed until `limit` of them (0: any number), one of `finish_on_keys`, which isn't
    counted, or `silence` simulated seconds without any."""
    digits = ""
    while await happens(call.other_end.key_pressed, call.clock, silence):
        key = call.other_end.take_key()
        if key is None:
            continue
        call.note("digits", key)
        if key in finish_on_keys:
            break
        digits += key
        if len(digits) == limit:
            break
    return digits
