"""The simulator's handset: a phone in the page that rings, speaks, takes keys and shows texts.

A Shiny module, only for simulations. One visitor's calls ring on that visitor's handset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from htmltools import Tag, tags
from shiny import Inputs, Outputs, Session, module, reactive
from shiny.module import resolve_id

from alerts import Alert
from alerts.numbers import international
from dashboard.assets import phone_assets
from dashboard.conversation import Conversation
from simulator import Exchange, Handset, HandsetState

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
            tags.div(tags.p("Calls that you send ring here.", class_="quiet"), class_="captions"),
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

    async def show_calls() -> None:
        async for state in handset.watch():
            await session.send_custom_message("callboard-call", {"name": name} | _call(state))

    async def show_texts() -> None:
        await session.send_custom_message("callboard-texts", {"name": name, "texts": texts.shown()})

    showing = asyncio.create_task(show_calls())

    def put_away() -> None:
        showing.cancel()
        handset.hang_up()

    session.on_ended(put_away)

    @reactive.effect
    async def take_what_was_sent() -> None:
        sent = alert()
        if sent is None:
            return
        if sent.channel == "text":
            texts.take(sent)
            await show_texts()
        elif sent.sid:
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
        if str(input.key()["key"]) in KEYS:
            handset.press(str(input.key()["key"]))

    @reactive.effect
    @reactive.event(input.reply)
    async def reply() -> None:
        texts.reply(str(input.reply()["body"]))
        await show_texts()


def _call(state: HandsetState) -> dict[str, object]:
    """A state for the browser, numbers the way people read them."""
    shown = asdict(state)
    shown["caller"] = international(state.caller) if state.caller else ""
    return {"call": shown}


def _key(key: str) -> Tag:
    return tags.button(key, type="button", data_key=key)
