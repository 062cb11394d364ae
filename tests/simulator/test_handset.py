"""A person with a handset in the place of the directory's character."""

from __future__ import annotations

import asyncio

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from simulator.handset import HANDSET_RING_SECONDS, Handset, HandsetState
from tests.support.simulator_line import TO
from tests.support.stepped_exchange import frozen_exchange, place

HELLO = (
    "<Response><Say language='de-DE' voice='alice'>Guten Tag</Say><Pause length='9'/></Response>"
)
MENU = (
    "<Response><Gather numDigits='1' timeout='5' action='http://127.0.0.1:1/'>"
    "<Say>Press one. And here goes on a long story that nobody needs.</Say></Gather>"
    "<Say>Nothing pressed</Say><Pause length='60'/></Response>"
)
NEVER_ANSWERS = "+14125550102"
NO_LINE = "+14125550105"
ENOUGH_TO_RING = 0.5


async def ringing(twiml: str = HELLO, to: str = TO, **options):
    exchange = frozen_exchange()
    call, handset = place(exchange, twiml, to, **options), Handset()
    assert exchange.attach_handset(call.sid, handset)
    assert handset.state.phase == "idle"
    await exchange.clock.step(ENOUGH_TO_RING)
    return exchange, call, handset


@pytest.mark.parametrize("to", [TO, NEVER_ANSWERS, NO_LINE])
async def test_the_person_at_the_handset_decides(to: str):
    exchange, call, handset = await ringing(to=to)
    assert (handset.state.phase, call.status) == ("ringing", "ringing")
    assert (handset.state.caller, handset.state.number) == (SIMULATOR_FROM_NUMBER, to)
    await exchange.clock.step(5)
    assert handset.state.phase == "ringing"
    handset.answer()
    await exchange.clock.step(0)
    assert (handset.state.phase, call.status) == ("talking", "in-progress")


async def test_words_appear_as_they_begin():
    exchange, call, handset = await ringing()
    handset.answer()
    await exchange.clock.step(0)
    (spoken,) = handset.state.words
    assert (spoken.kind, spoken.text) == ("say", "Guten Tag")
    assert (spoken.language, spoken.voice) == ("de-DE", "alice")
    assert 0.5 <= spoken.seconds < 2
    await exchange.clock.step(spoken.seconds + 0.01)
    assert [(word.kind, word.seconds) for word in handset.state.words[1:]] == [("pause", 9)]
    await exchange.clock.step(9)
    assert (handset.state.phase, handset.state.ended_because) == ("over", "The caller hung up.")
    assert call.status == "completed"


async def test_declining_is_busy():
    exchange, call, handset = await ringing()
    handset.decline()
    await exchange.clock.step(0)
    assert (call.status, handset.state.phase) == ("busy", "over")
    assert handset.state.ended_because == "You declined the call."


async def test_hanging_up_ends_the_call_in_the_middle_of_a_word():
    exchange, call, handset = await ringing()
    handset.answer()
    await exchange.clock.step(0.1)
    handset.hang_up()
    await exchange.clock.step(0)
    assert call.status == "completed"
    assert handset.state.ended_because == "You hung up."
    assert [word.kind for word in handset.state.words] == ["say"]
    heard = len(call.transcript)
    await exchange.clock.step(100)
    assert len(call.transcript) == heard


async def test_hanging_up_a_call_that_rings_declines_it():
    exchange, call, handset = await ringing()
    handset.hang_up()
    await exchange.clock.step(0)
    assert call.status == "busy"


@pytest.mark.parametrize(
    ("to", "status"), [(TO, "in-progress"), (NEVER_ANSWERS, "no-answer"), (NO_LINE, "failed")]
)
async def test_with_nobody_there_the_character_decides(to: str, status: str):
    exchange, call, handset = await ringing(to=to)
    await exchange.clock.step(HANDSET_RING_SECONDS)
    assert call.status == status
    assert (handset.state.phase, handset.state.words) == ("over", ())
    assert handset.state.ended_because == "You didn't answer in time."
    handset.answer()
    handset.press("1")
    handset.hang_up()
    await exchange.clock.step(0)
    assert call.status == status


async def test_the_timeout_of_the_call_counts_for_the_handset_too():
    exchange, call, handset = await ringing(timeout=3)
    await exchange.clock.step(3)
    assert call.status == "no-answer"
    assert handset.state.ended_because == "The call stopped ringing."


async def test_the_caller_gives_up():
    exchange, call, handset = await ringing()
    exchange.hang_up(call)
    assert handset.state.phase == "over"
    assert handset.state.ended_because == "The caller gave up before anybody answered."


async def test_a_key_ends_the_prompt_and_is_gathered():
    exchange, call, handset = await ringing(MENU)
    handset.answer()
    await exchange.clock.step(1)
    assert handset.state.gathering
    handset.press("x1")
    await exchange.clock.step(0)
    assert not handset.state.gathering
    assert [(word.kind, word.text) for word in handset.state.words[1:2]] == [("digits", "1")]
    # The key went where the document said, where nobody listens.
    assert [trouble.code for trouble in call.troubles] == [11205]


async def test_keys_count_only_while_they_are_waited_for():
    exchange, _, handset = await ringing("<Response><Pause length='3'/>" + MENU[10:])
    handset.answer()
    await exchange.clock.step(1)
    assert not handset.state.gathering
    handset.press("1")
    await exchange.clock.step(2)
    assert handset.state.gathering
    await exchange.clock.step(30)
    assert "Nothing pressed" in [word.text for word in handset.state.words]


async def test_a_handset_may_come_late():
    exchange = frozen_exchange()
    call, handset = place(exchange, to=NEVER_ANSWERS), Handset()
    await exchange.clock.step(4)
    assert exchange.attach_handset(call.sid, handset)
    assert handset.state.phase == "ringing"
    await exchange.clock.step(HANDSET_RING_SECONDS - 0.1)
    handset.answer()
    await exchange.clock.step(0)
    assert call.answered_by is None
    assert call.status == "completed"


async def test_too_late_or_elsewhere_is_harmless():
    exchange, call, handset = await ringing()
    other = place(exchange)
    assert not exchange.attach_handset(other.sid, handset)
    assert not exchange.attach_handset(call.sid, Handset())
    assert not exchange.attach_handset("CA0", Handset())
    handset.decline()
    await exchange.clock.step(60)
    assert call.is_over
    assert other.is_over
    assert not exchange.attach_handset(other.sid, Handset())


async def test_calls_to_a_number_ring_there_one_after_the_other():
    exchange, handset = frozen_exchange(), Handset()
    exchange.ring_on_handset(TO, handset)
    first, second = place(exchange), place(exchange)
    await exchange.clock.step(4)
    assert handset.state.call_sid == first.sid
    assert second.status == "completed"
    handset.decline()
    await exchange.clock.step(0)
    third = place(exchange)
    assert handset.state.call_sid == third.sid
    exchange.ring_on_handset(TO, None)
    assert not place(exchange).callee.on_handset.is_set()


async def test_watching_shows_each_state_and_the_newest_first():
    exchange, call, handset = await ringing()
    seen: list[HandsetState] = []

    async def watch() -> None:
        async for state in handset.watch():
            seen.append(state)

    watching = asyncio.create_task(watch())
    await exchange.clock.step(1)
    handset.answer()
    await exchange.clock.step(60)
    watching.cancel()
    phases = [state.phase for state in seen]
    assert phases[0] == "ringing"
    assert phases[-1] == "over"
    assert "talking" in phases
    assert [len(state.words) for state in seen] == sorted(len(state.words) for state in seen)
    assert call.status == "completed"
