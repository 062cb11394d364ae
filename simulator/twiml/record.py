"""The Record verb: a beep, then what the person says.

https://www.twilio.com/docs/voice/twiml/record
"""

from __future__ import annotations

from simulator.models.call import Call
from simulator.models.sids import new_sid
from simulator.models.webhooks import Callback, Instructions
from simulator.twiml.context import Outcome, Scene, absolute_url, method_of, whole_number
from simulator.twiml.document import Verb

BEEP_SECONDS = 0.5
SPEAKING_SECONDS = 4
"""How long everybody speaks, on a handset too: a press of a key is all that can be seen of it."""

LONGEST_RECORDING = 3600


async def record(verb: Verb, scene: Scene) -> Outcome:
    """Record until a key, silence, the longest time or the end of the call; then `action`."""
    timeout = whole_number(verb, "timeout", 5, 13611, scene)
    longest = whole_number(verb, "maxLength", LONGEST_RECORDING, 13612, scene)
    call = scene.call
    if (verb.get("playBeep") or "true").lower() != "false":
        call.note("play", "Beep", seconds=BEEP_SECONDS)
        await call.clock.sleep(BEEP_SECONDS)
    sid, began = new_sid("RE"), call.clock.seconds()
    call.note("record", f"Recording, {longest} s at most.")
    key = "hangup"
    try:
        key = await _wait_for_key(verb, call, min(SPEAKING_SECONDS + timeout, longest))
    finally:
        # The end of the call ends a recording like anything else does.
        seconds = round(min(call.clock.seconds() - began, SPEAKING_SECONDS, longest))
        _tell(verb, scene, sid, seconds)
    call.note("record", f"Recorded {seconds} s.")
    action = verb.get("action") or ""
    if scene.document.url is None and not action:
        return None
    parameters = (*_recording(call, sid, seconds), ("Digits", key))
    url = absolute_url(action, scene.document)
    return Instructions(url, method_of(verb, "method", 13610, scene), parameters=parameters)


async def _wait_for_key(verb: Verb, call: Call, seconds: float) -> str:
    """The key that ended the recording, or nothing if silence or its length did."""
    finish = verb.get("finishOnKey")
    finishing = "1234567890*#" if finish is None else finish
    call.other_end.forget_keys()
    call.listen_for_keys(bool(finishing))
    try:
        async with call.clock.limit(seconds):
            while True:
                await call.other_end.key_pressed.wait()
                key = call.other_end.take_key()
                if key is not None and key in finishing:
                    call.note("digits", key)
                    return key
    except TimeoutError:
        return ""
    finally:
        call.listen_for_keys(False)


def _tell(verb: Verb, scene: Scene, sid: str, seconds: int) -> None:
    reference = verb.get("recordingStatusCallback")
    if not reference:
        return
    call = scene.call
    url = absolute_url(reference, scene.document)
    callback = Callback(url, method_of(verb, "recordingStatusCallbackMethod", 13610, scene))
    parameters = [
        ("AccountSid", call.account_sid),
        ("CallSid", call.sid),
        *_recording(call, sid, seconds),
        ("RecordingStatus", "completed"),
        ("RecordingChannels", "1"),
        ("RecordingSource", "RecordVerb"),
    ]
    scene.exchange.callbacks.send(call, callback, parameters)


def _recording(call: Call, sid: str, seconds: int) -> tuple[tuple[str, str], ...]:
    url = f"https://api.twilio.com/2010-04-01/Accounts/{call.account_sid}/Recordings/{sid}"
    return (("RecordingSid", sid), ("RecordingUrl", url), ("RecordingDuration", str(seconds)))
