"""The simulator's handset: a phone in the page that rings, speaks, takes keys and shows texts.

A Shiny module, only for simulations. One visitor's calls ring on that visitor's handset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace

from htmltools import Tag, tags
from shiny import Inputs, Outputs, Session, module, reactive
from shiny.module import resolve_id

from alerts import Alert
from alerts.numbers import international
from dashboard.assets import phone_assets
from dashboard.conversation import Conversation
from simulator import PEOPLE, Exchange, Handset, HandsetState, Person, person_at

KEYS = "123456789*0#"


@module.ui
def ui() -> Tag:
    """The handset, idle until something rings."""
    return tags.aside(
        phone_assets(),
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
        tags.div(*(_key(key) for key in KEYS), class_="handset-keys", hidden=""),
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
    exchange: Exchange,
    alert: Callable[[], Alert | None],
) -> None:
    """Let the calls that `alert`, a reactive value, is about ring here, and its texts show."""
    handset = Handset()
    texts = Conversation(exchange)
    name = session.ns("handset")

    handed_over: set[str] = set()

    async def show_calls() -> None:
        before = HandsetState()
        async for state in handset.watch():
            call = _shown(state, before)
            await session.send_custom_message("callboard-call", {"name": name, "call": call})
            before = state

    async def show_texts() -> None:
        await session.send_custom_message("callboard-texts", {"name": name, "texts": texts.shown()})

    showing = asyncio.create_task(show_calls())

    def put_away() -> None:
        showing.cancel()
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
        elif sent.sid and sent.sid not in handed_over:
            handed_over.add(sent.sid)
            if _rings_here(person_at(sent.to)):
                exchange.hand_over(sent.sid, handset)

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


def _directory() -> Tag:
    """Who is at the other end, where it isn't just anybody; a number fills in the form."""
    rows = [
        tags.li(
            tags.button(international(person.number), type="button", data_number=person.number),
            tags.span(f"{person.name}. {person.description}"),
        )
        for person in PEOPLE
    ]
    return tags.div(
        tags.p("Calls that you send ring here. These numbers answer for themselves:"),
        tags.ul(rows),
        class_="directory quiet",
    )


def _key(key: str) -> Tag:
    spoken = {"*": "star", "#": "pound"}.get(key)
    return tags.button(key, type="button", data_key=key, aria_label=spoken)
