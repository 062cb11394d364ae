"""The simple TwiML verbs: Say, Play, Pause, Hangup, Reject and Redirect.

https://www.twilio.com/docs/voice/twiml#twiml-verbs
"""

from __future__ import annotations

from simulator.models.webhooks import Instructions
from simulator.twiml.context import Outcome, Scene, absolute_url, method_of, whole_number
from simulator.twiml.document import Verb

SPOKEN_CHARACTERS_PER_SECOND = 14
SHORTEST_SPEECH_SECONDS = 0.5
AUDIO_SECONDS = 3
LONGEST_SPEECH = 4096


async def say(verb: Verb, scene: Scene) -> Outcome:
    """Speak the text. https://www.twilio.com/docs/voice/twiml/say"""
    if not verb.text or len(verb.text) > LONGEST_SPEECH:
        scene.call.warn(13520, f"Say takes 1 to {LONGEST_SPEECH} characters.")
        return None
    remaining = whole_number(verb, "loop", 1, 13510, scene)
    seconds = max(len(verb.text) / SPOKEN_CHARACTERS_PER_SECOND, SHORTEST_SPEECH_SECONDS)
    forever = remaining == 0
    while forever or remaining > 0:
        scene.call.note("say", verb.text, verb.get("voice"), verb.get("language"), seconds)
        await scene.call.clock.sleep(seconds)
        remaining -= 1
    return None


async def play(verb: Verb, scene: Scene) -> Outcome:
    """Play audio or key tones. The file itself isn't fetched; it counts as three seconds.

    https://www.twilio.com/docs/voice/twiml/play
    """
    remaining = whole_number(verb, "loop", 1, 13410, scene)
    forever = remaining == 0
    while forever or remaining > 0:
        scene.call.note("play", verb.get("digits") or verb.text, seconds=AUDIO_SECONDS)
        await scene.call.clock.sleep(AUDIO_SECONDS)
        remaining -= 1
    return None


async def pause(verb: Verb, scene: Scene) -> Outcome:
    """Wait in silence. https://www.twilio.com/docs/voice/twiml/pause"""
    seconds = whole_number(verb, "length", 1, 13910, scene)
    scene.call.note("pause", f"{seconds} s", seconds=seconds)
    await scene.call.clock.sleep(seconds)
    return None


async def hang_up(verb: Verb, scene: Scene) -> Outcome:
    """End the call. https://www.twilio.com/docs/voice/twiml/hangup"""
    scene.call.note("hangup", "The call is ended by its instructions.")
    return "hangup"


async def reject(verb: Verb, scene: Scene) -> Outcome:
    """End the call. Reject is for calls that come in: one that was placed is over by then.

    https://www.twilio.com/docs/voice/twiml/reject
    """
    reason = verb.get("reason") or "rejected"
    if reason not in {"rejected", "busy"}:
        scene.call.warn(13810, f"Reject reason must be rejected or busy, not {reason!r}.")
        reason = "rejected"
    scene.call.note("hangup", f"The call is rejected by its instructions ({reason}).")
    return "hangup"


async def redirect(verb: Verb, scene: Scene) -> Outcome:
    """Go on with another document. https://www.twilio.com/docs/voice/twiml/redirect"""
    url = absolute_url(verb.text, scene.document)
    method = method_of(verb, "method", 13710, scene)
    scene.call.note("redirect", url)
    return Instructions(url=url, method=method)
