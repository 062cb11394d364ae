"""A callback says what became of a submission while it is looked up: the lookup comes too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from alerts import Event, Status
from alerts.alert import NewAlert
from alerts.submissions import Outcome, Submission
from alerts.tables import submissions
from database.database import Database
from tests.support.desks import CALL, UNHURRIED, desk_at, until_over
from tests.support.scripted_twilio import (
    CALL_SID,
    DROPPED,
    NOTHING,
    PLACED,
    Answer,
    at,
    scripted_twilio,
)
from tests.support.waiting import until
from tests.support.written_history import WrittenHistory, written_history

ACCOUNT = "AC1"
OUT_OF_ORDER = Answer(503)


def event(status: Status, note: str = "", sid: str | None = None) -> Event:
    return Event(datetime.now(UTC), status, note, "callback" if sid else "callboard", sid=sid)


@pytest.mark.parametrize("answer", [NOTHING, OUT_OF_ORDER], ids=["not listed", "no list"])
async def test_a_callback_comes_during_the_lookup(answer: Answer):
    """The call rings, so the alert is neither tried again nor given up."""
    released = asyncio.Event()
    looking = [replace(answer, released=released), at("completed")]
    # The first lookup is the last before giving up.
    policy = replace(UNHURRIED["retry_policy"], listing_seconds=0, lookup_seconds=0)
    async with (
        scripted_twilio(DROPPED, PLACED, looking=looking) as twilio,
        desk_at(twilio.url, retry_policy=policy) as desk,
    ):
        sending = asyncio.create_task(desk.send(replace(CALL, id="call")))
        await until(lambda: twilio.looks == 1)
        history = await desk.history()
        assert await history.record_callback("call", event(Status.RINGING, sid=CALL_SID), CALL_SID)
        released.set()
        alert = await sending
        assert (alert.sid, alert.status) == (CALL_SID, Status.RINGING)
        alert = await until_over(desk, "call")
        [outcome] = await rows(await desk.database())
    assert (alert.status, alert.sid) == (Status.COMPLETED, CALL_SID)
    assert outcome == (Outcome.PLACED, CALL_SID)
    assert not any(each.status is Status.UNKNOWN for each in alert.events)
    assert not any("never got it" in each.note for each in alert.events)
    assert len(twilio.posts) == 1


async def rows(database: Database) -> list[tuple[str | None, str | None]]:
    chosen = sa.select(submissions.c.outcome, submissions.c.sid)
    found = await database.read(lambda connection: connection.execute(chosen).all())
    return [(row.outcome, row.sid) for row in found]


@pytest.fixture
async def history(database_url: str) -> AsyncIterator[WrittenHistory]:
    async with written_history(database_url, ACCOUNT) as opened:
        yield opened


async def begun(history: WrittenHistory) -> Submission:
    await history.add([NewAlert("one", CALL, "+14155550100")])
    at_once = datetime.now(UTC)
    submission = Submission("s", "one", 1, ACCOUNT, "call", CALL.to, at_once)
    sending = Event(at_once, Status.SENDING, "")
    assert (await history.begin(submission, sending, 1000, has_slot=True)).is_begun
    return submission


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.NEVER_ARRIVED, Outcome.REFUSED])
@pytest.mark.parametrize("together", [True, False], ids=["one transaction", "two"])
async def test_what_is_known_stays(history: WrittenHistory, outcome: Outcome, together: bool):
    submission = await begun(history)
    ringing = history.record_callback("one", event(Status.RINGING, sid=CALL_SID), CALL_SID)
    late = history.settle(submission, outcome, event(Status.FAILED, "Too late"))
    if together:
        _, after = await asyncio.gather(ringing, late)
    else:
        await ringing
        after = await late
    assert after is not None
    assert (after.status, after.sid) == (Status.RINGING, CALL_SID)
    assert "Too late" not in [each.note for each in after.events]
    assert await rows(history.database) == [(Outcome.PLACED, CALL_SID)]


async def test_the_answer_itself_counts_also_after_a_lookup_gave_up(history: WrittenHistory):
    """The process that asked had stood still, and another one took its request for lost."""
    submission = await begun(history)
    await history.settle(submission, Outcome.NEVER_ARRIVED, None)
    placed = event(Status.PLACED, sid=CALL_SID)
    after = await history.settle(submission, Outcome.PLACED, placed, CALL_SID)
    assert after is not None
    assert (after.status, after.sid) == (Status.PLACED, CALL_SID)
    assert await rows(history.database) == [(Outcome.PLACED, CALL_SID)]


async def test_a_late_refusal_of_a_lost_request_ends_nothing(history: WrittenHistory):
    """Another process took it for lost and has asked again since."""
    submission = await begun(history)
    await history.settle(submission, Outcome.NEVER_ARRIVED, None)
    second = replace(submission, id="second")
    assert (await history.begin(second, event(Status.SENDING), 1000, has_slot=True)).is_begun
    after = await history.settle(submission, Outcome.REFUSED, event(Status.FAILED, "Refused"))
    assert after is not None
    assert after.status is Status.SENDING
    assert await rows(history.database) == [("never arrived", None), (None, None)]


async def test_a_second_request_is_settled_although_the_first_was_answered_after_all(
    history: WrittenHistory,
):
    """Otherwise its number would be busy forever. The call goes on."""
    first = await begun(history)
    await history.settle(first, Outcome.NEVER_ARRIVED, None)
    second = replace(first, id="second")
    assert (await history.begin(second, event(Status.SENDING), 1000, has_slot=True)).is_begun
    placed = event(Status.PLACED, sid=CALL_SID)
    await history.settle(first, Outcome.PLACED, placed, CALL_SID)
    after = await history.settle(second, Outcome.REFUSED, event(Status.FAILED, "Refused"))
    assert after is not None
    assert (after.status, after.sid) == (Status.PLACED, CALL_SID)
    assert sorted(await rows(history.database)) == [("placed", CALL_SID), ("refused", None)]
