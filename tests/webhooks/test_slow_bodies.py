"""A body that doesn't come, or comes byte by byte: a plain answer, and nothing is kept waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message

import webhooks
from callbacks_app import create_app as callbacks_app
from settings import Settings
from tests.support.gated_app import HOST, LIVE, ORIGIN, SERVER, VISITOR, gated_app
from tests.support.signing_in import MAYA, users_in

pytestmark = pytest.mark.usefixtures("fresh_lock")

FORM = b"application/x-www-form-urlencoded"
ROUTES = ["/sign-in", "/twilio/status", "/twilio/gather", "/twilio/inbound"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(webhooks, "LEAST_BYTES_PER_SECOND", 1_000)


async def drip(
    app: ASGIApp, path: str, *, every: float, parts: int, size: int = 1
) -> list[Message]:
    """Send a body in parts; returns what the app sends. Without an answer, TimeoutError."""
    answered: list[Message] = []
    left = parts

    async def receive() -> Message:
        nonlocal left
        await asyncio.sleep(every)
        left -= 1
        return {"type": "http.request", "body": b"a" * size, "more_body": left > 0}

    async def send(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "https",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", HOST.encode()),
            (b"origin", ORIGIN.encode()),
            (b"content-type", FORM),
        ],
        "client": VISITOR,
        "server": SERVER,
        "state": {},
    }
    async with asyncio.timeout(10):
        await app(scope, receive, send)
    return answered


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[ASGIApp]:
    async with gated_app(tmp_path, live=True, users_file=users_in(tmp_path, MAYA).path) as app:
        yield app.asgi


def is_refused(answered: list[Message]) -> bool:
    start, body = answered
    sentence = b"The request's body came too slowly: send it again."
    return bool(start["status"] == 408 and body["body"] == sentence)


async def test_every_route_of_an_app(whole: ASGIApp) -> None:
    for path in ROUTES:
        assert is_refused(await drip(whole, path, every=0.02, parts=10_000)), path
        assert is_refused(await drip(whole, path, every=60, parts=2)), path
        [start, *_] = await drip(whole, path, every=0, parts=3)
        assert start["status"] in {200, 400, 401, 403}, path


async def test_callbacks_only(tmp_path: Path) -> None:
    given = {**LIVE, "public_url": ORIGIN, "data_dir": tmp_path, "metrics_token": "t" * 16}
    app = callbacks_app(Settings(_env_file=None, **given))
    async with app.router.lifespan_context(app):
        assert is_refused(await drip(app, "/twilio/status", every=0.02, parts=10_000))


async def test_the_simulation(tmp_path: Path) -> None:
    async with gated_app(tmp_path) as app:
        path = "/2010-04-01/Accounts/AC1/Calls.json"
        assert is_refused(await drip(app.asgi, path, every=0.02, parts=10_000))


@pytest.mark.slow
async def test_a_large_body_has_the_time_that_it_needs(
    whole: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "BODY_SECONDS", 1.0)
    # It takes 1.5 s, and each of its parts allows for 10 s more.
    [start, *_] = await drip(whole, "/twilio/status", every=0.3, parts=5, size=10_000)
    assert start["status"] in {400, 403, 413}
