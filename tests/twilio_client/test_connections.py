"""Connections: kept open, many at a time, one set per event loop, and through a proxy."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.support.recording_server import (
    ACCOUNT_PATH,
    ACCOUNT_SID,
    CALL_SID,
    FROM,
    TO,
    TOKEN,
    Recorder,
    always,
)
from tests.support.servers import serve
from twilio_client import TwilioClient

CALL: Any = {"to": TO, "from_": FROM, "url": "https://example.com/a.xml"}


class Crowd:
    """A server that answers once `size` requests are waiting, and records where they came from."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.waiting = 0
        self.clients: list[tuple[str, int]] = []
        self.complete = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.clients.append(scope["client"])
        self.waiting += 1
        if self.waiting == self.size:
            self.complete.set()
        await self.complete.wait()
        await JSONResponse({"sid": CALL_SID}, 201)(scope, receive, send)


@pytest.mark.slow
async def test_200_calls_at_once():
    crowd = Crowd(200)
    with serve(crowd) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            calls = await asyncio.gather(*(client.create_call(**CALL) for _ in range(200)))
    assert [call.sid for call in calls] == [CALL_SID] * 200
    assert crowd.waiting == 200


async def test_more_calls_than_connections_wait_for_one():
    recorder = Recorder()
    with serve(recorder) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            await asyncio.gather(*(client.create_call(**CALL) for _ in range(450)))
    assert len(recorder.requests) == 450


async def test_a_connection_is_used_again():
    crowd = Crowd(1)
    with serve(crowd) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            for _ in range(5):
                await client.create_call(**CALL)
    assert len(crowd.clients) == 5
    assert len(set(crowd.clients)) == 1


# Python warns of connections that are still open when their event loop ends.
@pytest.mark.filterwarnings("ignore:unclosed (transport|.socket):ResourceWarning")
def test_one_event_loop_after_another(caplog):
    with serve(Recorder()) as address:
        client = TwilioClient(ACCOUNT_SID, TOKEN, base_url=address)
        for _ in range(3):
            assert asyncio.run(client.create_call(**CALL)).sid == CALL_SID
            assert len(client._connections._clients) == 1
        asyncio.run(client.close())
    assert client._connections._clients == {}
    del client
    gc.collect()
    assert caplog.text == ""


def test_two_event_loops_at_once():
    crowd = Crowd(2)
    with serve(crowd) as address:
        client = TwilioClient(ACCOUNT_SID, TOKEN, base_url=address)
        placed = []

        async def place() -> None:
            async with client:
                placed.append(await client.create_call(**CALL))

        threads = [threading.Thread(target=asyncio.run, args=[place()]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
    assert len(placed) == 2
    assert client._connections._clients == {}


async def test_a_closed_client_opens_again():
    with serve(Recorder()) as address:
        client = TwilioClient(ACCOUNT_SID, TOKEN, base_url=address)
        await client.close()
        await client.create_call(**CALL)
        await client.close()
        await client.create_call(**CALL)
        await client.close()


async def test_the_callers_own_transport_stays_open():
    class Transport(httpx.ASGITransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    transport = Transport(app=Recorder())
    async with TwilioClient(ACCOUNT_SID, TOKEN, transport=transport) as client:
        await client.create_call(**CALL)
    await client.create_call(**CALL)
    await client.close()
    assert not transport.closed


async def test_a_proxy_carries_requests(monkeypatch):
    proxy = always({"sid": CALL_SID})
    with serve(proxy) as address:
        monkeypatch.setenv("http_proxy", address.removeprefix("http://"))
        monkeypatch.delenv("no_proxy", raising=False)
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url="http://twilio.invalid") as client:
            await client.create_call(**CALL)
    assert proxy.requests[0].headers["host"] == "twilio.invalid"


async def test_a_netrc_file_changes_nothing(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login maya password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    recorder = Recorder()
    with serve(recorder) as address:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            await client.create_call(**CALL)
    assert recorder.requests[0].path == f"{ACCOUNT_PATH}/Calls.json"


def test_importing_the_package_imports_no_aiohttp():
    program = "import sys, twilio_client; print('aiohttp' in sys.modules, 'twilio' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert shown.stdout.split() == [b"False", b"False"]
