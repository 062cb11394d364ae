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
# time. An answer that was used again is asked for once more when it is this old.
ANSWER_KEPT_SECONDS = 10
MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What was sent to these `numbers`; `at` is `time.monotonic()` when the database was asked."""

    recent: RecentAlerts
    numbers: list[tuple[str, tuple[str, ...]]]
    at: float

    @property
    def seconds_left(self) -> float:
        """How long it may still be used."""
        return self.at + ANSWER_KEPT_SECONDS - time.monotonic()


class Answers:
    """What the database said last about a page's recipients."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: Answer | None = None

    def forget(self) -> None:
        """Use no answer from before now."""
        self._last = None

    def kept(self, requests: Sequence[AlertRequest]) -> Answer | None:
        """Return the last answer, if it is about the same numbers and not too old."""
        if self._last and self._last.numbers == _numbers(requests) and self._last.seconds_left > 0:
            return self._last
        return None

    async def ask(self, requests: Sequence[AlertRequest]) -> RecentAlerts:
        """Ask the database."""
        at = time.monotonic()
        recent = await self._desk.recent_alerts(requests)
        self._last = Answer(recent, _numbers(requests), at)
        return recent


def _numbers(requests: Sequence[AlertRequest]) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.to, each.then_to) for each in requests]


async def with_words_of(
    requests: Sequence[AlertRequest], recent: RecentAlerts
) -> tuple[SentBefore, ...]:
    """Return the recipients who were sent the same words."""
    if not recent.by_number:
        return ()
    # In a thread, because comparing with a thousand recipients takes half a second.
    return tuple(await asyncio.to_thread(recent.with_words_of, requests))


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
    showing: set[asyncio.Task[None]] = set()
    asked: list[AlertRequest] = []
    answers = Answers(desk)

    # No extended task: each would tell every session that it has begun, ended or was canceled,
    # while the answer nearly always is that nothing was sent.
    async def look_up(requests: list[AlertRequest]) -> None:
        await asyncio.sleep(SECONDS_AFTER_TYPING)
        if kept := answers.kept(requests):
            await compare(requests, kept.recent)
            await asyncio.sleep(kept.seconds_left)
        await compare(requests, await answers.ask(requests))

    async def compare(requests: list[AlertRequest], recent: RecentAlerts) -> None:
        before = await with_words_of(requests, recent)
        with reactive.isolate():
            if found() == before:
                return  # as usual
        # In a task of its own, because canceling it would interrupt a flush, which all visitors
        # share.
        task = in_background(
            show_newest(lambda: {found: before} if asked is requests else {}),
            "showing the same words sent before",
        )
        showing.add(task)
        task.add_done_callback(showing.discard)
        await asyncio.wait({task})

    def stop() -> None:
        for task in looking:
            task.cancel()

    session.on_ended(stop)

    # Before `look`, whose new task it would cancel.
    @reactive.effect(priority=1)
    def forget() -> None:
        sent()
        stop()
        answers.forget()

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
