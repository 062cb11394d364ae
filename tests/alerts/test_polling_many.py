"""Hundreds of open calls cost few requests: Twilio's list shows a thousand at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta

import pytest
from starlette.responses import JSONResponse

from alerts.steps.polling import StatusReader
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.desks import ANYBODY, twilio_client
from tests.support.pollers import Reports, one, poller_at
from tests.support.servers import serve
from tests.support.waiting import until

OPEN_CALL = "<Response><Pause length='600'/></Response>"


@contextmanager
def simulation():
    app = create_app(
        account_sid=SIMULATOR_ACCOUNT_SID,
        auth_token=SIMULATOR_AUTH_TOKEN,
        calls_per_second=1000,
        speed=20,
    )
    with serve(app) as url:
        yield app, url


def looks_at(app):
    return [
        entry.path.rpartition("/")[2]
        for entry in app.state.request_log.entries
        if entry.method == "GET"
    ]


async def place(url, count):
    async with twilio_client(url) as twilio:
        placing = [
            twilio.create_call(to=ANYBODY, from_=SIMULATOR_FROM_NUMBER, twiml=OPEN_CALL)
            for _ in range(count)
        ]
        return [call.sid for call in await asyncio.gather(*placing)]


@asynccontextmanager
async def following(url, reports, followed):
    async with poller_at(url, reports) as poller, AsyncExitStack() as stack:
        for each in followed:
            stack.enter_context(poller.polling(each))
        yield


@pytest.mark.parametrize(("count", "list_is_read"), [(20, False), (60, True)])
async def test_many_are_read_from_the_list_and_each_is_reported(count, list_is_read):
    reports = Reports()
    with simulation() as (app, url):
        sids = await place(url, count)
        async with following(url, reports, [one(sid, sid=sid) for sid in sids]):
            await until(lambda: all("answered" in reports.words(sid) for sid in sids))
        asked = looks_at(app)
        assert ("Calls.json" in asked) == list_is_read
        assert len(asked) < count if list_is_read else len(asked) >= count


@pytest.mark.slow
async def test_what_the_list_does_not_show_is_looked_at_by_itself():
    reports = Reports()
    with simulation() as (app, url):
        (old,) = await place(url, 1)
        await place(url, 150)  # another program's
        sids = await place(url, 25)
        followed = [one(sid, sid=sid) for sid in sids]
        async with following(url, reports, [*followed, one(old, sid=old, ago=timedelta(hours=1))]):
            await until(lambda: all("answered" in reports.words(sid) for sid in [old, *sids]))
        asked = looks_at(app)
    assert asked.count(f"{old}.json") == asked.count("Calls.json")
    assert set(asked) == {"Calls.json", f"{old}.json"}


async def test_texts_have_a_list_of_their_own():
    reports = Reports()
    with simulation() as (app, url):
        async with twilio_client(url) as twilio:
            placing = [
                twilio.create_message(to=ANYBODY, from_=SIMULATOR_FROM_NUMBER, body=f"Hello {n}")
                for n in range(30)
            ]
            sids = [text.sid for text in await asyncio.gather(*placing)]
        async with following(url, reports, [one(sid, "text", sid) for sid in sids]):
            await until(lambda: all("delivered" in reports.words(sid) for sid in sids))
        assert set(looks_at(app)) == {"Messages.json"}


async def test_a_key_that_may_not_list_looks_at_each(caplog):
    reports = Reports()
    with simulation() as (app, address):
        sids = await place(address, 25)
        with serve(without_lists(app)) as url:
            async with following(url, reports, [one(sid, sid=sid) for sid in sids]):
                await until(lambda: all(reports.words(sid) for sid in sids))
        assert set(looks_at(app)) == {f"{sid}.json" for sid in sids}
    assert len(caplog.records) == 1


async def test_a_list_that_fails_keeps_none_from_being_polled(caplog, monkeypatch):
    async def broken(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(StatusReader, "read_many", broken)
    reports = Reports()
    with simulation() as (_, url):
        sids = await place(url, 25)
        async with following(url, reports, [one(sid, sid=sid) for sid in sids]):
            await until(lambda: all(reports.words(sid) for sid in sids))
    assert caplog.records[0].exc_info[1].args == ("a defect",)


def without_lists(app):
    """https://www.twilio.com/docs/iam/api-keys/restricted-api-keys permit some requests only."""
    refusal = JSONResponse({"code": 20003, "message": "Permission denied"}, 403)

    async def answer(scope, receive, send):
        is_list = scope["type"] == "http" and scope["path"].endswith("/Calls.json")
        await (refusal if is_list else app)(scope, receive, send)

    return answer
