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
from alerts.sent_before import RecentAlerts, SentBefore
from dashboard.background import show_newest
from dashboard.send import sent_before
from dashboard.send.sent_before import warning
from tests.support.desks import simulated_desk
from tests.support.page_in_memory import fill_in, opened, press, shown, until

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


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that a page has compared with what was sent."""
    found: list[str] = []
    with_words_of = RecentAlerts.with_words_of

    def remember(recent: RecentAlerts, requests: list[AlertRequest]) -> list[SentBefore]:
        found.append(requests[0].message)
        return with_words_of(recent, requests)

    monkeypatch.setattr(RecentAlerts, "with_words_of", remember)
    return found


@pytest.mark.parametrize("kept_seconds", [1000, -1])
async def test_what_another_sends_is_noticed_once_the_answer_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: list[str], kept_seconds: int
) -> None:
    monkeypatch.setattr(sent_before, "KEPT_SECONDS", kept_seconds)
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        await fill_in(page.session, phone_number="+14128574309", message=WORDS)
        await until(page.session, lambda: WORDS in compared)
        await desk.send(AlertRequest("call", "+14128574309", WORDS))
        compared.clear()
        await fill_in(page.session, message="Something else")
        await until(page.session, lambda: bool(compared))
        await fill_in(page.session, message=WORDS)
        await until(page.session, lambda: WORDS in compared)
        if kept_seconds < 0:
            await until(page.session, lambda: "These words" in shown(page.session, "sent_before"))
        else:
            assert "These words" not in shown(page.session, "sent_before")
            # About another number the page doesn't know anything yet.
            await desk.send(AlertRequest("call", "+14128574310", WORDS))
            await fill_in(page.session, phone_number="+14128574310")
            await until(page.session, lambda: "These words" in shown(page.session, "sent_before"))


async def test_what_the_page_sends_is_noticed_at_once(tmp_path: Path, compared: list[str]) -> None:
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        await fill_in(page.session, phone_number="+14128574309", message=WORDS)
        await until(page.session, lambda: WORDS in compared)
        await press(page.session)
        await until(page.session, lambda: "These words" in shown(page.session, "sent_before"))
