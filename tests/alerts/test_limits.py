"""How much may be sent: to a number and by a person in an hour, and for how much in a day."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from access.audit import AuditFilters
from alerts import Alert, Event, Status, UnusableInput
from alerts.alert import NewAlert
from alerts.cost import Costs, Price
from alerts.history import History
from alerts.limits import LimitReached, Limits, TooMany
from alerts.submissions import Outcome, Submission
from alerts.tables import alerts, submissions
from database.database import Database
from tests.support.desks import CALL, TEXT, followed, posts, simulated_desk, worker_of
from tests.support.waiting import until

ACCOUNT = "AC1"
BUSY = "+14125550101"
ANN, BEN = "+14125550142", "+14125550143"
MAYA = replace(CALL, user="Maya", time_zone="America/New_York")


@asynccontextmanager
async def history_at(url: str, limits: Limits) -> AsyncIterator[History]:
    """A history as one process has it."""
    database = Database(url)
    await database.open()
    history = History(database, ACCOUNT, limits)
    try:
        yield history
    finally:
        await history.close()
        await database.close()


async def saved(history: History, *ids: str, **fields: Any) -> None:
    await history.add([NewAlert(each, replace(CALL, **fields), "+14155550100") for each in ids])


def submission(alert: Alert, number: int, at: datetime | None = None) -> Submission:
    at = at or datetime.now(UTC)
    return Submission(
        f"{alert.id}-{number}", alert.id, alert.try_number, ACCOUNT, alert.channel, alert.to, at
    )


async def begun(history: History, alert_id: str, at: datetime | None = None) -> str:
    """Begin a submission and let it be placed; returns "begun", or what holds the alert back."""
    alert = (await history.get_all([alert_id]))[alert_id]
    wanted = submission(alert, len(alert.events), at)
    event = Event(wanted.at, Status.SENDING, "", try_number=alert.try_number)
    try:
        began = await history.begin(wanted, event, 1000, has_slot=True)
    except sa.exc.IntegrityError:
        return "busy"
    if began.is_begun:
        await history.settle(wanted, Outcome.PLACED, None, f"SID {alert_id}")
        return "begun"
    return began.hold.why if began.hold else "busy" if began.number_is_busy else "not wanted"


# --- A number's hour ----------------------------------------------------------------------------


@pytest.mark.slow
async def test_tries_and_next_people_count_too(tmp_path: Path):
    """With one alert an hour allowed, eleven calls once reached one number."""
    request = replace(CALL, to=BUSY, tries=5, minutes_between_tries=0)
    async with simulated_desk(tmp_path, alerts_per_number_per_hour=3) as desk:
        sent = await desk.send(request)
        history = await desk.history()
        held = await history.until(sent.id, lambda alert: alert.held_for == "number", 20)
        assert len(posts(desk)) == 3
        assert held.status == "queued"
        assert held.try_number == 4
        note = held.events[-1].note
        assert re.match(r"This number has reached its hourly limit: waits until \d\d:\d\d", note)
        await until(lambda: worker_of(desk).under_way == 0)
        await desk.send_now(sent.id)
        await until(lambda: len(posts(desk)) == 4)
        again = await history.until(
            sent.id, lambda alert: alert.try_number == 5 and alert.held_for == "number", 20
        )
        assert len(posts(desk)) == 4
        notes = [each.note for each in again.events if "hourly limit" in each.note]
        assert len(notes) == 2


async def test_turns_come_in_order_and_each_within_the_limit(tmp_path: Path):
    url, began = f"sqlite:///{tmp_path}/d.sqlite", datetime.now(UTC)
    async with history_at(url, Limits(per_number=2, per_person=None)) as history:
        await saved(history, *"abcde")
        assert [await begun(history, each) for each in "abcde"] == ["begun"] * 2 + ["number"] * 3
        found = await history.get_all([*"cde"])
        waits = [found[each].held_until for each in "cde"]
        hours = [round((each - began) / timedelta(hours=1), 2) for each in waits if each]
        assert hours == [1, 1, 2]
        assert await begun(history, "c", began + timedelta(minutes=59)) == "number"
        assert await begun(history, "c", began + timedelta(minutes=61)) == "begun"


@pytest.mark.parametrize("outcome", [Outcome.NEVER_SENT, Outcome.REFUSED, Outcome.NEVER_ARRIVED])
async def test_what_never_rang_does_not_count(tmp_path: Path, outcome: Outcome):
    async with history_at(f"sqlite:///{tmp_path}/d.sqlite", Limits(1, None)) as history:
        await saved(history, "a", "b")
        alert = (await history.get_all(["a"]))["a"]
        wanted = submission(alert, 1)
        sending = Event(wanted.at, Status.SENDING, "")
        assert (await history.begin(wanted, sending, 1000, has_slot=True)).is_begun
        await history.settle(wanted, outcome, None)
        assert await begun(history, "b") == "begun"


async def test_a_call_and_a_text_from_two_processes_at_once(database_url: str):
    """Each is the only open one of its channel, so only the lock keeps one of them back."""
    limits = Limits(per_number=1, per_person=None)
    async with history_at(database_url, limits) as one, history_at(database_url, limits) as two:
        for number in range(8):
            to = f"+1412555{1000 + number}"
            await saved(one, f"call {number}", to=to)
            await saved(one, f"text {number}", to=to, channel="text")
            outcomes = await asyncio.gather(
                begun(one, f"call {number}"), begun(two, f"text {number}")
            )
            assert sorted(outcomes) == ["begun", "number"]


# --- A person's hour ----------------------------------------------------------------------------


async def test_more_than_an_hour_lets_are_refused_before_anything_is_saved(tmp_path: Path):
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=3) as desk:
        await desk.send_all([MAYA, replace(MAYA, to=ANN)])
        with pytest.raises(TooMany) as refusal:
            await desk.broadcast([replace(MAYA, to=ANN), replace(MAYA, to=BEN)], id="b")
        again = datetime.now(ZoneInfo("America/New_York")) + timedelta(hours=1)
        assert re.fullmatch(
            r"Maya asked for 2 calls and texts\. 3 an hour are allowed, and 1 is left now\. Send 1 "
            rf"of them now, or all from ({again:%H}|{again - timedelta(minutes=1):%H}):\d\d E[SD]T"
            r"( on \w+)? on, or raise ALERTS_PER_PERSON_PER_HOUR\.",
            str(refusal.value),
        )
        assert await desk.broadcast_of("b") is None
        with pytest.raises(TooMany, match=r"Ben asked for 4 .* Send them in parts of 3 at most"):
            await desk.send_all([replace(MAYA, user="Ben", to=ANN)] * 4)
        await desk.send_all([replace(MAYA, to=ANN)])
        with pytest.raises(TooMany):
            await desk.send(MAYA)
        # Another person's alerts, and confirmed ones, are sent.
        await desk.send_all([replace(MAYA, user="Ben", to=BEN)] * 3)
        await desk.send_all([replace(MAYA, to=BEN)] * 2, confirmed=True)
        refused = {
            each.person: (each.alerts, each.most, each.left) for each in await desk.refusals()
        }
        assert refused == {"Maya": (3, 3, 0), "Ben": (4, 3, 0)}


async def test_the_time_to_come_back_counts_what_was_confirmed_beyond_the_limit(tmp_path: Path):
    """Confirmed alerts count, but aren't refused, so more may count than an hour allows."""
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=2) as desk:
        first, *_ = await desk.send_all([MAYA, replace(MAYA, to=ANN)])
        await desk.send_all([replace(MAYA, to=BEN)] * 2, confirmed=True)
        asked_at = first.events[0].at
        earlier = asked_at - timedelta(minutes=30)
        await (await desk.database()).write(
            lambda connection: connection.execute(
                sa.update(alerts)
                .where(alerts.c.to_number != BEN)
                .values(created_at=earlier.timestamp())
            )
        )
        with pytest.raises(TooMany) as refusal:
            await desk.send(MAYA)
    # In half an hour the two earlier ones are over, but the confirmed ones still fill the hour.
    again = (asked_at + timedelta(hours=1)).astimezone(ZoneInfo("America/New_York"))
    minutes = {f"{again + timedelta(minutes=each):%H:%M}" for each in range(3)}
    said = re.search(r"from (\d\d:\d\d) E[SD]T", str(refusal.value))
    assert said is not None
    assert said[1] in minutes


async def test_the_same_ids_again_are_not_more(tmp_path: Path):
    requests = [replace(MAYA, id=each) for each in "ab"]
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=2) as desk:
        first = await desk.send_all(requests)
        assert [each.id for each in await desk.send_all(requests)] == [each.id for each in first]


async def test_what_was_canceled_before_anything_went_out_does_not_count(tmp_path: Path):
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=1) as desk:
        held = await desk.send(replace(TEXT, user="Maya", hold_seconds=30))
        await desk.cancel(held.id)
        assert (await followed(desk, MAYA)).status == "completed"
        with pytest.raises(TooMany):
            await desk.send(MAYA)


async def test_further_tries_count_when_they_are_made(tmp_path: Path):
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=3) as desk:
        await followed(desk, replace(MAYA, to=BUSY, tries=3, minutes_between_tries=0))
        assert len(posts(desk)) == 3
        with pytest.raises(TooMany, match="3 an hour are allowed, and none is left"):
            await desk.send(MAYA)


@pytest.mark.slow
async def test_one_visitor_asks_for_ten_thousand_calls(tmp_path: Path, caplog):
    """The limit stops it, and the owner finds one line in the log and a number for the pages."""
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=20) as desk:
        saved_ones = 0
        for _ in range(200):
            try:
                saved_ones += len(await desk.send_all([replace(MAYA, to=ANN)] * 50))
            except TooMany:
                saved_ones += 0
            try:
                saved_ones += len(await desk.send_all([MAYA]))
            except TooMany:
                continue
        assert saved_ones == 20
        database = await desk.database()
        everything = sa.select(sa.func.count()).select_from(alerts)
        assert await database.read(lambda connection: connection.scalar(everything)) == 20
        [refused] = await desk.refusals()
        assert (refused.person, refused.alerts) == ("Maya", 200 * 50 + 180)
        trail = (await (await desk.audit()).page(AuditFilters(actor="Maya"))).entries
        assert [each.words for each in trail] == [
            "Was refused 50 alerts: 20 an hour may be sent, and 20 were left"
        ]
    lines = [each for each in caplog.messages if "Refused alerts" in each]
    assert len(lines) == 1
    assert "Maya asked for 50 calls" in lines[0]


async def test_exact_however_many_processes_ask_at_once(database_url: str):
    limits = Limits(per_number=1000, per_person=7)
    async with history_at(database_url, limits) as one, history_at(database_url, limits) as two:

        async def ask(history: History, name: str, count: int) -> int:
            new = [
                NewAlert(f"{name} {number}", replace(CALL, user="Maya"), "+14155550100")
                for number in range(count)
            ]
            try:
                return len(await history.add(new))
            except TooMany:
                return 0

        asked = [ask((one, two)[turn % 2], f"{turn}", 1 + turn % 3) for turn in range(12)]
        assert sum(await asyncio.gather(*asked)) == 7


counts = st.lists(st.integers(1, 6), min_size=1, max_size=8)


@pytest.mark.slow
@given(counts, st.integers(1, 10))
@settings(max_examples=15)
def test_never_more_and_all_or_nothing(asked: list[int], most: int):
    async def ask(folder: Path) -> None:
        async with history_at(f"sqlite:///{folder}/d.sqlite", Limits(100, most)) as history:
            total = 0
            for turn, count in enumerate(asked):
                ids = [f"{turn} {number}" for number in range(count)]
                if total + count <= most:
                    await saved(history, *ids, user="Maya")
                    total += count
                else:
                    with pytest.raises(TooMany):
                        await saved(history, *ids, user="Maya")
                    assert await history.get_all(ids) == {}

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(ask(Path(folder)))


# --- A day's money ------------------------------------------------------------------------------


async def test_what_would_cost_more_than_a_day_allows_is_refused(tmp_path: Path):
    # A call in the US is taken to cost 0.03.
    async with simulated_desk(tmp_path, daily_spend_limit=0.1, time_zone="Asia/Tokyo") as desk:
        await desk.send_all([MAYA, replace(MAYA, to=ANN)])
        with pytest.raises(LimitReached) as refusal:
            await desk.send_all([replace(MAYA, to=BEN)] * 2)
        assert re.fullmatch(
            r"This would cost about 0\.06 USD\. 0\.10 a day are allowed, and about 0\.04 are left "
            r"today\. Send it from 00:00 JST on \w+ on, or raise DAILY_SPEND_LIMIT\.",
            str(refusal.value),
        )
        with pytest.raises(LimitReached, match=r"0\.12 USD.* Send it in parts, a day each, or"):
            await desk.send_all([replace(MAYA, to=BEN)] * 4)
        await desk.send_all([replace(MAYA, to=BEN)])


async def test_a_try_that_would_cost_too_much_waits_for_the_next_day(tmp_path: Path):
    async with simulated_desk(tmp_path, daily_spend_limit=0.05, time_zone="Asia/Tokyo") as desk:
        request = replace(CALL, to=BUSY, tries=2, minutes_between_tries=0)
        sent = await desk.send(request)
        history = await desk.history()
        held = await history.until(sent.id, lambda alert: alert.held_for == "spend", 20)
        assert held.status == "queued"
        assert len(posts(desk)) == 1
        assert re.match(
            r"The day's spend limit is reached: waits until \d\d:", held.events[-1].note
        )
        assert held.held_until is not None
        there = held.held_until.astimezone(ZoneInfo("Asia/Tokyo"))
        assert (there.hour, there.minute) == (0, 0)
        # Not even a person can exceed the limit.
        after = await desk.send_now(sent.id)
        assert after is not None
        assert not after.send_now
        await until(lambda: worker_of(desk).under_way == 0)
        assert len(posts(desk)) == 1


async def test_known_prices_take_the_place_of_estimates(tmp_path: Path):
    limits = Limits(100, None, daily_spend=0.5)
    async with history_at(f"sqlite:///{tmp_path}/d.sqlite", limits) as history:
        await saved(history, *"abcd")
        assert await begun(history, "a") == "begun"
        await history.set_prices({"SID a": Price(0.49, "USD")})
        assert await begun(history, "b") == "spend"
        await history.set_prices({"SID a": Price(0.10, "USD")})
        assert await begun(history, "b") == "begun"


async def test_two_processes_keep_to_the_days_money_together(database_url: str):
    limits = Limits(100, None, daily_spend=0.16)
    async with history_at(database_url, limits) as one, history_at(database_url, limits) as two:
        numbers = [f"+1412555{1000 + number}" for number in range(10)]
        for to in numbers[:5]:
            await saved(one, to, to=to)
        for to in numbers[5:]:
            with pytest.raises(LimitReached):
                await saved(two, to, to=to)
            await saved_without_limit(database_url, to)
        outcomes = await asyncio.gather(
            *(begun((one, two)[turn % 2], to) for turn, to in enumerate(numbers))
        )
        assert sorted(outcomes) == ["begun"] * 5 + ["spend"] * 5


async def saved_without_limit(url: str, to: str) -> None:
    async with history_at(url, Limits(100, None)) as history:
        await saved(history, to, to=to)


@pytest.mark.parametrize("zone", ["", "America/New_York"])
def test_midnight_where_days_have_other_lengths(machine_in_new_york: None, zone: str):
    # https://www.timeanddate.com/time/change/usa/new-york?year=2025: 2 November has 25 hours.
    limits = Limits(time_zone=zone)
    noon = datetime(2025, 11, 2, 17, tzinfo=UTC)
    assert limits.midnight(noon) == datetime(2025, 11, 2, 4, tzinfo=UTC)
    assert limits.next_midnight(noon) == datetime(2025, 11, 3, 5, tzinfo=UTC)


def test_costs_are_the_accounts_own_once_it_has_some():
    costs = Costs()
    assert costs.careful("call", ANN) == 0.03
    assert costs.careful("call", "+8613800138000") == 1.0
    costs.learn([("call", ANN, each, "EUR") for each in (0.02, 0.04, 0.06, 2.0)])
    assert costs.careful("call", BEN) == 2.0
    assert costs.careful("text", BEN) == 0.03
    assert costs.currency == "EUR"
    costs.learn([("call", ANN, each, "EUR") for each in (0.02, 0.04, 0.06, 0.05, 2.0)])
    assert costs.careful("call", BEN) == 0.06


async def test_estimates_are_saved_with_each_submission(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        await followed(desk, CALL)
        database = await desk.database()
        assert await database.read(lambda c: c.scalar(sa.select(submissions.c.estimate))) == 0.03


async def test_a_wrong_limit_is_one_sentence(tmp_path: Path):
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=1) as desk:
        await desk.send(replace(CALL, user=""))
        with pytest.raises(UnusableInput, match=r"This program asked for 1 call or text\. 1 an"):
            await desk.send(CALL)
