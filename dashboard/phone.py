"""The simulator's handset: a phone in the page that rings, speaks, takes keys and shows texts.

A Shiny module, only for simulations. One visitor's calls ring on that visitor's handset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace

from htmltools import Tag
from shiny import Inputs, Outputs, Session, module, reactive

from alerts import Alert
from alerts.phone_numbers import international
from dashboard.conversation import Conversation
from dashboard.phone_form import phone_form
from simulator import Exchange, Handset, HandsetState, Person, person_at

SECONDS_BETWEEN_HANDS = 0.1


@module.ui
def ui() -> Tag:
    """The handset, idle until something rings."""
    return phone_form()


@module.server
def server(
    input: Inputs,
    output: Outputs,
    session: Session,
    exchange: Exchange,
    alert: Callable[[], Alert | None],
) -> None:
    """Let the calls that `alert`, a reactive value, is about ring here, and its texts show."""
    handset = Handset()
    texts = Conversation(exchange)
    name = session.ns("handset")

    ringing: dict[str, asyncio.Task[None]] = {}

    async def show_calls() -> None:
        before = HandsetState()
        async for state in handset.watch():
            call = _shown(state, before)
            await session.send_custom_message("callboard-call", {"name": name, "call": call})
            before = state

    async def show_texts() -> None:
        await session.send_custom_message("callboard-texts", {"name": name, "texts": texts.shown()})

    showing = asyncio.create_task(show_calls())

    async def let_ring(call_sid: str) -> None:
        # The page may have been loaded again before the handset of the one before was put down.
        while _is_under_way(exchange, call_sid) and not exchange.attach_handset(call_sid, handset):  # noqa: ASYNC110
            await asyncio.sleep(SECONDS_BETWEEN_HANDS)

    def put_away() -> None:
        for task in (showing, *ringing.values()):
            task.cancel()
        handset.put_down()

    session.on_ended(put_away)

    @reactive.effect
    async def take_what_was_sent() -> None:
        sent = alert()
        if sent is None:
            return
        if sent.channel == "text":
            texts.take(sent)
            await show_texts()
        elif sent.sid and sent.sid not in ringing and _rings_here(person_at(sent.to)):
            ringing[sent.sid] = asyncio.create_task(let_ring(sent.sid))

    @reactive.effect
    @reactive.event(input.answer)
    def answer() -> None:
        handset.answer()

    @reactive.effect
    @reactive.event(input.decline)
    def decline() -> None:
        handset.decline()

    @reactive.effect
    @reactive.event(input.hang_up)
    def hang_up() -> None:
        handset.hang_up()

    @reactive.effect
    @reactive.event(input.key)
    def press() -> None:
        handset.press(str(input.key()["key"]))

    @reactive.effect
    @reactive.event(input.reply)
    async def reply() -> None:
        texts.reply(str(input.reply()["body"]))
        await show_texts()


def _is_under_way(exchange: Exchange, call_sid: str) -> bool:
    call = exchange.calls.get(call_sid)
    return call is not None and not call.is_over


def _rings_here(person: Person) -> bool:
    """Whether the visitor may answer for them: not for the busy, the absent and machines."""
    return person.call == "answers" and not person.is_machine


def _shown(state: HandsetState, before: HandsetState) -> dict[str, object]:
    """What is new in a state, for the browser; the caller the way people read it."""
    same_call = state.call_sid == before.call_sid
    heard = len(before.words) if same_call else 0
    new_words = replace(state, words=state.words[heard:])
    caller = international(state.caller) if state.caller else ""
    return asdict(new_words) | {"caller": caller, "is_new": not same_call}
