"""The simulator inside another app: no port, no start-up events, its documents at hand."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.simulator_line import TO

CREDENTIALS = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
CALLS = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls"


class Lent(httpx.ASGITransport):
    """A transport that its owner wants back open."""

    is_closed = False

    async def aclose(self) -> None:
        self.is_closed = True


async def twiml(request: Request) -> Response:
    return Response("<Response><Say>Hello</Say></Response>", media_type="text/xml")


async def call_until_over(client: httpx.AsyncClient, url: str):
    data = {"To": TO, "From": SIMULATOR_FROM_NUMBER, "Url": url, "Method": "GET"}
    sid = (await client.post(f"{CALLS}.json", data=data)).json()["sid"]
    async with asyncio.timeout(60):
        while True:
            found = (await client.get(f"{CALLS}/{sid}.json")).json()
            if found["status"] == "completed":
                break
            await asyncio.sleep(0.01)
    return found, (await client.get(f"/simulator/calls/{sid}")).json()


def client_of(app, base_url: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url=base_url, auth=CREDENTIALS)


async def test_without_a_port():
    documents = Lent(app=Starlette(routes=[Route("/hello.xml", twiml)]))
    app = create_app(speed=100, fetch_transport=documents)
    async with client_of(app, "http://simulator") as client:
        _, heard = await call_until_over(client, "http://app.example/hello.xml")
    assert [entry["kind"] for entry in heard["transcript"]] == ["fetch", "say"]
    assert not documents.is_closed


@pytest.mark.slow
async def test_many_calls_at_once():
    documents = httpx.ASGITransport(app=Starlette(routes=[Route("/hello.xml", twiml)]))
    app = create_app(speed=100, fetch_transport=documents)
    async with client_of(app, "http://simulator") as client:
        calls = [call_until_over(client, "http://app.example/hello.xml") for _ in range(50)]
        finished = await asyncio.gather(*calls)
    assert len({call["sid"] for call, _ in finished}) == 50


async def test_mounted_under_a_path():
    async def fallback(request: Request) -> Response:
        return JSONResponse({"app": True})

    app = Starlette(routes=[Mount("/sim", create_app(speed=100)), Route("/", fallback)])
    async with client_of(app, "http://app/sim") as client:
        data = {"To": TO, "From": SIMULATOR_FROM_NUMBER, "Twiml": "<Response/>"}
        assert (await client.post(f"{CALLS}.json", data=data)).status_code == 201
        listed = (await client.get(f"{CALLS}.json")).json()
        assert len(listed["calls"]) == 1
        assert (await client.get("/nowhere")).json()["code"] == 20404
        entries = (await client.get("/simulator/log")).json()
    requests = [entry for entry in entries if entry["direction"] == "in"]
    assert [entry["path"] for entry in requests] == [f"{CALLS}.json", f"{CALLS}.json", "/nowhere"]
