"""The simple TwiML verbs: Say, Play, Pause, Hangup, Reject and Redirect.

https://www.twilio.com/docs/voice/twiml#twiml-verbs
"""

from __future__ import annotations

from simulator.models.webhooks import Instructions
from simulator.twiml.context import (
    NextStep,
    VerbContext,
    absolute_url,
    read_method,
    read_whole_number,
)
from simulator.twiml.document import Verb

SPOKEN_CHARACTERS_PER_SECOND = 14
SHORTEST_SPEECH_SECONDS = 0.5
# A Chinese, Japanese or Korean character is a syllable, and takes as long as three letters.
FIRST_SYLLABIC_CHARACTER = "\u2e80"
LETTERS_IN_SYLLABLE = 3
AUDIO_SECONDS = 3
LONGEST_SPEECH_CHARACTERS = 4096


async def say(verb: Verb, context: VerbContext) -> NextStep:
    """Speak the text. https://www.twilio.com/docs/voice/twiml/say"""
    call = context.call
    if not verb.text or len(verb.text) > LONGEST_SPEECH_CHARACTERS:
        call.warn(13520, f"Say takes 1 to {LONGEST_SPEECH_CHARACTERS} characters.")
        return None
    remaining = read_whole_number(verb, "loop", 1, 13510, context)
    letters = sum(
        LETTERS_IN_SYLLABLE if each >= FIRST_SYLLABIC_CHARACTER else 1 for each in verb.text
    )
    seconds = max(letters / SPOKEN_CHARACTERS_PER_SECOND, SHORTEST_SPEECH_SECONDS)
    forever = remaining == 0
    while forever or remaining > 0:
        call.note("say", verb.text, verb.get("voice"), verb.get("language"), seconds)
        await call.clock.sleep(seconds)
        remaining -= 1
    return None


async def play(verb: Verb, context: VerbContext) -> NextStep:
    """Play audio or key tones. The file itself isn't fetched; it counts as three seconds.

    https://www.twilio.com/docs/voice/twiml/play
    """
    remaining = read_whole_number(verb, "loop", 1, 13410, context)
    forever = remaining == 0
    while forever or remaining > 0:
        context.call.note("play", verb.get("digits") or verb.text, seconds=AUDIO_SECONDS)
        await context.call.clock.sleep(AUDIO_SECONDS)
        remaining -= 1
    return None


async def pause(verb: Verb, context: VerbContext) -> NextStep:
    """Wait in silence. https://www.twilio.com/docs/voice/twiml/pause"""
    seconds = read_whole_number(verb, "length", 1, 13910, context)
    context.call.note("pause", f"{seconds} s", seconds=seconds)
    await context.call.clock.sleep(seconds)
    return None


async def hang_up(verb: Verb, context: VerbContext) -> NextStep:
    """End the call. https://www.twilio.com/docs/voice/twiml/hangup"""
    context.call.note("hangup", "The call is ended by its instructions.")
    return "hangup"


async def reject(verb: Verb, context: VerbContext) -> NextStep:
    """End the call. Reject is meant for incoming calls; an outgoing one was answered by now.

    https://www.twilio.com/docs/voice/twiml/reject
    """
    reason = verb.get("reason") or "rejected"
    if reason not in {"rejected", "busy"}:
        context.call.warn(13810, f"Reject reason must be rejected or busy, not {reason!r}.")
        reason = "rejected"
    context.call.note("hangup", f"The call is rejected by its instructions ({reason}).")
    return "hangup"


async def redirect(verb: Verb, context: VerbContext) -> NextStep:
    """Go on with another document. https://www.twilio.com/docs/voice/twiml/redirect"""
    url = absolute_url(verb.text, context.document)
    method = read_method(verb, "method", 13710, context)
    context.call.note("redirect", url)
    return Instructions(url=url, method=method)
