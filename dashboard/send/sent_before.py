"""The warning under the button: these words went to the same number a short while ago."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from htmltools import Tag, tags
from shiny import Session, reactive, render

from alerts import AlertRequest, Desk, UnusableInput
from dashboard.alert_status import shape_tag
from dashboard.background import in_background, show_newest
from dashboard.send.recipients import Typed

if TYPE_CHECKING:
    from alerts.sent_before import RecentAlerts, SentBefore

# People don't read the warning while they type.
SECONDS_AFTER_TYPING = 0.5
# With 100 visitors who type, asking the database after each pause took a quarter of the server's
# time. What someone else sends meanwhile is noticed this much later.
KEPT_SECONDS = 10
MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Recent:
    """What was sent to these `numbers`; the database was asked `at` a moment of the clock."""

    alerts: RecentAlerts
    numbers: list[tuple[str, tuple[str, ...]]]
    at: float

    def is_old(self) -> bool:
        """Whether it is time to ask again."""
        return time.monotonic() > self.at + KEPT_SECONDS


def sent_before_server(
    session: Session,
    desk: Desk,
    form: Callable[[], AlertRequest | UnusableInput],
    typed: Callable[[], Typed],
    sent: Callable[[], object],
) -> None:
    """Show the warning, which prevents nothing. `sent` is a reactive read of what was just sent.

    For use inside a module's server.
    """

    found: reactive.Value[tuple[SentBefore, ...]] = reactive.Value(())
    looking: set[asyncio.Task[None]] = set()
    asked: list[AlertRequest] = []
    recent: Recent | None = None

    # No extended task: each would tell every session that it has begun, ended or was canceled,
    # while the answer nearly always is that nothing was sent.
    async def look_up(requests: list[AlertRequest]) -> None:
        await asyncio.sleep(SECONDS_AFTER_TYPING)
        nonlocal recent
        numbers = [(each.to, each.then_to) for each in requests]
        if recent is None or recent.numbers != numbers or recent.is_old():
            asked_at = time.monotonic()
            recent = Recent(await desk.recent_alerts(requests), numbers, asked_at)
        before = tuple(recent.alerts.with_words_of(requests))
        # From here on it mustn't be canceled: that would interrupt a flush, which all visitors
        # share.
        looking.clear()
        await show_newest(lambda: {found: before} if asked is requests else {})

    def stop() -> None:
        for task in looking:
            task.cancel()

    session.on_ended(stop)

    @reactive.effect(priority=1)
    def forget() -> None:
        nonlocal recent
        sent()
        recent = None

    # A warning stays until it is known to be wrong. Otherwise it would disappear and come back at
    # each key press, and screen readers would say it each time.
    @reactive.effect
    def look() -> None:
        nonlocal asked
        request, whom = form(), typed()
        sent()
        stop()
        asked = []
        if isinstance(request, AlertRequest) and request.message.strip() and whom.recipients:
            asked = [each.addressed(request) for each in whom.recipients]
            task = in_background(look_up(asked), "looking for the same words sent before")
            looking.add(task)
            task.add_done_callback(looking.discard)
        else:
            found.set(())

    @render.ui
    def sent_before() -> Tag | None:
        if not found():
            return None
        reactive.invalidate_later(MINUTE_SECONDS / 2)  # the sentence says how long ago it was
        return tags.p(
            shape_tag("mark", "wait"),
            tags.span(warning(found(), datetime.now(UTC))),
            class_="cb-note wait",
        )


def warning(found: Sequence[SentBefore], now: datetime) -> str:
    """Say to whom these words went already, and when last."""
    newest = max(found, key=lambda each: each.at)
    minutes = round((now - newest.at).total_seconds() / MINUTE_SECONDS)
    when = "less than a minute ago" if minutes < 1 else f"{minutes} min ago"
    others = len(found) - 1
    more = "" if not others else " and 1 other" if others == 1 else f" and {others:,} others"
    return f"These words were sent to {newest.label}{more} {when}."
