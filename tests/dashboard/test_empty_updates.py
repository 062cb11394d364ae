"""A page hears nothing of what other visitors do."""

from __future__ import annotations

import json

import pytest
from shiny import App, Inputs, Outputs, Session, render, ui
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from websockets.sync.client import ClientConnection, connect

from dashboard.empty_updates import EMPTY_UPDATE, WithoutEmptyUpdates
from tests.support.servers import serve

VISIBLE = {".clientdata_output_preview_hidden": False, ".clientdata_url_search": ""}


def app() -> App:
    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @render.text
        def preview() -> str:
            return str(input.message())

    return App(ui.page_fluid(ui.output_text("preview")), server)


def change(page: ClientConnection, message: str, method: str = "update") -> list[str]:
    """Write a message; returns all that the page has received up to its update."""
    inputs = VISIBLE if method == "init" else {}
    page.send(json.dumps({"method": method, "data": {"message": message, **inputs}}))
    received: list[str] = []
    while not received or json.loads(received[-1]).get("values", {}).get("preview") != message:
        received.append(str(page.recv(timeout=30)))
    return received


def news_of_others(app: ASGIApp) -> list[str]:
    """What a page has received before its own change, after another's three changes."""
    with serve(app) as address:
        url = address.replace("http", "ws") + "/websocket/"
        with connect(url) as writing, connect(url) as idle:
            change(writing, "Hello", "init")
            change(idle, "Hello", "init")
            for message in ("Batch 1", "Batch 2", "Batch 3"):
                change(writing, message)
            received = change(idle, "Its own")
    # Its own change begins where the page is told that the server is busy.
    return received[: received.index('{"busy": "busy"}')]


def test_shiny_tells_every_page_of_every_change() -> None:
    """If this fails, Shiny has changed, and the middleware can go."""
    assert news_of_others(app()).count(EMPTY_UPDATE) >= 3


def test_a_page_hears_nothing_of_other_visitors() -> None:
    quiet = app()
    quiet.starlette_app.add_middleware(WithoutEmptyUpdates)

    # One may follow the page's own last change.
    assert news_of_others(quiet).count(EMPTY_UPDATE) <= 1


@pytest.mark.parametrize("before", ['{"busy": "busy"}', '{"values": {"a": 1}}'])
async def test_an_empty_update_after_anything_else_stays(before: str) -> None:
    """It tells the page that what was being recalculated is up to date."""
    sent: list[str] = []

    async def two_updates(scope: Scope, receive: Receive, send: Send) -> None:
        for text in (before, EMPTY_UPDATE, EMPTY_UPDATE):
            await send({"type": "websocket.send", "text": text})

    async def nothing() -> Message:
        raise AssertionError("nothing was to be received")

    async def collect(message: Message) -> None:
        sent.append(message["text"])

    await WithoutEmptyUpdates(two_updates)({"type": "websocket"}, nothing, collect)

    assert sent == [before, EMPTY_UPDATE]
