"""The simulator inside our own process: closed to others, and independent of where the app is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

import webhooks
from alerts import AlertRequest, Desk
from settings import Settings
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
from storage import LocalStorage
from tests.support.environment import clean_environment
from tests.support.servers import serve


@pytest.fixture(autouse=True)
def simulation() -> Iterator[None]:
    with clean_environment():
        yield


async def test_outsiders_cannot_make_the_mounted_simulator_call_or_read_its_log():
    known_to_all = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
    async with Desk.from_settings(Settings(_env_file=None)) as desk:
        with serve(Starlette(routes=webhooks.routes(desk))) as url:
            async with httpx.AsyncClient(base_url=url, auth=known_to_all) as stranger:
                path = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls.json"
                form = {"To": "+14128574309", "From": "+17248675309", "Url": "http://127.0.0.1/"}
                assert (await stranger.post(path, data=form)).status_code == 401
                assert (await stranger.get("/simulator/log")).status_code == 401


@pytest.mark.slow
async def test_a_public_url_with_a_sub_path_changes_nothing():
    settings = Settings(_env_file=None, public_url="https://example.com/apps/callboard")
    async with Desk.from_settings(settings) as desk:
        alert = await desk.send(AlertRequest("call", "412 857 4309", "Hello."))
        assert desk.services.simulator is not None
        call = desk.services.simulator.exchange.calls[alert.sid or ""]
        async for change in desk.watch(alert.id):
            last = change
        assert last.reached
        assert [line.text for line in call.transcript if line.kind == "say"] == ["Hello."] * 3


def test_documents_of_two_simulations_are_apart():
    storages = [Desk.from_settings(Settings(_env_file=None)).services.storage for _ in range(2)]
    folders = {s._folder for s in storages if isinstance(s, LocalStorage)}
    assert len(folders) == 2


async def test_replies_on_the_handset_come_back_to_this_process():
    async with Desk.from_settings(Settings(_env_file=None)) as desk:
        request = AlertRequest("text", "412 857 4310", "Hello.", acknowledge=True)
        alert = await desk.send(request)
        assert desk.services.simulator is not None
        exchange = desk.services.simulator.exchange
        exchange.receive_text("+14128574310", alert.from_, "ok")
        async with asyncio.timeout(10):
            async for change in desk.watch(alert.id):
                last = change
        assert (last.status, last.events[-1].note) == ("acknowledged", "Replied “ok”")
        # Passed on by the number's webhook, not found in the list.
        reads = [
            e for e in desk.services.simulator.app.state.request_log.entries if e.method == "GET"
        ]
        assert not any(e.path.endswith("/Messages.json") for e in reads)
