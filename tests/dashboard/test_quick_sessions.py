"""A page hears nothing of what other visitors do, and all that is meant for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from shiny import App, Inputs, Outputs, Session, reactive, render, ui
from starlette.types import ASGIApp
from websockets.sync.client import ClientConnection, connect

from dashboard.quick_sessions import QuickApp
from tests.support.servers import serve

VISIBLE = {
    ".clientdata_output_preview_hidden": False,
    ".clientdata_output_told_hidden": False,
    ".clientdata_url_search": "",
}
EMPTY_UPDATE: dict[str, object] = {"values": {}, "inputMessages": [], "errors": {}}


def app(kind: type[App] = QuickApp) -> App:
    """An app that previews a message, and in which one visitor can tell all of them something."""
    shared: reactive.Value[str] = reactive.Value("nothing")

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @render.text
        def preview() -> str:
            return str(input.message())

        @render.text
        def told() -> str:
            return shared()

        @reactive.effect
        @reactive.event(input.tell_all)
        def tell_all() -> None:
            shared.set(input.tell_all())

        @reactive.effect
        @reactive.event(input.later)
        def say_later() -> None:
            async def say() -> None:
                await session.send_custom_message("said", {"words": "later"})

            # Registered outside of any flush, so only that of another session can come next.
            loop = asyncio.get_running_loop()
            loop.call_later(0.01, session.on_flushed, say)

    return kind(ui.page_fluid(ui.output_text("preview"), ui.output_text("told")), server)


@contextmanager
def two_pages(app: ASGIApp) -> Iterator[tuple[ClientConnection, ClientConnection]]:
    """Two pages of a running app, opened one after the other."""
    with serve(app) as address:
        url = address.replace("http", "ws") + "/websocket/"
        with connect(url) as one, connect(url) as other:
            change(one, "Hello", "init")
            change(other, "Hello", "init")
            yield one, other


def change(
    page: ClientConnection, message: str, method: str = "update", **inputs: str
) -> list[str]:
    """Write a message; returns all that the page has received up to its update."""
    visible = VISIBLE if method == "init" else {}
    page.send(json.dumps({"method": method, "data": {"message": message, **visible, **inputs}}))
    return until(page, preview=message)


def until(page: ClientConnection, **values: str) -> list[str]:
    """All that the page receives up to the update with these values of its outputs."""
    received: list[str] = []
    while not received or not values.items() <= json.loads(received[-1]).get("values", {}).items():
        received.append(str(page.recv(timeout=30)))
    return received


def empty_updates(received: list[str]) -> int:
    return [json.loads(each) for each in received].count(EMPTY_UPDATE)


def news_of_others(app: ASGIApp) -> list[str]:
    """What a page has received before its own change, after another's three changes."""
    with two_pages(app) as (writing, idle):
        for message in ("Batch 1", "Batch 2", "Batch 3"):
            change(writing, message)
        received = change(idle, "Its own")
    # Its own change begins where its output is said to change.
    own = '{"progress": {"type": "binding", "message": {"id": "preview"}}}'
    return received[: received.index(own)]


def test_shiny_tells_every_page_of_every_change() -> None:
    """If this fails, Shiny has changed, and quick sessions can go."""
    assert empty_updates(news_of_others(app(App))) >= 3


def test_a_page_hears_nothing_of_other_visitors() -> None:
    # One may follow the page's own first change.
    assert empty_updates(news_of_others(app())) <= 1


def test_what_concerns_all_visitors_reaches_the_idle_ones() -> None:
    with two_pages(app()) as (writing, idle):
        change(writing, "Hello again", tell_all="Everything is stopped")
        until(idle, told="Everything is stopped")


def test_an_update_follows_whatever_else_a_page_was_told() -> None:
    """It tells the page that what was being recalculated is up to date, even if nothing changed."""
    with two_pages(app()) as (page, _):
        page.send(json.dumps({"method": "update", "data": {"unknown": "x"}}))
        change(page, "Hello again")
        page.send(json.dumps({"method": "update", "data": {"unknown": "y"}}))
        received = change(page, "Hello once more")

    assert empty_updates(received) == 1


def test_what_waits_for_a_flush_is_done_at_that_of_another_session() -> None:
    with two_pages(app()) as (waiting, writing):
        change(waiting, "Hello again", later="1")
        received: list[str] = []
        messages = 0
        while not any('"said"' in each for each in received):
            messages += 1
            change(writing, f"Batch {messages}")
            try:
                received.append(str(waiting.recv(timeout=0.05)))
            except TimeoutError:
                assert messages < 200
