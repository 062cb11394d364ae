"""The Gather verb: a prompt, then the keys that the person presses.

https://www.twilio.com/docs/voice/twiml/gather
"""

from __future__ import annotations

from simulator.clock import run_until
from simulator.models.call import Call
from simulator.models.webhooks import Instructions
from simulator.twiml.context import (
    NextStep,
    VerbContext,
    absolute_url,
    read_flag,
    read_method,
    read_whole_number,
)
from simulator.twiml.document import Verb
from simulator.twiml.verbs import pause, play, say

THINKING_SECONDS = 1
"""How long a character takes to press the first key."""

_PROMPTS = {"Say": say, "Play": play, "Pause": pause}


async def gather(verb: Verb, context: VerbContext) -> NextStep:
    """Prompt, wait for keys, and pass them to `action`; without keys the next verb follows."""
    call = context.call
    timeout = read_whole_number(verb, "timeout", 5, 13313, context)
    takes_keys = "dtmf" in (verb.get("input") or "dtmf").split()
    call.callee.clear_keys()
    call.set_gathering(takes_keys)
    try:
        # Pressing a key cuts the prompt short.
        await run_until(call.callee.key_pressed, _prompt(verb, context))
        call.note("gather", f"Waiting {timeout} s for keys.")
        digits = ""
        if takes_keys:
            digits = await _digits(verb, context, timeout)
        else:
            await call.clock.sleep(timeout)
    finally:
        call.set_gathering(False)
    if not digits and not read_flag(verb, "actionOnEmptyResult"):
        return None
    return Instructions(
        url=absolute_url(verb.get("action") or "", context.document),
        method=read_method(verb, "method", 13312, context),
        parameters=(("Digits", digits),),
    )


async def _prompt(verb: Verb, context: VerbContext) -> None:
    for prompt in verb.children:
        perform = _PROMPTS.get(prompt.name)
        if perform is None:
            context.call.warn(13320, f"{prompt.name} isn't allowed in Gather.")
        else:
            await perform(prompt, context)


async def _digits(verb: Verb, context: VerbContext, silence: int) -> str:
    callee = context.call.callee
    limit = read_whole_number(verb, "numDigits", 0, 13314, context)
    finish = verb.get("finishOnKey")
    presses = context.person.presses
    if presses and silence >= THINKING_SECONDS and not callee.key_pressed.is_set():
        await context.call.clock.sleep(THINKING_SECONDS)
        callee.press(presses)
    return await _collect_keys(context.call, silence, limit, "#" if finish is None else finish)


async def _collect_keys(call: Call, silence: float, limit: int, finish_on_keys: str) -> str:
    """Return the keys pressed until `limit` of them (0: any number), one of `finish_on_keys`
    (which isn't counted), or `silence` simulated seconds without a key."""
    digits = ""
    while await call.clock.wait_for(call.callee.key_pressed, silence):
        key = call.callee.take_key()
        if key is None:
            continue
        call.note("digits", key)
        if key in finish_on_keys:
            break
        digits += key
        if len(digits) == limit:
            break
    return digits
