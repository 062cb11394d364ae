"""What each TwiML verb does in a call.

Say, Play, Pause, Gather, Hangup and Redirect are performed; other verbs of Twilio's are noted
and passed over. https://www.twilio.com/docs/voice/twiml#twiml-verbs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin

from simulator.call import Call
from simulator.directory import Person
from simulator.errors import TwimlError
from simulator.instructions import Instructions
from simulator.twiml_document import Document, Verb

SPOKEN_CHARACTERS_PER_SECOND = 14
SHORTEST_SPEECH_SECONDS = 0.5
AUDIO_SECONDS = 3
LONGEST_SPEECH = 4096

Outcome = Instructions | Literal["hangup"] | None
"""What follows a verb: other instructions, the end of the call, or simply the next verb."""


@dataclass(frozen=True)
class Scene:
    """The surroundings a verb acts in: the call, who listens, and the document being followed."""

    call: Call
    person: Person
    document: Document


async def say(verb: Verb, scene: Scene) -> Outcome:
    """Speak the text. https://www.twilio.com/docs/voice/twiml/say"""
    if not verb.text or len(verb.text) > LONGEST_SPEECH:
        scene.call.warn(13520, f"Say takes 1 to {LONGEST_SPEECH} characters.")
        return None
    remaining = whole_number(verb, "loop", 1, 13510, scene)
    seconds = max(len(verb.text) / SPOKEN_CHARACTERS_PER_SECOND, SHORTEST_SPEECH_SECONDS)
    forever = remaining == 0
    while forever or remaining > 0:
        scene.call.note("say", verb.text, verb.get("voice"), verb.get("language"))
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
        scene.call.note("play", verb.get("digits") or verb.text)
        await scene.call.clock.sleep(AUDIO_SECONDS)
        remaining -= 1
    return None


async def pause(verb: Verb, scene: Scene) -> Outcome:
    """Wait in silence. https://www.twilio.com/docs/voice/twiml/pause"""
    seconds = whole_number(verb, "length", 1, 13910, scene)
    scene.call.note("pause", f"{seconds} s")
    await scene.call.clock.sleep(seconds)
    return None


async def hang_up(verb: Verb, scene: Scene) -> Outcome:
    """End the call. https://www.twilio.com/docs/voice/twiml/hangup"""
    scene.call.note("hangup", "The call is ended by its instructions.")
    return "hangup"


async def redirect(verb: Verb, scene: Scene) -> Outcome:
    """Go on with another document. https://www.twilio.com/docs/voice/twiml/redirect"""
    url = absolute_url(verb.text, scene.document)
    method = method_of(verb, "method", 13710, scene)
    scene.call.note("redirect", url)
    return Instructions(url=url, method=method)


def absolute_url(reference: str, document: Document) -> str:
    """`reference` as seen from `document`; empty means the document itself. Raises TwimlError."""
    if document.url is None and "://" not in reference:
        raise TwimlError(11100, f"{reference!r} needs a document with an address to start from.")
    return urljoin(document.url or "", reference)


def method_of(verb: Verb, attribute: str, code: int, scene: Scene) -> str:
    """`GET` or `POST`, which is also what Twilio falls back to."""
    method = (verb.get(attribute) or "POST").upper()
    if method in {"GET", "POST"}:
        return method
    scene.call.warn(code, f"{verb.name} {attribute} must be GET or POST, not {method!r}.")
    return "POST"


def whole_number(verb: Verb, attribute: str, default: int, code: int, scene: Scene) -> int:
    """An attribute that counts something; anything else becomes the default, with a warning."""
    text = verb.get(attribute)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    scene.call.warn(code, f"{verb.name} {attribute} must be a whole number, not {text!r}.")
    return default
