"""A page follows an alert, and shows its newest state when its turn to show something comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from shiny import Session, reactive

from alerts import Alert, AlertRequest, Desk, Status
from dashboard import live_alert
from dashboard.live_alert import LiveAlert
from tests.support.desks import simulated_desk
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("fresh_lock")


class Page:
    """As much of a session as following an alert needs."""

    def on_ended(self, stop: Callable[[], object]) -> None:
        self.end = stop


@contextmanager
def page_of(desk: Desk) -> Iterator[LiveAlert]:
    """What one page shows."""
    live = LiveAlert(desk, cast(Session, Page()))
    try:
        yield live
    finally:
        live.stop()


async def test_what_has_changed_meanwhile_is_not_shown(tmp_path: Path) -> None:
    async with simulated_desk(tmp_path) as desk:
        shown: list[Status] = []

        async def note() -> None:
            with reactive.isolate():
                shown.extend(each.status for each in live.all())

        request = AlertRequest(
            "call", "+14128574309", "Batch 1407 shows signs of diacetyl.", id="batch-1407"
        )
        with page_of(desk) as live:
            stop = reactive.on_flushed(note)
            async with reactive.lock():
                live.follow("batch-1407")
                alert = await desk.send(request)
                assert alert.status is Status.PLACED
            await until(lambda: shown)
            stop()
    assert Status.QUEUED not in shown
    assert Status.SENDING not in shown


async def test_the_next_request_is_prepared_before_an_alert_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_alert, "PREPARE_REQUEST_SECONDS", 3600.0)
    async with simulated_desk(tmp_path) as desk:
        with page_of(desk) as early:
            early.follow("batch-1407")
            alert = await desk.send(
                AlertRequest("call", "+14128574309", "Batch 7", id="batch-1407")
            )
            assert alert.status is Status.PLACED
            with reactive.isolate():
                assert early() is None

        with page_of(desk) as late:
            late.follow("batch-1407")

            def shown() -> Alert | None:
                with reactive.isolate():
                    return late()

            # What needs no further request is drawn at once.
            await until(shown)
            drawn = shown()
            assert drawn is not None
            assert drawn.status not in {Status.QUEUED, Status.SENDING}
