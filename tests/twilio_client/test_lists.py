"""Lists: every page is read once, only from this server, and reading always ends."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from tests.support.recording_server import (
    ACCOUNT_PATH,
    ACCOUNT_SID,
    TOKEN,
    Recorded,
    Recorder,
    always,
)
from tests.support.servers import serve
from twilio_client import TwilioClient, TwilioError, TwilioUncertain

PATH = f"{ACCOUNT_PATH}/Calls.json"


def pages_of(total: int, host: str = "") -> Recorder:
    """A server with `total` calls, which it lists in pages as Twilio does."""

    def answer(request: Recorded) -> Response:
        query = dict(request.query)
        size, page = int(query["PageSize"]), int(query.get("Page", 0))
        start = page * size
        calls = [{"sid": f"CA{n:032x}"} for n in range(start, min(start + size, total))]
        following = f"{host}{PATH}?PageSize={size}&Page={page + 1}&PageToken=PA{page}%3D"
        more = start + size < total
        return JSONResponse({"calls": calls, "next_page_uri": following if more else None})

    return Recorder(answer)


async def collect(recorder: Recorder, path: str = "", **filters: Any) -> list[int]:
    with serve(recorder) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address + path) as client:
            return [int(call.sid[2:], 16) async for call in client.list_calls(**filters)]


@pytest.mark.parametrize("total", [0, 1, 49, 50, 51, 100, 120])
async def test_every_page_is_read_once(total):
    recorder = pages_of(total)
    assert await collect(recorder) == list(range(total))
    assert len(recorder.requests) == max(1, -(-total // 50))


async def test_the_page_token_travels_as_it_came():
    recorder = pages_of(51)
    await collect(recorder)
    assert recorder.requests[1].query[-1] == ("PageToken", "PA0=")


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (20, 1), (50, 1), (60, 2)])
async def test_a_limit_asks_for_no_more_than_it_needs(limit, requests):
    recorder = pages_of(120)
    assert await collect(recorder, limit=limit) == list(range(limit))
    assert len(recorder.requests) == requests
    assert ("PageSize", str(min(limit, 50))) in recorder.requests[0].query


async def test_a_reader_may_stop_early():
    recorder = pages_of(120)
    with serve(recorder) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            async with aclosing(client.list_calls()) as calls:  # type: ignore[type-var]
                async for _ in calls:
                    break
            assert len([call async for call in client.list_calls(limit=2)]) == 2


async def test_another_host_never_gets_the_credentials():
    with serve(Recorder()) as elsewhere:
        recorder = pages_of(60, host=elsewhere)
        assert await collect(recorder) == list(range(60))
    assert len(recorder.requests) == 2


async def test_an_api_below_a_path_is_paged_too():
    recorder = pages_of(60)
    assert await collect(recorder, path="/twilio/") == list(range(60))
    assert [request.path for request in recorder.requests] == [f"/twilio{PATH}"] * 2


async def test_a_page_that_leads_to_itself_ends_the_list():
    recorder = always({"calls": [{"sid": "CA1"}], "next_page_uri": f"{PATH}?Page=1"})
    with pytest.raises(TwilioUncertain):
        await collect(recorder)
    assert len(recorder.requests) == 2


async def test_pages_that_lead_in_a_circle_end_the_list():
    def answer(request: Recorded) -> Response:
        other = 2 if ("Page", "1") in request.query else 1
        return JSONResponse({"calls": [], "next_page_uri": f"{PATH}?Page={other}"})

    recorder = Recorder(answer)
    async with asyncio.timeout(10):
        with pytest.raises(TwilioUncertain):
            await collect(recorder)
    assert len(recorder.requests) == 3


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"calls": None},
        {"calls": "many"},
        {"calls": ["CA1"]},
        {"calls": [{}]},
        {"calls": [], "next_page_uri": "elsewhere"},
    ],
)
async def test_a_page_that_makes_no_sense_is_an_error(page):
    with pytest.raises(TwilioError):
        await collect(always(page))
