"""The warning that the same words were sent before is about what the form says now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shiny import reactive

from alerts import AlertRequest, Desk
from alerts.sent_before import RecentAlerts, SentBefore
from dashboard.background import show_newest
from dashboard.send import sent_before
from dashboard.send.sent_before import warning, with_words_of
from tests.support.desks import simulated_desk
from tests.support.page_in_memory import Page, fill_in, opened, press, shown, until

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
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


class Looks:
    """How often a page has asked the database, and has compared what it knows with the form."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.compared = 0
        recent_alerts = Desk.recent_alerts

        async def ask(desk: Desk, requests: list[AlertRequest]) -> RecentAlerts:
            self.asked += 1
            return await recent_alerts(desk, requests)

        async def compare(
            requests: Sequence[AlertRequest], recent: RecentAlerts
        ) -> tuple[SentBefore, ...]:
            found = await with_words_of(requests, recent)
            self.compared += 1
            return found

        patch.setattr(Desk, "recent_alerts", ask)
        patch.setattr(sent_before, "with_words_of", compare)

    async def after(self, page: Page, **inputs: Any) -> int:
        """How often the page asks the database until it has looked at these inputs."""
        asked, compared = self.asked, self.compared
        await fill_in(page.session, **inputs)
        await until(page.session, lambda: self.compared > compared)
        return self.asked - asked


async def test_the_database_is_asked_once_for_the_same_recipients(
    tmp_path: Path, looks: Looks
) -> None:
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        assert await looks.after(page, phone_number="+14128574309", message=WORDS) == 1
        assert await looks.after(page, message="Something else") == 0
        assert await looks.after(page, phone_number="+14128574310") == 1
        assert await looks.after(page, then_to="+14128574311") == 1
        assert await looks.after(page, message=WORDS) == 0


async def test_what_another_sends_is_noticed_a_while_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: Looks
) -> None:
    monkeypatch.setattr(sent_before, "ANSWER_KEPT_SECONDS", 3)
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        assert await looks.after(page, phone_number="+14128574309", message="Something else") == 1
        await desk.send(AlertRequest("call", "+14128574309", WORDS))
        await fill_in(page.session, message=WORDS)
        await until(page.session, lambda: "These words" in shown(page.session, "sent_before"))


async def test_what_the_page_sends_is_noticed_at_once(tmp_path: Path, looks: Looks) -> None:
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        assert await looks.after(page, phone_number="+14128574309", message=WORDS) == 1
        await press(page.session)
        await until(page.session, lambda: "These words" in shown(page.session, "sent_before"))


async def test_an_answer_from_before_the_page_sent_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, go_on = asyncio.Event(), asyncio.Event()
    recent_alerts = Desk.recent_alerts

    async def ask_slowly(desk: Desk, requests: list[AlertRequest]) -> RecentAlerts:
        found = await recent_alerts(desk, requests)
        if not asking.is_set():
            asking.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(Desk, "recent_alerts", ask_slowly)
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        await fill_in(page.session, phone_number="+14128574309", message=WORDS)
        await until(page.session, asking.is_set)
        await press(page.session)
        await until(page.session, lambda: page.alert is not None)
        go_on.set()
        await until(page.session, lambda: "These words" in shown(page.session, "sent_before"))
