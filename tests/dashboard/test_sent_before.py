"""The warning that the same words were sent before is about what the form says now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shiny import reactive

from alerts import AlertRequest
from alerts.sent_before import SentBefore
from dashboard.background import show_newest
from dashboard.send import sent_before
from dashboard.send.sent_before import warning
from tests.support.desks import simulated_desk
from tests.support.page_in_memory import fill_in, opened, shown, until

pytestmark = pytest.mark.usefixtures("fresh_lock")

WORDS = "Batch 1407 shows signs of diacetyl."


def test_it_does_not_say_who_sent_them():
    now = datetime(2026, 11, 20, 9, 42, tzinfo=UTC)
    ben = SentBefore("+14128574309", now - timedelta(minutes=3), "Ben")
    clara = SentBefore("+14125550124", now - timedelta(minutes=9), "")
    assert warning([clara, ben], now) == "These words were sent to Ben and 1 other 3 min ago."
    assert warning([clara], now) == "These words were sent to +1 412-555-0124 9 min ago."


async def test_what_is_found_too_late_is_not_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def show_later(values: Callable[[], Mapping[reactive.Value[Any], object]]) -> None:
        found.set()
        await go_on.wait()
        await show_newest(values)
        done.set()

    async with simulated_desk(tmp_path) as desk:
        await desk.send(AlertRequest("call", "+14128574309", WORDS))
        async with opened(desk) as page:
            await fill_in(page.session, phone_number="+14128574309", message=WORDS)
            await until(page.session, lambda: "These words" in shown(page.session, "sent_before"))
            await fill_in(page.session, message="")
            await until(
                page.session, lambda: "These words" not in shown(page.session, "sent_before")
            )
            monkeypatch.setattr(sent_before, "show_newest", show_later)
            await fill_in(page.session, message=WORDS)
            await until(page.session, found.is_set)
            await fill_in(page.session, message="")
            go_on.set()
            await until(page.session, done.is_set)
            assert "These words" not in shown(page.session, "sent_before")
