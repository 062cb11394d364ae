"""Connections lost after the request was sent: it may have gone through, and is sent only once."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.support.broken_server import (
    CREATED,
    Broken,
    broken,
    connected,
    failed_call,
    response,
)
from tests.support.recording_server import FROM, TO
from twilio_client import TwilioUncertain
from twilio_client.transport import Transport


@pytest.mark.parametrize(
    "steps",
    [
        [],
        ["read"],
        ["read", b"HTTP/1.1 201 Cre"],
        ["read", b"HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n"],
        ["read", CREATED[:-3]],
        ["read", b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"],
        ["reset"],
        ["read", "reset"],
        ["read", b"HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{", 0.1, "reset"],
        ["read", b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"],
        ["read", b"220 mail.example.com ESMTP\r\n\r\n"],
        ["read", b"\x16\x03\x01\x00\xff" * 20],
        ["read", b"HTTP/1.1 201 Created\r\nContent-Length: -4\r\n\r\n{}"],
        ["read", b"HTTP/1.1 201 Created\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"],
    ],
)
async def test_a_connection_that_breaks_off(steps):
    async with broken(*steps) as server:
        error = await failed_call(server.address)
    assert type(error) is TwilioUncertain
    assert str(error) == (
        "The connection to Twilio was lost, so this may or may not have gone through."
    )
    assert error.hint.startswith("Look in the list of recent calls")
    assert len(server.requests) == steps.count("read")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 201 Created\r\n", CREATED[:-3]])
async def test_an_answer_that_never_comes(start):
    async with broken("read", start, 30) as server:
        error = await failed_call(server.address, timeout=0.2)
    assert type(error) is TwilioUncertain
    assert str(error) == (
        "Twilio did not answer in time, so this may or may not have gone through."
    )
    assert len(server.requests) == 1


async def test_an_answer_that_comes_byte_by_byte(monkeypatch):
    monkeypatch.setattr("twilio_client.connections.WAIT_SECONDS", 0.3)
    drip = [step for byte in CREATED for step in (bytes([byte]), 0.1)]
    started = time.monotonic()
    async with broken("read", *drip) as server:
        error = await failed_call(server.address, timeout=0.3)
    assert type(error) is TwilioUncertain
    assert "did not answer in time" in str(error)
    assert time.monotonic() - started < len(CREATED) * 0.1


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "", "[]", '"yes"', "{", "[" * 100_000])
async def test_a_yes_that_cannot_be_read(body):
    async with broken("read", response("201 Created", body)) as server:
        error = await failed_call(server.address)
    assert type(error) is TwilioUncertain
    assert error.status == 201
    assert "the answer could not be read" in str(error)


async def test_a_yes_in_a_broken_encoding():
    answer = response("201 Created", '{"sid": "CA1"}', "Content-Encoding: gzip")
    async with broken("read", answer) as server:
        error = await failed_call(server.address)
    assert type(error) is TwilioUncertain


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
async def test_a_redirect_is_not_followed(status):
    async with broken("read", CREATED) as elsewhere:
        answer = response(status, "", f"Location: {elsewhere.address}/")
        async with broken("read", answer) as server:
            error = await failed_call(server.address)
    assert type(error) is TwilioUncertain
    assert error.hint == "This answer isn't from Twilio: check the address of the API."
    assert elsewhere.requests == []


async def test_a_stale_connection_never_sends_a_call_twice():
    """The server answers once, keeps the connection open, and drops it when the next call comes.
    A browser would send that one again, and the phone might ring twice."""
    async with broken("read", CREATED, "read") as server, connected(server) as client:
        await client.create_call(to=TO, from_=FROM, url="https://example.com/a.xml")
        with pytest.raises(TwilioUncertain):
            await client.create_call(to=TO, from_=FROM, url="https://example.com/a.xml")
    assert len(server.requests) == 2


async def test_a_failed_look_up_mentions_no_call():
    async with broken("read") as server, connected(server) as client:
        with pytest.raises(TwilioUncertain) as caught:
            await client.fetch_account()
    assert str(caught.value) == "The connection to Twilio was lost."


async def test_a_canceled_call_is_canceled():
    async with broken("read", 30) as server, connected(server) as client:
        placing = asyncio.create_task(
            client.create_call(to=TO, from_=FROM, url="https://example.com/a.xml")
        )
        await _reads(server)
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing


async def test_closing_the_client_in_mid_call_leaves_it_uncertain():
    async with broken("read", 30) as server:
        client = connected(server)
        placing = asyncio.create_task(
            client.create_call(to=TO, from_=FROM, url="https://example.com/a.xml")
        )
        await _reads(server)
        await client.close()
        with pytest.raises(TwilioUncertain):
            await placing


async def test_the_transport_reads_the_whole_answer():
    async with broken("read", CREATED) as server, Transport() as transport:
        response = await transport.handle_async_request(httpx.Request("POST", server.address))
        assert response.json() == {"sid": "CA1"}


async def _reads(server: Broken) -> None:
    async with asyncio.timeout(10):
        while not server.requests:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.01)
