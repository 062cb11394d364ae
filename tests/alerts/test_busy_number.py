"""A submission without an answer keeps its number busy, but never forever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import Event, Status
from alerts.alert import NewAlert
from alerts.appending import BeginResult, BeginSubmission
from alerts.history import History
from alerts.submissions import Outcome, Submission
from database import database as database_module
from database.database import Database
from database.opening import OpenDatabase
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from tests.support.desks import (
    CALL,
    UNHURRIED,
    database_in,
    followed,
    posts,
    simulated_desk,
    until_over,
)
from tests.support.waiting import until

LOST = sa.exc.DBAPIError("COMMIT", None, Exception("cut"), connection_invalidated=True)
ANN = "+14125550142"


async def test_the_answer_to_the_commit_of_a_submission_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The work runs again, and needs no other slot of the account's rate."""
    commit, lost = database_module._commit, 0

    def commit_on_a_bad_line(opened: OpenDatabase, writes: Sequence[Any]) -> list[Any]:
        nonlocal lost
        outcomes = commit(opened, writes)
        begins = any(
            isinstance(getattr(each.item, "more", None), BeginSubmission) for each in writes
        )
        if begins and not lost:
            lost += 1
            raise LOST
        return outcomes

    monkeypatch.setattr(database_module, "_commit", commit_on_a_bad_line)
    async with simulated_desk(tmp_path, calls_per_second=2) as desk:
        [sent] = await desk.send_all([CALL])
        assert (await until_over(desk, sent.id)).status == "completed"
        assert lost == 1
        assert len(posts(desk)) == 1


@pytest.mark.parametrize("minutes", [1, 60], ids=["it is due", "another alert is first"])
async def test_an_earlier_try_was_never_settled(tmp_path: Path, minutes: float):
    """A late report about another of its calls ended that try, and then its process died."""
    database = Database(database_in(tmp_path).get_secret_value())
    await database.open()
    history = History(database, SIMULATOR_ACCOUNT_SID)
    request = replace(CALL, tries=2, minutes_between_tries=minutes)
    now = datetime.now(UTC)
    await history.add([NewAlert("left", request, SIMULATOR_FROM_NUMBER)])
    submission = Submission("s", "left", 1, SIMULATOR_ACCOUNT_SID, "call", CALL.to, now)
    await history.begin(submission, Event(now, Status.SENDING, ""), 1000, has_slot=True)
    late = Event(now - timedelta(minutes=2), Status.UNANSWERED, "", "callback", sid="CA1")
    alert = await history.record("left", late)
    assert alert is not None
    assert (alert.status, alert.try_number) == ("queued", 2)
    await database.close()
    async with simulated_desk(tmp_path) as desk:
        if minutes > 1:
            assert (await desk.send(CALL)).sid
        else:
            assert (await until_over(desk, "left")).status == "completed"
        assert len(posts(desk)) == 1


async def test_the_next_try_comes_while_the_number_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A late report about another of its calls ends the try: the next one is another call."""
    begin, begun = History.begin, list[int]()

    async def busy_once(self: History, submission: Submission, *arguments: Any, **options: Any):
        begun.append(submission.try_number)
        if len(begun) > 1:
            return await begin(self, submission, *arguments, **options)
        late = Event(datetime.now(UTC), Status.UNANSWERED, "", "callback", sid="CA1")
        await self.record(submission.alert_id, late)
        return BeginResult(number_is_busy=True)

    monkeypatch.setattr(History, "begin", busy_once)
    async with simulated_desk(tmp_path) as desk:
        alert = await followed(desk, replace(CALL, then_to=(ANN,)))
        assert (alert.status, alert.try_number) == ("completed", 2)
        assert [form["To"] for form in posts(desk)] == [ANN]
        assert begun == [1, 1, 2]


async def test_it_may_be_canceled_while_the_number_is_waited_for(tmp_path: Path):
    """What another alert left is looked up for as long as Twilio may take to list it."""
    database = Database(database_in(tmp_path).get_secret_value())
    await database.open()
    history = History(database, SIMULATOR_ACCOUNT_SID)
    now = datetime.now(UTC)
    sending = Event(now, Status.SENDING, "")
    for each in ("ours", "left"):
        await history.add([NewAlert(each, CALL, SIMULATOR_FROM_NUMBER)])
        submission = Submission(each, each, 1, SIMULATOR_ACCOUNT_SID, "call", CALL.to, now)
        assert (await history.begin(submission, sending, 1000, has_slot=True)).is_begun
        if each == "ours":
            await history.settle(submission, Outcome.NEVER_SENT, None)
    await history.record("left", Event(now, Status.ACKNOWLEDGED, "", "recipient"))
    await database.close()
    policy = replace(UNHURRIED["retry_policy"], listing_seconds=60)
    async with simulated_desk(tmp_path, retry_policy=policy) as desk:
        await desk.open()
        simulator = desk.services.simulator
        assert simulator is not None
        await until(
            lambda: any(each.method == "GET" for each in simulator.app.state.request_log.entries)
        )
        await desk.cancel("ours")
        assert (await asyncio.wait_for(until_over(desk, "ours"), 5)).status == "canceled"
        assert posts(desk) == []
