"""A page follows an alert, and shows its newest state when its turn to show something comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from shiny import Session, reactive

from alerts import AlertRequest, Status
from dashboard.live_alert import LiveAlert
from tests.support.desks import simulated_desk, until

pytestmark = pytest.mark.usefixtures("fresh_lock")


class Page:
    """As much of a session as following an alert needs."""

    def on_ended(self, stop: Callable[[], object]) -> None:
        self.end = stop


async def test_what_has_changed_meanwhile_is_not_shown(tmp_path: Path) -> None:
    async with simulated_desk(tmp_path) as desk:
        live = LiveAlert(desk, cast(Session, Page()))
        shown: list[Status] = []

        async def note() -> None:
            with reactive.isolate():
                shown.extend(each.status for each in live.all())

        stop = reactive.on_flushed(note)
        async with reactive.lock():
            live.follow("batch-1407")
            request = AlertRequest(
                "call", "+14128574309", "Batch 1407 shows signs of diacetyl.", id="batch-1407"
            )
            alert = await desk.send(request)
            assert alert.status is Status.PLACED
        await until(lambda: shown)
        stop()
        live.stop()
    assert Status.QUEUED not in shown
    assert Status.SENDING not in shown
