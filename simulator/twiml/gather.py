"""The Gather verb: a prompt, then the keys that the person presses.

https://www.twilio.com/docs/voice/twiml/gather
"""

from __future__ import annotations

from simulator.clock import unless
from simulator.keys import collect_keys
from simulator.models.webhooks import Instructions
from simulator.twiml.context import Outcome, Scene, absolute_url, method_of, whole_number
from simulator.twiml.document import Verb
from simulator.twiml.verbs import pause, play, say

THINKING_SECONDS = 1
_PROMPTS = {"Say": say, "Play": play, "Pause": pause}


async def gather(verb: Verb, scene: Scene) -> Outcome:
    """Prompt, wait for keys, and hand them to `action`; without keys the next verb follows."""
    timeout = whole_number(verb, "timeout", 5, 13313, scene)
    takes_keys = "dtmf" in (verb.get("input") or "dtmf").split()
    other_end = scene.call.other_end
    other_end.forget_keys()
    scene.call.listen_for_keys(takes_keys)
    try:
        # Whoever presses a key has heard enough.
        await unless(other_end.key_pressed, _prompt(verb, scene))
        scene.call.note("gather", f"Waiting {timeout} s for keys.")
        digits = (
            await _digits(verb, scene, timeout) if takes_keys else await _no_keys(scene, timeout)
        )
    finally:
        scene.call.listen_for_keys(False)
    if not digits and (verb.get("actionOnEmptyResult") or "").lower() != "true":
        return None
    return Instructions(
        url=absolute_url(verb.get("action") or "", scene.document),
        method=method_of(verb, "method", 13312, scene),
        parameters=(("Digits", digits),),
    )


async def _prompt(verb: Verb, scene: Scene) -> None:
    for prompt in verb.children:
        perform = _PROMPTS.get(prompt.name)
        if perform is None:
            scene.call.warn(13320, f"{prompt.name} isn't allowed in Gather.")
        else:
            await perform(prompt, scene)


async def _digits(verb: Verb, scene: Scene, silence: int) -> str:
    limit = whole_number(verb, "numDigits", 0, 13314, scene)
    finish = verb.get("finishOnKey")
    presses = scene.person.presses
    if presses and silence >= THINKING_SECONDS and not scene.call.other_end.key_pressed.is_set():
        await scene.call.clock.sleep(THINKING_SECONDS)
        scene.call.other_end.press(presses)
    return await collect_keys(scene.call, silence, limit, "#" if finish is None else finish)


async def _no_keys(scene: Scene, silence: int) -> str:
    await scene.call.clock.sleep(silence)
    return ""
