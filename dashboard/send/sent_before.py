"""The warning under the button: these words went to the same number a short while ago."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from htmltools import Tag, tags
from shiny import reactive, render

from alerts import AlertRequest, DatabaseError, Desk, UnusableInput
from dashboard.alert_status import shape_tag
from dashboard.live_alert import failure_sentence
from dashboard.send.recipients import Typed

if TYPE_CHECKING:
    from alerts.sent_before import SentBefore

# Nobody reads the warning while they type.
SECONDS_AFTER_TYPING = 0.5
MINUTE_SECONDS = 60


def sent_before_server(
    desk: Desk,
    form: Callable[[], AlertRequest | UnusableInput],
    typed: Callable[[], Typed],
    sent: Callable[[], object],
) -> None:
    """Show the warning, which stops nobody. `sent` is a reactive read of what was just sent.

    For use inside a module's server.
    """

    @reactive.extended_task
    async def looking(requests: list[AlertRequest]) -> list[SentBefore]:
        await asyncio.sleep(SECONDS_AFTER_TYPING)
        try:
            return await desk.sent_before(requests)
        except DatabaseError as problem:
            failure_sentence(problem)
            return []  # said at the button

    @reactive.effect
    def look() -> None:
        request, whom = form(), typed()
        sent()
        looking.cancel()
        if isinstance(request, AlertRequest) and request.message.strip() and whom.recipients:
            looking.invoke([each.addressed(request) for each in whom.recipients])

    @render.ui
    def sent_before() -> Tag | None:
        if looking.status() != "success" or not (found := looking.result()):
            return None
        reactive.invalidate_later(MINUTE_SECONDS / 2)  # the sentence tells how long ago it was
        return tags.p(
            shape_tag("mark", "wait"),
            tags.span(warning(found, datetime.now(UTC))),
            class_="cb-note wait",
        )


def warning(found: list[SentBefore], now: datetime) -> str:
    """Say to whom these words went already, and when last."""
    newest = max(found, key=lambda each: each.at)
    minutes = round((now - newest.at).total_seconds() / MINUTE_SECONDS)
    when = "less than a minute ago" if minutes < 1 else f"{minutes} min ago"
    others = len(found) - 1
    more = "" if not others else " and 1 other" if others == 1 else f" and {others:,} others"
    return f"You sent {newest.label}{more} these words {when}."
