"""An alert that waits for long is deferred: no process keeps it, and any worker may claim it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import Alert, AlertRequest, Desk, worker
from alerts.claims import Claims
from alerts.tables import alerts
from tests.support.desks import (
    CALL,
    TEXT,
    posts,
    quiet_now,
    simulated_desk,
    until_over,
    worker_of,
)
from tests.support.direct_sql import execute
from tests.support.waiting import until

BUSY = "+14125550101"
HOUR = 3600
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Wait:
    """A request that has to wait, the note that says so, and the columns to set to end the wait."""

    request: AlertRequest
    note: str
    is_over: Callable[[Row], dict[str, Any]]
    posts_before: int = 0


WAITS = {
    "for the morning": Wait(
        replace(CALL, quiet_hours=quiet_now(CALL.to)),
        "Quiet hours",
        lambda row: {"request": row["request"] | {"quiet_hours": ""}},
    ),
    "for the next try": Wait(
        replace(CALL, to=BUSY, tries=2, minutes_between_tries=60),
        "Try 2 comes at",
        lambda row: {"since": row["since"] - HOUR},
        posts_before=1,
    ),
}


@pytest.fixture(params=list(WAITS.values()), ids=list(WAITS))
def wait(request: pytest.FixtureRequest) -> Wait:
    waiting: Wait = request.param
    return waiting


async def row_of(desk: Desk, alert_id: str) -> Row:
    chosen = sa.select(alerts).where(alerts.c.id == alert_id)
    [row] = await execute(desk.services.database_url, chosen)
    return row


async def defer(desk: Desk, wait: Wait) -> Alert:
    """Send an alert, and wait until it is deferred."""
    sent = await desk.send(wait.request)
    history = await desk.history()
    alert = await history.until(sent.id, lambda alert: wait.note in alert.events[-1].note, 20)
    await until(lambda: worker_of(desk).under_way == 0)
    assert len(posts(desk)) == wait.posts_before
    return alert


async def let_it_be_over(desk: Desk, wait: Wait, alert_id: str) -> None:
    row = await row_of(desk, alert_id)
    change = sa.update(alerts).where(alerts.c.id == alert_id)
    over = change.values(due_at=0, **wait.is_over(row))
    await execute(desk.services.database_url, over)


async def rounds() -> None:
    """Wait until the worker has looked for alerts to claim once more."""
    are_due, looks = Claims.are_due, 0

    async def counted(self: Claims) -> bool:
        nonlocal looks
        looks += 1
        return await are_due(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Claims, "are_due", counted)
        await until(lambda: looks >= 2)


def calls(desk: Desk) -> int:
    return len([form for form in posts(desk) if "To" in form])


@pytest.mark.slow
async def test_it_is_unclaimed_until_it_is_due(tmp_path, wait):
    async with simulated_desk(tmp_path) as desk:
        alert = await defer(desk, wait)
        row = await row_of(desk, alert.id)
        assert (row["status"], row["claimed_by"], row["is_open"]) == ("queued", None, True)
        assert row["due_at"] > datetime.now(UTC).timestamp() + HOUR / 2
        await rounds()
        assert (await row_of(desk, alert.id))["claimed_by"] is None
        await let_it_be_over(desk, wait, alert.id)
        ended = await until_over(desk, alert.id)
        assert ended.status == ("completed" if wait.request.to == CALL.to else "unanswered")
        assert calls(desk) == wait.posts_before + 1
        assert len([each for each in ended.events if wait.note in each.note]) == 1


async def test_it_may_be_canceled_meanwhile(tmp_path, wait):
    async with simulated_desk(tmp_path) as desk:
        alert = await defer(desk, wait)
        canceled = await desk.cancel(alert.id)
        assert canceled is not None
        assert canceled.status == "canceled"
        await let_it_be_over(desk, wait, alert.id)
        await rounds()
        assert calls(desk) == wait.posts_before
        assert (await row_of(desk, alert.id))["claimed_by"] is None


@pytest.mark.slow
async def test_it_outlasts_a_restart(tmp_path, wait):
    async with simulated_desk(tmp_path) as desk:
        alert = await defer(desk, wait)
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        await rounds()
        assert (await row_of(desk, alert.id))["claimed_by"] is None
        await let_it_be_over(desk, wait, alert.id)
        assert (await until_over(desk, alert.id)).try_number == wait.posts_before + 1
        assert calls(desk) == 1


async def test_many_wait_for_the_morning_without_keeping_others_out(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "MOST_ALERTS_UNDER_WAY", 10)
    quiet = replace(TEXT, quiet_hours=quiet_now(TEXT.to))
    requests = [replace(quiet, to=f"+1412555{number:04}") for number in range(120)]
    async with simulated_desk(tmp_path) as desk:
        await desk.send_all(requests)
        [_, urgent] = await desk.send_all([requests[0], replace(TEXT, urgent=True)])
        assert (await until_over(desk, urgent.id)).status == "delivered"
        await until(lambda: worker_of(desk).under_way == 0)
        assert len(posts(desk)) == 1


@pytest.mark.slow
async def test_a_short_wait_stays_in_the_process(tmp_path):
    """Deferring and claiming it would cost more than waiting."""
    async with simulated_desk(tmp_path) as desk:
        request = replace(CALL, to=BUSY, tries=2, minutes_between_tries=3 / 60)
        sent = await desk.send(request)
        alert = await until_over(desk, sent.id)
        tries = [event.at for event in alert.events if event.status == "sending"]
        assert tries[1] - tries[0] >= timedelta(seconds=3)
        assert (await row_of(desk, alert.id))["claimed_by"] == worker_of(desk).id
