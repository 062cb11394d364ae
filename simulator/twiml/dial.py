"""The Dial verb: a second call, joined with the first until one of the two hangs up.

https://www.twilio.com/docs/voice/twiml/dial
"""

from __future__ import annotations

import asyncio

from simulator.clock import run_until
from simulator.models.call import LONGEST_CALL_SECONDS, Call, CallEvent, CallRequest
from simulator.models.phone_numbers import read_number
from simulator.models.webhooks import Callback, Instructions, call_events
from simulator.twiml.context import (
    NextStep,
    VerbContext,
    absolute_url,
    read_flag,
    read_method,
    read_whole_number,
)
from simulator.twiml.document import Verb

RING_SECONDS = 30
_NOT_DIALED = frozenset({"Client", "Conference", "Queue", "Sim", "Sip", "WhatsApp"})


async def dial(verb: Verb, context: VerbContext) -> NextStep:
    """Call another number and wait until one of the two hangs up; then `action`, or the next
    verb."""
    call, control = context.call, context.control
    noun = _number_noun(verb, call)
    number = None if noun is None else read_number(noun.text)
    if noun is None or number is None:
        call.warn(13224, f"Dial: {verb.text!r} can't be called.")
        return _next_step(verb, context, None)
    dialed = control.dial(call, _call_request(verb, noun, context, number))
    call.note("dial", number)
    try:
        await _wait_until_over(verb, call, dialed)
    finally:
        if not dialed.is_over:
            control.hang_up(dialed, "The caller hangs up.")
    call.note("dial", f"{number}: {dialed.status}")
    return _next_step(verb, context, dialed)


def _number_noun(verb: Verb, call: Call) -> Verb | None:
    """The element that holds the number: a Number in the Dial, or the Dial itself."""
    numbers = [child for child in verb.children if child.name == "Number"]
    for child in verb.children:
        if child.name in _NOT_DIALED:
            call.warn(None, f"The simulator doesn't dial {child.name}.")
    if len(numbers) > 1:
        call.warn(None, "The simulator dials the first Number only.")
    if numbers:
        return numbers[0]
    return None if verb.children else verb


def _call_request(verb: Verb, noun: Verb, context: VerbContext, number: str) -> CallRequest:
    return CallRequest(
        to=number,
        from_=_caller_id(verb, context) or context.call.request.from_,
        instructions=Instructions(),
        fallback=None,
        timeout=read_whole_number(verb, "timeout", RING_SECONDS, 13212, context),
        time_limit=read_whole_number(verb, "timeLimit", LONGEST_CALL_SECONDS, 13216, context),
        machine_detection=None,
        status_callback=_status_callback(noun, context),
        status_events=call_events(noun.get("statusCallbackEvent") or ""),
    )


def _caller_id(verb: Verb, context: VerbContext) -> str | None:
    text = verb.get("callerId")
    if text is None:
        return None
    number = read_number(text) or ""
    if not context.control.may_call_from(context.call.account_sid, number):
        context.call.warn(13214, f"Dial callerId {text!r} isn't a number of the account's.")
        return None
    return number


def _status_callback(noun: Verb, context: VerbContext) -> Callback | None:
    url = noun.get("statusCallback")
    if not url or noun.name != "Number":
        return None
    return Callback(
        absolute_url(url, context.document),
        read_method(noun, "statusCallbackMethod", 13210, context),
    )


async def _wait_until_over(verb: Verb, call: Call, dialed: Call) -> None:
    is_over = asyncio.Event()

    def notice(observed: Call, event: CallEvent) -> None:
        if observed.is_over:
            is_over.set()

    dialed.observers.append(notice)
    call.callee.clear_keys()
    if read_flag(verb, "hangupOnStar"):
        await run_until(is_over, _star(call))
    else:
        await is_over.wait()


async def _star(call: Call) -> None:
    while True:
        await call.callee.key_pressed.wait()
        key = call.callee.take_key()
        if key is not None:
            call.note("digits", key)
        if key == "*":
            return


def _next_step(verb: Verb, context: VerbContext, dialed: Call | None) -> NextStep:
    action = verb.get("action")
    if not action:
        return None
    parameters = [("DialCallStatus", "failed" if dialed is None else dialed.status)]
    if dialed is not None:
        parameters.append(("DialCallSid", dialed.sid))
        parameters.append(("DialBridged", "true" if dialed.duration is not None else "false"))
        if dialed.duration is not None:
            parameters.append(("DialCallDuration", str(dialed.duration)))
    return Instructions(
        url=absolute_url(action, context.document),
        method=read_method(verb, "method", 13210, context),
        parameters=tuple(parameters),
    )
