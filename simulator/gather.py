"""The Gather verb: a prompt, then the keys that the person presses.

https://www.twilio.com/docs/voice/twiml/gather
"""

from __future__ import annotations

from simulator.instructions import Instructions
from simulator.twiml_document import Verb
from simulator.verbs import Outcome, Scene, absolute_url, method_of, pause, play, say, whole_number

THINKING_SECONDS = 1
_PROMPTS = {"Say": say, "Play": play, "Pause": pause}


async def gather(verb: Verb, scene: Scene) -> Outcome:
    """Prompt, wait for keys, and hand them to `action`; without keys the next verb follows."""
    timeout = whole_number(verb, "timeout", 5, 13313, scene)
    for prompt in verb.children:
        perform = _PROMPTS.get(prompt.name)
        if perform is None:
            scene.call.warn(13320, f"{prompt.name} isn't allowed in Gather.")
        else:
            await perform(prompt, scene)
    scene.call.note("gather", f"Waiting {timeout} s for keys.")
    digits = await _listen(verb, scene, timeout)
    if not digits and (verb.get("actionOnEmptyResult") or "").lower() != "true":
        return None
    return Instructions(
        url=absolute_url(verb.get("action") or "", scene.document),
        method=method_of(verb, "method", 13312, scene),
        parameters=(("Digits", digits),),
    )


async def _listen(verb: Verb, scene: Scene, patience: int) -> str:
    """The keys pressed before the limit, the finishing key or the silence afterwards."""
    clock = scene.call.clock
    takes_keys = "dtmf" in (verb.get("input") or "dtmf").split()
    pressed = scene.person.presses if takes_keys else ""
    if not pressed or patience < THINKING_SECONDS:
        await clock.sleep(patience)
        return ""
    await clock.sleep(THINKING_SECONDS)
    limit = whole_number(verb, "numDigits", 0, 13314, scene)
    finish = verb.get("finishOnKey")
    digits, is_finished = _collect(pressed, limit, "#" if finish is None else finish)
    scene.call.note("digits", pressed)
    if not is_finished:
        await clock.sleep(patience)
    return digits


def _collect(pressed: str, limit: int, finish_on_keys: str) -> tuple[str, bool]:
    digits = ""
    for key in pressed:
        if key in finish_on_keys:
            return digits, True
        digits += key
        if len(digits) == limit:
            return digits, True
    return digits, False
