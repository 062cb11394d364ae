"""Following TwiML in a call: document after document, verb after verb."""

from __future__ import annotations

from simulator.errors import TwimlError
from simulator.models.call import Call, request_parameters
from simulator.models.people import Person
from simulator.models.webhooks import Instructions
from simulator.twiml.context import CallControl, NextStep, VerbContext
from simulator.twiml.dial import dial
from simulator.twiml.document import Document, Verb, parse_twiml
from simulator.twiml.gather import gather
from simulator.twiml.record import record
from simulator.twiml.verbs import hang_up, pause, play, redirect, reject, say

MOST_DOCUMENTS = 50
"""Our own limit: Twilio lets documents lead to one another until the call's time is up."""

APOLOGY = "We're sorry, an application error has occurred. Goodbye."

_PERFORM = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Gather": gather,
    "Record": record,
    "Dial": dial,
    "Reject": reject,
    "Hangup": hang_up,
    "Redirect": redirect,
}
_NOT_SIMULATED = frozenset(
    {"Connect", "Enqueue", "Leave", "Pay", "Prompt", "Queue", "Refer", "Siprec", "Sms"}
    | {"Start", "Stop", "Stream", "Transcription"}
)


class Interpreter:
    """Follows TwiML in one call, which `person` hears."""

    def __init__(self, call: Call, person: Person, control: CallControl) -> None:
        self._call = call
        self._person = person
        self._control = control
        self._fallback = call.request.fallback

    async def follow(self, instructions: Instructions) -> None:
        """Perform `instructions` and the documents they lead to, until no verb is left.

        After an error the fallback URL is followed, once; without one the listener hears an
        apology. Errors are noted in the call.
        """
        step: Instructions | None = instructions
        followed = 0
        while step is not None:
            followed += 1
            try:
                if followed > MOST_DOCUMENTS:
                    raise TwimlError(11215, f"More than {MOST_DOCUMENTS} documents in one call.")
                step = await self._follow_document(step)
            except TwimlError as error:
                self._call.fail(error)
                step = self._take_fallback(error)
                if step is None:
                    await self._apologize()

    async def _follow_document(self, step: Instructions) -> Instructions | None:
        document = await self._document(step)
        context = VerbContext(self._call, self._person, document, self._control)
        for verb in document.verbs:
            next_step = await self._perform(verb, context)
            if next_step == "hangup":
                return None
            if next_step is not None:
                return next_step
        return None

    async def _document(self, step: Instructions) -> Document:
        if step.url is None:
            return parse_twiml((step.twiml or "").encode("utf-8", "surrogatepass"))
        self._call.note("fetch", f"{step.method} {step.url}")
        parameters = [*request_parameters(self._call), *step.parameters]
        return await self._control.fetch_document(self._call, step.url, step.method, parameters)

    async def _perform(self, verb: Verb, context: VerbContext) -> NextStep:
        perform = _PERFORM.get(verb.name)
        if perform is not None:
            return await perform(verb, context)
        if verb.name in _NOT_SIMULATED:
            self._call.warn(None, f"The simulator doesn't perform {verb.name}.")
        else:
            self._call.warn(12200, f"Schema validation warning: {verb.name} isn't a verb.")
        return None

    def _take_fallback(self, error: TwimlError) -> Instructions | None:
        fallback, self._fallback = self._fallback, None
        if fallback is None:
            return None
        about = (("ErrorCode", str(error.code)), ("ErrorUrl", error.url or ""))
        return Instructions(fallback.url, fallback.method, parameters=about)

    async def _apologize(self) -> None:
        context = VerbContext(self._call, self._person, Document(()), self._control)
        await say(Verb("Say", text=APOLOGY), context)
