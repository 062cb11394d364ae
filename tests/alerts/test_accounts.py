"""Each Twilio account has ids of its own: a simulation's and a real one's share a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from access import EVERYTHING, Actor
from alerts import Alert, Desk, Event, Status, records, submissions
from alerts.alert import NewAlert
from alerts.claims import Claims, Liveness
from alerts.history import History
from alerts.submissions import Submission
from alerts.tables import alerts
from database.database import Database
from simulator import SIMULATOR_ACCOUNT_SID as SIMULATED
from tests.support.callback_app import OTHER_SID, SID, CallbackApp, callback_app, form
from tests.support.desks import CALL, TEXT, posts, simulated_desk, until_over, worker_of
from tests.support.direct_sql import column

REAL = "AC" + "9" * 32
BUSY = "+14125550101"
# Tried once; then it waits.
WAITING = replace(CALL, id="batch 7", to=BUSY, tries=2, minutes_between_tries=60)
DeskOf = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def histories(database: Database) -> AsyncIterator[tuple[History, History]]:
    """The histories of two accounts, on one database."""
    both = History(database, "AC1"), History(database, "AC2")
    yield both
    for each in both:
        await each.close()


@pytest.fixture
async def callbacks(database_url: str) -> AsyncIterator[tuple[CallbackApp, CallbackApp]]:
    """Apps of two accounts on one database; each has an alert with the same id."""
    async with (
        callback_app(database_url) as one,
        callback_app(database_url, account_sid=REAL) as two,
    ):
        for each in (one, two):
            await each.add()
            await each.begin()
        yield one, two


def new(message: str) -> NewAlert:
    return NewAlert("one", replace(CALL, message=message), "+14155550100")


def now(status: Status | None, note: str = "", **facts: Any) -> Event:
    return Event(datetime.now(UTC), status, note, **facts)


def notes(alert: Alert | None) -> list[str]:
    assert alert is not None
    return [event.note for event in alert.events[1:]]


async def until_tried_again(desk: Desk, alert_id: str) -> None:
    async with asyncio.timeout(20), aclosing(desk.watch(alert_id)) as changes:
        await anext(alert async for alert in changes if alert.try_number == 2)


@pytest.fixture
def desk_of(tmp_path: Path, database_url: str) -> DeskOf:
    """Opens a desk of an account, on the one database."""
    return partial(simulated_desk, tmp_path, database_url=SecretStr(database_url))


@pytest.mark.parametrize("hears", [True, False], ids=["callbacks", "looks"])
@pytest.mark.parametrize("together", [True, False], ids=["together", "alone"])
@pytest.mark.slow
async def test_what_was_tried_in_a_simulation_is_then_sent_for_real(
    desk_of: DeskOf, together: bool, hears: bool
):
    ids = ["batch 7", "batch 8"] if together else ["batch 7"]

    async def send(desk: Desk, message: str) -> list[Alert]:
        requests = [replace(TEXT, id=each, message=message) for each in ids]
        for _ in range(2):
            await (desk.send_all(requests) if together else desk.send(requests[0]))
        over = [await until_over(desk, each) for each in ids]
        assert [each["Body"] for each in posts(desk)] == [message] * len(ids)
        return over

    async with desk_of(account_sid=SIMULATED, callbacks=hears) as desk:
        tried = await send(desk, "Just a test")
    async with desk_of(account_sid=REAL, callbacks=hears) as desk:
        sent = await send(desk, "Shut the valve")
    async with desk_of(account_sid=SIMULATED) as desk:
        assert [await desk.status(each) for each in ids] == tried
        assert posts(desk) == []
    assert {(each.message, each.status) for each in tried} == {("Just a test", "delivered")}
    assert {(each.message, each.status) for each in sent} == {("Shut the valve", "delivered")}
    assert len({each.sid for each in [*tried, *sent]}) == 2 * len(ids)


async def test_a_claim_is_one_accounts(desk_of: DeskOf):
    async with desk_of(account_sid=SIMULATED) as desk:
        await desk.send(WAITING)
        await until_tried_again(desk, "batch 7")
    async with desk_of(account_sid=REAL) as desk:
        await desk.send(replace(TEXT, id="batch 7"))
        assert (await until_over(desk, "batch 7")).status == "delivered"
        chosen = sa.select(alerts.c.claimed_by).where(alerts.c.account_sid == REAL)
        assert await column(desk.services.database_url, chosen) == [worker_of(desk).id]
        # The other account's has been free since its worker was closed.
        chosen = sa.select(alerts.c.claimed_by).where(alerts.c.account_sid == SIMULATED)
        assert await column(desk.services.database_url, chosen) == [None]


async def test_one_account_cancels_and_the_others_alert_goes_on(desk_of: DeskOf):
    async with desk_of(account_sid=SIMULATED) as desk:
        tried = await desk.send(replace(WAITING, message="Just a test"))
        await until_tried_again(desk, "batch 7")
    async with desk_of(account_sid=REAL) as desk:
        assert await desk.status("batch 7") is None
        assert await desk.cancel("batch 7") is None
        await desk.send(replace(WAITING, message="Shut the valve"))
        await until_tried_again(desk, "batch 7")
        canceled = await desk.acting_as(Actor("Anna", EVERYTHING)).cancel("batch 7")
        assert (await until_over(desk, "batch 7")).status == "canceled"
        assert canceled is not None
        assert canceled.message == "Shut the valve"
    async with desk_of(account_sid=SIMULATED) as desk:
        waiting = await desk.status("batch 7")
        assert waiting is not None
        assert (waiting.message, waiting.status, waiting.canceling) == (
            "Just a test", "queued", False,
        )  # fmt: skip
        assert waiting.events[: len(tried.events)] == tried.events
        # It is this account's process that goes on with it.
        assert await desk.cancel("batch 7")
        assert (await until_over(desk, "batch 7")).status == "canceled"


async def test_watchers_see_their_own(histories):
    async def seen(history: History) -> list[str]:
        async with asyncio.timeout(10), aclosing(history.watch("one")) as changes:
            return [alert.message async for alert in changes]

    one, two = histories
    watching = [asyncio.create_task(seen(each)) for each in histories]
    await two.add([new("Two")])
    for status in (Status.SENDING, Status.COMPLETED):
        await two.record("one", now(status))
    assert set(await watching[1]) == {"Two"}
    await one._look_at(["one"])
    assert one._watchers.newest.get("one") is None
    await one.add([new("One")])
    await one.record("one", now(Status.CANCELED))
    assert set(await watching[0]) == {"One"}


async def test_what_is_recorded_at_once_is_kept_apart(histories, database):
    one, two = histories
    assert [each.id for each in await one.add([new("One")])] == ["one"]
    assert await one.add([new("Again")]) == []
    assert await two.record("one", now(Status.SENDING)) is None
    assert [each.id for each in await two.add([new("Two")])] == ["one"]
    await asyncio.gather(
        *(one.record("one", now(None, "one's")) for _ in range(3)),
        *(two.record("one", now(Status.SENDING, "two's")) for _ in range(2)),
    )
    first, second = [(await each.get_all(["one"]))["one"] for each in histories]
    assert (first.message, first.status, notes(first)) == ("One", "queued", ["one's"] * 3)
    assert (second.message, second.status, notes(second)) == ("Two", "sending", ["two's"] * 2)
    newest = [
        await database.read(
            partial(records.revisions, account_sid=each.account_sid, alert_ids=["one"])
        )
        for each in histories
    ]
    assert newest == [{"one": 4}, {"one": 3}]


async def test_what_is_new_in_one_account_may_be_known_in_another(histories, database):
    one, two = histories
    moment = datetime.now(UTC)

    async def add(history: History, at: datetime) -> set[str]:
        added = await database.write(
            lambda connection: history.add_within(connection, [new("Hello")], now=at)
        )
        return {alert.id for alert in added}

    assert await add(two, moment - timedelta(seconds=1)) == {"one"}
    assert await add(one, moment) == {"one"}
    assert await add(two, moment) == set()


async def test_alerts_are_claimed_and_released_by_their_own_account(histories, database):
    for each in histories:
        await each.add([new("Hello")])
    one, two = (Claims(database, each.account_sid) for each in histories)

    async def claimed(claims: Claims) -> list[str]:
        return [alert.id for alert in await claims.claim("worker", 10)]

    assert await claimed(one) == ["one"]
    heartbeats = [Liveness(database, each.account_sid) for each in histories]
    assert await two.any_open_and_dead_workers(heartbeats[1]) == (True, set())
    assert await two.release({"worker"}) == 0
    assert await one.any_open_and_dead_workers(heartbeats[0]) == (
        True,
        {"worker"},
    )  # it has no heartbeat
    assert await claimed(two) == ["one"]
    assert await one.release({"worker"}) == 1
    assert await claimed(one) == ["one"]


async def test_a_request_without_an_answer_is_one_accounts(histories, database):
    one, two = histories
    request = Submission("1", "one", 1, one.account_sid, "call", CALL.to, datetime.now(UTC))
    for each in histories:
        await each.add([new("Hello")])
    await database.write(lambda db: submissions.begin(db, [request]))

    async def unsettled(history: History) -> Submission | None:
        alert = await history.get("one")
        assert alert is not None
        return await history.unsettled(alert)

    assert (await unsettled(one), await unsettled(two)) == (request, None)


async def test_a_callback_is_about_its_own_accounts_alert(callbacks):
    one, two = callbacks
    assert await one.status(form("in-progress", SID)) == 204
    assert (await one.press("1", CallSid=SID)).status_code == 200
    assert ((await one.alert()).status, (await one.alert()).sid) == ("acknowledged", SID)
    assert await one.outcomes() == [("placed", SID)]
    assert notes(await two.alert()) == [""]
    assert await two.outcomes() == [(None, None)]
    # The other has a call of its own.
    assert await two.status(form("ringing", OTHER_SID)) == 204
    assert ((await two.alert()).status, (await two.alert()).sid) == ("ringing", OTHER_SID)
    assert await two.outcomes() == [("placed", OTHER_SID)]


async def test_a_callback_about_an_alert_that_only_another_account_has(callbacks):
    one, two = callbacks
    await two.add("two")
    assert await one.status(form("ringing"), "two") == 404
    assert (await one.press("1", "two")).status_code == 404
    assert notes(await two.alert("two")) == []


async def test_a_call_of_another_account_changes_nothing(callbacks):
    one, two = callbacks
    assert await one.status(form("ringing", SID)) == 204
    assert await two.status(form("completed", SID)) == 204
    assert notes(await two.alert()) == ["", f"Call ended, in another call or text ({SID})"]
    assert (await two.alert()).status is Status.SENDING
    assert (await one.alert()).status is Status.RINGING
