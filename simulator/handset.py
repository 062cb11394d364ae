"""A telephone that a person operates: it rings, is answered, hears, presses keys and hangs up.

`exchange.attach_handset(call_sid, handset)` puts a person in the place of the call's character.
Nothing here is thread-safe: use it from the event loop in which the simulator runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Literal

from simulator.models.call import Call, CallEvent, Line

HANDSET_RING_SECONDS = 8

Phase = Literal["idle", "ringing", "talking", "over"]

_HEARD = frozenset({"say", "play", "pause", "digits"})
_ENDS = {
    "busy": "The line was busy.",
    "no-answer": "The call stopped ringing.",
    "failed": "The line failed.",
    "canceled": "The caller gave up before anybody answered.",
}


@dataclass(frozen=True)
class HandsetState:
    """What a handset shows at one moment.

    `caller` is the number that calls and `number` the one that is called, both E.164. `words` is
    what was heard and pressed so far: lines of the kinds `say`, `play`, `pause` and `digits`, each
    added when it begins, with the simulated `seconds` that it takes. `gathering` says whether the
    call waits for keys, `ended_because` is a sentence on why the call is over.
    """

    phase: Phase = "idle"
    call_sid: str = ""
    caller: str = ""
    number: str = ""
    words: tuple[Line, ...] = ()
    gathering: bool = False
    ended_because: str = ""


class Handset:
    """One telephone. It takes one call at a time and may take another when that is over.

    After `ring_seconds` of simulated time, the directory's character decides instead.
    """

    def __init__(self, ring_seconds: float = HANDSET_RING_SECONDS) -> None:
        self.ring_seconds = ring_seconds
        self._state = HandsetState()
        self._changed = asyncio.Event()
        self._call: Call | None = None
        self._own_end = ""

    @property
    def state(self) -> HandsetState:
        """What the handset shows now."""
        return self._state

    async def watch(self) -> AsyncIterator[HandsetState]:
        """Yield the state now, then each newer one, without end; a slow reader gets the newest."""
        shown: HandsetState | None = None
        while True:
            changed = self._changed
            if self._state is shown:
                await changed.wait()
            shown = self._state
            yield shown

    def answer(self) -> None:
        """Pick up; does nothing unless it rings."""
        if self._call is not None and self._state.phase == "ringing":
            self._call.callee.decide(picks_up=True)

    def decline(self) -> None:
        """Decline the call, which the caller sees as busy; does nothing unless it rings."""
        if self._call is not None and self._state.phase == "ringing":
            self._own_end = "You declined the call."
            self._call.callee.decide(picks_up=False)

    def press(self, keys: str) -> None:
        """Press keys (0 to 9, *, #) one after the other, during a call."""
        if self._call is not None and self._state.phase == "talking":
            self._call.callee.press(keys)

    def hang_up(self) -> None:
        """End the call under way, or decline the one that rings."""
        if self._call is None:
            return
        if self._state.phase == "talking":
            self._own_end = "You hung up."
            self._call.callee.hung_up.set()
        else:
            self.decline()

    def put_down(self) -> None:
        """Leave: a call under way ends, and one that rings is left to the character."""
        if self._state.phase == "talking":
            self.hang_up()
        elif self._call is not None:
            self._call.detach_handset()

    def attach(self, call: Call) -> bool:
        """Take `call`, unless it is over or on a handset, or this handset has another call.

        Returns whether it did. For the exchange: see its `attach_handset`.
        """
        if call.is_over or call.callee.on_handset.is_set() or self._call is not None:
            return False
        self._call, self._own_end = call, ""
        call.callee.attach_handset(self.ring_seconds)
        call.observers.append(self._notice)
        self._become(
            HandsetState(
                phase=_PHASES.get(call.status, "idle"),
                call_sid=call.sid,
                caller=call.request.from_,
                number=call.request.to,
                words=tuple(line for line in call.transcript if line.kind in _HEARD),
                gathering=call.gathering,
            )
        )
        return True

    def _notice(self, call: Call, event: CallEvent) -> None:
        if event == "line":
            line = call.transcript[-1]
            if line.kind in _HEARD:
                self._become(replace(self._state, words=(*self._state.words, line)))
        elif event == "gathering":
            self._become(replace(self._state, gathering=call.gathering))
        elif call.is_over:
            self._end(call, self._own_end or _ENDS.get(call.status, "The caller hung up."))
        elif event == "handset detached":
            self._end(call, "You didn't answer in time.")
        elif event in {"ringing", "answered"}:
            self._become(replace(self._state, phase=_PHASES[call.status]))

    def _end(self, call: Call, because: str) -> None:
        call.observers.remove(self._notice)
        self._call = None
        self._become(replace(self._state, phase="over", gathering=False, ended_because=because))

    def _become(self, state: HandsetState) -> None:
        self._state = state
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


_PHASES: dict[str, Phase] = {"ringing": "ringing", "in-progress": "talking"}
