"""The Dial verb: a second call, and the two people in it brought together.

https://www.twilio.com/docs/voice/twiml/dial
"""

from __future__ import annotations

import asyncio

from simulator.clock import unless
from simulator.models.call import LONGEST_CALL_SECONDS, Call, CallRequest, Happening
from simulator.models.phone_numbers import read_number
from simulator.models.webhooks import Callback, Instructions, call_events
from simulator.twiml.context import Outcome, Scene, absolute_url, method_of, whole_number
from simulator.twiml.document import Verb

RING_SECONDS = 30
_NOT_DIALED = frozenset({"Client", "Conference", "Queue", "Sim", "Sip", "WhatsApp"})


async def dial(verb: Verb, scene: Scene) -> Outcome:
    """Call somebody else and let both talk until one hangs up; then `action`, or the next verb."""
    noun = _number_noun(verb, scene)
    number = None if noun is None else read_number(noun.text)
    if noun is None or number is None:
        scene.call.warn(13224, f"Dial: {verb.text!r} can't be called.")
        return _after(verb, scene, None)
    dialed = scene.exchange.dial(scene.call, _request(verb, noun, scene, number))
    scene.call.note("dial", number)
    try:
        await _bring_together(verb, scene.call, dialed)
    finally:
        if not dialed.is_over:
            scene.exchange.hang_up(dialed, "The caller hangs up.")
    scene.call.note("dial", f"{number}: {dialed.status}")
    return _after(verb, scene, dialed)


def _number_noun(verb: Verb, scene: Scene) -> Verb | None:
    numbers = [child for child in verb.children if child.name == "Number"]
    for child in verb.children:
        if child.name in _NOT_DIALED:
            scene.call.warn(None, f"The simulator doesn't dial {child.name}.")
    if len(numbers) > 1:
        scene.call.warn(None, "The simulator dials the first Number only.")
    if numbers:
        return numbers[0]
    return None if verb.children else verb


def _request(verb: Verb, noun: Verb, scene: Scene, number: str) -> CallRequest:
    call = scene.call
    caller = verb.get("callerId")
    if caller is not None and not scene.exchange.accounts.of(call.account_sid).may_call_from(
        read_number(caller) or ""
    ):
        scene.call.warn(13214, f"Dial callerId {caller!r} isn't a number of the account's.")
        caller = None
    told = noun.get("statusCallback") if noun.name == "Number" else None
    return CallRequest(
        to=number,
        from_=(read_number(caller) if caller else None) or call.request.from_,
        instructions=Instructions(),
        fallback=None,
        timeout=whole_number(verb, "timeout", RING_SECONDS, 13212, scene),
        time_limit=whole_number(verb, "timeLimit", LONGEST_CALL_SECONDS, 13216, scene),
        machine_detection=None,
        status_callback=None
        if not told
        else Callback(
            absolute_url(told, scene.document),
            method_of(noun, "statusCallbackMethod", 13210, scene),
        ),
        status_events=call_events(noun.get("statusCallbackEvent") or ""),
    )


async def _bring_together(verb: Verb, call: Call, dialed: Call) -> None:
    is_over = asyncio.Event()

    def notice(observed: Call, happening: Happening) -> None:
        if observed.is_over:
            is_over.set()

    dialed.observers.append(notice)
    call.other_end.forget_keys()
    if (verb.get("hangupOnStar") or "").lower() == "true":
        await unless(is_over, _star(call))
    else:
        await is_over.wait()


async def _star(call: Call) -> None:
    while True:
        await call.other_end.key_pressed.wait()
        key = call.other_end.take_key()
        if key is not None:
            call.note("digits", key)
        if key == "*":
            return


def _after(verb: Verb, scene: Scene, dialed: Call | None) -> Outcome:
    action = verb.get("action")
    if not action:
        return None
    parameters = [("DialCallStatus", "failed" if dialed is None else dialed.status)]
    if dialed is not None:
        parameters.append(("DialCallSid", dialed.sid))
        parameters.append(("DialBridged", "true" if dialed.duration is not None else "false"))
        if dialed.duration is not None:
            parameters.append(("DialCallDuration", str(dialed.duration)))
    url = absolute_url(action, scene.document)
    return Instructions(url, method_of(verb, "method", 13210, scene), parameters=tuple(parameters))
