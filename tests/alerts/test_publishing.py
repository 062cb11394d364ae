"""A document is there when Twilio wants to read it, however long that takes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.steps import placing
from storage import LocalStorage
from tests.support.desks import CALL, desk_at, followed, simulated_desk, until_over
from tests.support.scripted_twilio import PLACED, TOO_FAST, at, scripted_twilio


@pytest.fixture
def an_hour_is_over(monkeypatch):
    monkeypatch.setattr("alerts.steps.publishing.REUSE_DOCUMENTS_FOR", timedelta())


async def published_and_no_further(folder, monkeypatch):
    """What a process leaves behind if it dies right before its request to Twilio."""
    is_published = asyncio.Event()

    async def never(*_):
        is_published.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(placing, "_request", never)
        async with simulated_desk(folder) as desk:
            sending = asyncio.create_task(desk.send(replace(CALL, id="call")))
            await is_published.wait()
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
    (document,) = folder.glob("*.xml")
    return document


async def test_what_has_expired_meanwhile_is_published_again(
    tmp_path, monkeypatch, an_hour_is_over
):
    document = await published_and_no_further(tmp_path, monkeypatch)
    document.unlink()
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        alert = await until_over(desk, "call")
        assert desk.services.simulator is not None
        log = desk.services.simulator.app.state.request_log.entries
    assert alert.status == "completed"
    assert [entry.status for entry in log if entry.path.endswith(".xml")] == [200]
    (document,) = tmp_path.glob("*.xml")
    assert str(alert.twiml_url).endswith(document.name)


async def test_what_is_young_is_used(tmp_path, monkeypatch):
    document = await published_and_no_further(tmp_path, monkeypatch)
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        await until_over(desk, "call")
    assert list(tmp_path.glob("*.xml")) == [document]


async def test_a_call_that_waits_long_records_its_new_address(tmp_path, an_hour_is_over):
    storage = LocalStorage(tmp_path, "https://callboard.example")
    async with (
        scripted_twilio(TOO_FAST, PLACED, looking=[at("completed")]) as twilio,
        desk_at(twilio.url, storage) as desk,
    ):
        alert = await followed(desk, CALL)
    first, second = [post["Url"] for post in twilio.posts]
    assert first != second
    assert alert.twiml_url == second
    assert [event.note for event in alert.events if event.twiml_url] == [
        "Stored in this app",
        "Stored again in this app",
    ]
