"""The Record verb: a beep, then what the person says.

https://www.twilio.com/docs/voice/twiml/record
"""

from __future__ import annotations

from simulator.models.call import Call
from simulator.models.recording import Recording
from simulator.models.sids import new_sid
from simulator.models.webhooks import Callback, Instructions
from simulator.twiml.context import (
    NextStep,
    VerbContext,
    absolute_url,
    read_flag,
    read_method,
    read_whole_number,
)
from simulator.twiml.document import Verb

BEEP_SECONDS = 0.5
SPEAKING_SECONDS = 4
"""How long every callee speaks, on a handset too, where only key presses can be observed."""

LONGEST_RECORDING_SECONDS = 3600


async def record(verb: Verb, context: VerbContext) -> NextStep:
    """Record until a key, silence, `maxLength` or the end of the call; then `action`."""
    timeout = read_whole_number(verb, "timeout", 5, 13611, context)
    longest = read_whole_number(verb, "maxLength", LONGEST_RECORDING_SECONDS, 13612, context)
    call = context.call
    if read_flag(verb, "playBeep", default=True):
        call.note("play", "Beep", seconds=BEEP_SECONDS)
        await call.clock.sleep(BEEP_SECONDS)
    began, start_time = call.clock.seconds(), call.clock.now()
    call.note("record", f"Recording, {longest} s at most.")
    key = "hangup"
    try:
        key = await _wait_for_key(verb, call, min(SPEAKING_SECONDS + timeout, longest))
    finally:
        # In a `finally`, because the end of the call cancels this task and ends the recording too.
        seconds = round(min(call.clock.seconds() - began, SPEAKING_SECONDS, longest))
        recording = Recording(
            new_sid("RE"), call.account_sid, call.sid, start_time, call.clock.now(), seconds
        )
        context.control.add_recording(recording)
        _report(verb, context, recording)
    call.note("record", f"Recorded {seconds} s.")
    action = verb.get("action") or ""
    if context.document.url is None and not action:
        return None
    return Instructions(
        url=absolute_url(action, context.document),
        method=read_method(verb, "method", 13610, context),
        parameters=(*_recording_parameters(call, recording), ("Digits", key)),
    )


async def _wait_for_key(verb: Verb, call: Call, seconds: float) -> str:
    """Return the key that ended the recording, or nothing after `seconds` without one."""
    finish = verb.get("finishOnKey")
    finishing = "1234567890*#" if finish is None else finish
    call.callee.clear_keys()
    call.set_gathering(bool(finishing))
    try:
        async with call.clock.limit(seconds):
            while True:
                await call.callee.key_pressed.wait()
                key = call.callee.take_key()
                if key is not None and key in finishing:
                    call.note("digits", key)
                    return key
    except TimeoutError:
        return ""
    finally:
        call.set_gathering(False)


def _report(verb: Verb, context: VerbContext, recording: Recording) -> None:
    """https://www.twilio.com/docs/voice/twiml/record#attributes-recording-status-callback"""
    reference = verb.get("recordingStatusCallback")
    if not reference:
        return
    call = context.call
    url = absolute_url(reference, context.document)
    callback = Callback(url, read_method(verb, "recordingStatusCallbackMethod", 13610, context))
    parameters = [
        ("AccountSid", call.account_sid),
        ("CallSid", call.sid),
        *_recording_parameters(call, recording),
        ("RecordingStatus", "completed"),
        ("RecordingChannels", "1"),
        ("RecordingSource", "RecordVerb"),
    ]
    context.control.send_callback(call, callback, parameters)


def _recording_parameters(call: Call, recording: Recording) -> tuple[tuple[str, str], ...]:
    return (
        ("RecordingSid", recording.sid),
        ("RecordingUrl", f"{call.api_url}{recording.path}"),
        ("RecordingDuration", str(recording.duration)),
    )
