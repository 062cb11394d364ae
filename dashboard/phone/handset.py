"""The simulator's handset: a phone in the page that rings, speaks, takes keys and shows texts.

A Shiny module, only for simulations. A visitor's calls ring on that visitor's handset alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from htmltools import Tag, tags
from shiny import Inputs, Outputs, Session, module, reactive
from shiny.module import resolve_id

from alerts import Alert
from alerts.phone_numbers import international
from dashboard.assets import assets
from dashboard.background import in_background
from dashboard.inputs import part
from dashboard.phone.texts import TextThread
from simulator import PEOPLE, LazyApp, Person, person_at

if TYPE_CHECKING:
    from simulator.exchange import Exchange
    from simulator.handset import HandsetState

KEYS = "123456789*0#"
SECONDS_BETWEEN_HANDOVERS = 0.1


@module.ui
def ui() -> Tag:
    """Return the handset; it is idle until something rings."""
    return tags.aside(
        assets("phone", ["phone.css"], ["phone.js"]),
        tags.button(
            "Phone",
            tags.span("No call", class_="bar-state"),
            type="button",
            class_="handset-bar",
            aria_expanded="false",
        ),
        tags.div(
            "Simulated phone",
            tags.button("Ringer on", type="button", class_="silence", aria_pressed="false"),
            class_="handset-top",
        ),
        tags.div(tags.h2("No call"), tags.p(), class_="handset-who", role="status"),
        tags.div(
            _directory(),
            tags.div(class_="captions"),
            tags.p("Answer to hear the message.", class_="quiet hint"),
            tags.p("Waiting for a key.", class_="quiet gathering"),
            tags.div(class_="texts"),
            class_="handset-screen",
            role="log",
            aria_label="What the phone says",
            tabindex="0",
        ),
        tags.div(*map(_key, KEYS), class_="handset-keys", hidden=""),
        tags.div(
            tags.button("Decline", type="button", class_="decline", hidden=""),
            tags.button("Answer", type="button", class_="answer", hidden=""),
            tags.button("Hang up", type="button", class_="hang-up", hidden=""),
            class_="handset-actions",
        ),
        tags.form(
            tags.input(
                type="text", aria_label="Reply", placeholder="Reply, or STOP", maxlength=160
            ),
            tags.button("Send", type="submit"),
            tags.button("Reply 1", type="button", class_="reply-one"),
            class_="handset-reply",
            hidden="",
        ),
        class_="handset",
        aria_label="Simulated phone",
        id=resolve_id("handset"),
        data_phase="idle",
    )


@module.server
def server(
    input: Inputs,
    output: Outputs,
    session: Session,
    simulator: LazyApp,
    alerts: Callable[[], Sequence[Alert]],
) -> None:
    """Let the calls of `alerts`, a reactive value, ring here, and show their texts."""
    # Imported here because the first page doesn't wait for it.
    from simulator.handset import Handset, HandsetState  # noqa: PLC0415

    handset = Handset()
    texts = TextThread(simulator)
    name = session.ns("handset")
    ringing: dict[str, asyncio.Task[None]] = {}
    whose: dict[str, str] = {}

    async def show_calls() -> None:
        before = HandsetState()
        async for state in handset.watch():
            call = _news(state, before) | {"whose": whose.get(state.call_sid or "", "")}
            await session.send_custom_message("callboard-call", {"name": name, "call": call})
            before = state

    async def show_texts() -> None:
        await session.send_custom_message("callboard-texts", {"name": name, "texts": texts.shown()})

    showing = in_background(show_calls(), "showing calls on the handset")

    async def let_ring(call_sid: str) -> None:
        exchange = simulator.exchange
        # After a reload, the old page may still hold the call for a moment.
        while _is_under_way(exchange, call_sid) and not exchange.attach_handset(call_sid, handset):  # noqa: ASYNC110
            await asyncio.sleep(SECONDS_BETWEEN_HANDOVERS)

    def put_away() -> None:
        for task in (showing, *ringing.values()):
            task.cancel()
        handset.put_down()

    session.on_ended(put_away)

    @reactive.effect
    async def receive() -> None:
        sent = alerts()
        texted = [each for each in sent if each.channel == "text"]
        for each in texted:
            texts.add(each)
        if texted:
            await show_texts()
        for each in sent:
            rings = each.channel == "call" and _rings_here(person_at(each.to))
            if rings and each.sid and each.sid not in ringing:
                whose[each.sid] = _whose(each)
                ringing[each.sid] = in_background(let_ring(each.sid), "ringing the handset")

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
        key = part(input.key(), "key")
        if len(key) == 1 and key in KEYS:
            handset.press(key)

    @reactive.effect
    @reactive.event(input.reply)
    async def reply() -> None:
        texts.reply(part(input.reply(), "body"))
        await show_texts()


def _whose(alert: Alert) -> str:
    """Return whose phone the handset is while it rings: a name and a number."""
    number = international(alert.to)
    return f"{alert.request.name}, {number}" if alert.request.name else number


def _is_under_way(exchange: Exchange, call_sid: str) -> bool:
    call = exchange.calls.get(call_sid)
    return call is not None and not call.is_over


def _rings_here(person: Person) -> bool:
    """Return whether the visitor may answer: not for people who are busy or away, or a machine."""
    return person.call == "answers" and not person.is_machine


def _news(state: HandsetState, before: HandsetState) -> dict[str, object]:
    """Return what has changed since `before`, with the caller's number as people read it."""
    same_call = state.call_sid == before.call_sid
    heard = len(before.words) if same_call else 0
    new_words = replace(state, words=state.words[heard:])
    caller = international(state.caller) if state.caller else ""
    return asdict(new_words) | {"caller": caller, "is_new": not same_call}


def _directory() -> Tag:
    """Return the numbers that do more than answer; pressing one fills it into the form."""
    rows = [
        tags.li(
            tags.button(international(person.number), type="button", data_number=person.number),
            tags.span(f"{person.name}. {person.description}"),
        )
        for person in PEOPLE
    ]
    return tags.div(
        tags.p("Calls you send ring here. These numbers answer on their own:"),
        tags.ul(rows),
        class_="directory quiet",
    )


def _key(key: str) -> Tag:
    spoken = {"*": "star", "#": "pound"}.get(key)
    return tags.button(key, type="button", data_key=key, aria_label=spoken)
