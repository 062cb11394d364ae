"""Following instructions in a call: document after document, verb after verb."""

from __future__ import annotations

from simulator.call import Call
from simulator.directory import Person
from simulator.errors import TwimlError
from simulator.gather import gather
from simulator.instructions import Instructions
from simulator.twiml_document import Document, Verb, parse_twiml
from simulator.twiml_fetch import TwimlFetcher
from simulator.verbs import Outcome, Scene, hang_up, pause, play, redirect, say

MOST_DOCUMENTS = 50
"""A bound of ours: Twilio lets documents lead to one another until the call's time is up."""

APOLOGY = "We're sorry, an application error has occurred. Goodbye."

_PERFORM = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Gather": gather,
    "Hangup": hang_up,
    "Redirect": redirect,
}
_NOT_SIMULATED = frozenset(
    {"Connect", "Dial", "Enqueue", "Leave", "Pay", "Prompt", "Queue", "Record", "Refer", "Reject"}
    | {"Siprec", "Sms", "Start", "Stop", "Stream", "Transcription"}
)


class Conversation:
    """One call's way through its documents, heard by `person`."""

    def __init__(self, call: Call, person: Person, fetcher: TwimlFetcher) -> None:
        self._call = call
        self._person = person
        self._fetcher = fetcher
        self._fallback = call.request.fallback

    async def follow(self, instructions: Instructions) -> None:
        """Perform `instructions` and what they lead to. Errors are noted and apologised for."""
        step: Instructions | None = instructions
        followed = 0
        while step is not None:
            followed += 1
            try:
                if followed > MOST_DOCUMENTS:
                    raise TwimlError(11215, f"More than {MOST_DOCUMENTS} documents in one call.")
                step = await self._follow_one(step)
            except TwimlError as error:
                self._call.fail(error)
                step = self._take_fallback(error)
                if step is None:
                    await self._apologise()

    async def _follow_one(self, step: Instructions) -> Instructions | None:
        document = await self._document(step)
        scene = Scene(self._call, self._person, document)
        for verb in document.verbs:
            outcome = await self._perform(verb, scene)
            if outcome == "hangup":
                return None
            if outcome is not None:
                return outcome
        return None

    async def _document(self, step: Instructions) -> Document:
        if step.url is None:
            return parse_twiml((step.twiml or "").encode("utf-8", "surrogatepass"))
        self._call.note("fetch", f"{step.method} {step.url}")
        parameters = [*request_parameters(self._call), *step.parameters]
        return await self._fetcher.fetch(step.url, step.method, parameters)

    async def _perform(self, verb: Verb, scene: Scene) -> Outcome:
        perform = _PERFORM.get(verb.name)
        if perform is not None:
            return await perform(verb, scene)
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

    async def _apologise(self) -> None:
        document = Document(())
        await say(Verb("Say", text=APOLOGY), Scene(self._call, self._person, document))


def request_parameters(call: Call) -> list[tuple[str, str]]:
    """What Twilio tells the server of a document about the call.

    https://www.twilio.com/docs/voice/twiml#request-parameters
    """
    parameters = [
        ("CallSid", call.sid),
        ("AccountSid", call.account_sid),
        ("From", call.request.from_),
        ("To", call.request.to),
        ("Caller", call.request.from_),
        ("Called", call.request.to),
        ("CallStatus", call.status),
        ("ApiVersion", "2010-04-01"),
        ("Direction", "outbound-api"),
    ]
    if call.answered_by is not None:
        parameters.append(("AnsweredBy", call.answered_by))
    return parameters
