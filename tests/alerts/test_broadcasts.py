"""Broadcasts: many alerts with one title, sent once, watched together, stopped together."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from access import EVERYTHING, Actor
from alerts import Alert, AlertRequest, Status, UnusableInput, broadcast_history
from alerts.broadcast import MOST_ALERTS, Tally, UnusableRequest, not_reached, title_from
from alerts.tables import alerts
from tests.support.desks import ANYBODY, CALL, TEXT, posts, quiet_now, simulated_desk, until_over
from tests.support.direct_sql import execute

BUSY, STOPPED = "+14125550101", "+14125550113"
NUMBERS = [f"+1412555{number}" for number in range(2000, 2500)]
MANY = NUMBERS[:120]


@pytest.fixture
async def desk(tmp_path, database_url):
    async with simulated_desk(
        tmp_path, speed=200, database_url=SecretStr(database_url)
    ) as open_desk:
        yield open_desk


def texts(numbers: list[str], **fields: object) -> list[AlertRequest]:
    return [replace(TEXT, to=each, **fields) for each in numbers]  # type: ignore[arg-type]


async def ended(desk, broadcast_id: str) -> list[Alert]:
    """All alerts of a broadcast after their end."""
    known: dict[str, Alert] = {}
    async with asyncio.timeout(60), aclosing(desk.watch_broadcast(broadcast_id)) as changes:
        async for some in changes:
            known |= {each.id: each for each in some}
    return list(known.values())


async def test_each_recipient_is_told_once_and_in_order(desk):
    requests = texts([ANYBODY, BUSY, "(412) 555-0142"], message="Batch 7 is off.", user="ann")
    sent = await desk.broadcast(requests, "Batch 7", id="lot")
    assert (sent.id, sent.title, sent.sender) == ("lot", "Batch 7", "ann")
    assert [each.status for each in await ended(desk, "lot")] == ["delivered"] * 3
    again = await desk.broadcast(requests, "Another title", id="lot")
    assert again == sent
    found, alerts = await desk.broadcast_of("lot")
    assert found == sent
    assert [each.to for each in alerts] == [ANYBODY, BUSY, "+14125550142"]
    assert {each.request.broadcast for each in alerts} == {"lot"}
    assert len(posts(desk)) == 3


async def test_who_was_left_out_is_added_later(desk):
    await desk.broadcast(texts([ANYBODY]), id="lot")
    await desk.broadcast(texts([ANYBODY, BUSY]), id="lot")
    assert [each.to for each in await ended(desk, "lot")] == [ANYBODY, BUSY]
    assert sorted(each["To"] for each in posts(desk)) == sorted([ANYBODY, BUSY])


async def test_a_number_that_is_there_twice_gets_both(desk):
    requests = [replace(TEXT, message=f"Lot {lot}") for lot in (1, 2)]
    for _ in range(2):
        await desk.broadcast(requests, id="lots")
    await ended(desk, "lots")
    assert sorted(each["Body"] for each in posts(desk)) == ["Lot 1", "Lot 2"]


async def test_one_that_cannot_be_sent_stops_all(desk):
    requests = [*texts([ANYBODY]), replace(TEXT, to="412", name="Ben"), *texts(["911"])]
    with pytest.raises(UnusableRequest) as refusal:
        await desk.broadcast(requests, id="lot")
    assert str(refusal.value).startswith("Ben, 412: ")
    assert (refusal.value.place, refusal.value.field) == (1, "phone_number")
    assert str(refusal.value) == f"Ben, 412: {refusal.value.problem}"
    assert await desk.broadcast_of("lot") is None
    assert posts(desk) == []


async def test_what_is_wrong_with_all_is_said_once(desk):
    with pytest.raises(UnusableInput, match=r"^Write a message\.$"):
        await desk.broadcast(texts([ANYBODY, BUSY], message=" "))
    with pytest.raises(UnusableInput, match=r"^That isn't a phone number"):
        await desk.broadcast(texts(["nobody"]))
    nameless = [replace(TEXT, name="Ann", message="Hello {{ name }}"), *texts([BUSY])]
    nameless[1] = replace(nameless[1], message="Hello {{ name }}")
    with pytest.raises(UnusableInput, match=r"^\+14125550101: No name is known"):
        await desk.broadcast(nameless)


@pytest.mark.parametrize(
    ("requests", "options", "sentence"),
    [
        ([], {}, "Name at least one recipient"),
        ([TEXT] * (MOST_ALERTS + 1), {}, "1,001. Send it in parts"),
        ([replace(TEXT, id="one")], {}, "get their ids from it"),
        ([TEXT], {"id": ""}, "The id is empty"),
        ([TEXT], {"id": "x" * 151}, "150 characters"),
        ([TEXT], {"id": "a\x00b"}, "a control character"),
        ([TEXT], {"title": "two\nlines"}, "one line"),
    ],
)
async def test_what_cannot_be_a_broadcast(desk, requests, options, sentence):
    with pytest.raises(UnusableInput, match=sentence):
        await desk.broadcast(requests, **options)


async def test_500_are_saved_in_one_transaction(desk):
    await desk.open()
    commits = 0

    @sa.event.listens_for(sa.Engine, "commit")
    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    saving = asyncio.create_task(desk.broadcast(texts(NUMBERS, quiet_hours=quiet_now(ANYBODY))))
    sent = await saving
    sa.event.remove(sa.Engine, "commit", count)
    _, saved = await desk.broadcast_of(sent.id)
    assert [each.to for each in saved] == NUMBERS
    assert 1 <= commits <= 3  # other work of the process may write too


@pytest.mark.slow
async def test_watching_many_tells_of_all_ends_in_few_batches(desk):
    sent = await desk.broadcast(texts(MANY), id="many")
    batches: list[list[Alert]] = []
    others: list[list[Alert]] = []

    async def watch(seen: list[list[Alert]]) -> None:
        async with asyncio.timeout(60), aclosing(desk.watch_broadcast(sent.id)) as changes:
            async for some in changes:
                seen.append(some)

    began = asyncio.get_running_loop().time()
    await asyncio.gather(watch(batches), watch(others))
    seconds = asyncio.get_running_loop().time() - began
    for seen in (batches, others):
        newest = {each.id: each for some in seen for each in some}
        assert [each.to for each in newest.values()] == MANY
        assert {each.status for each in newest.values()} == {Status.DELIVERED}
    assert len(batches[0]) == len(MANY)
    assert len(batches) <= seconds / broadcast_history.FIRST_LOOK_SECONDS + 2
    broadcasts = desk.warm_up().result().broadcasts
    assert broadcasts._looks == {}


async def test_watching_waits_for_a_broadcast_that_is_sent_later(desk):
    watching = asyncio.create_task(ended(desk, "later"))
    await asyncio.sleep(0)
    await desk.broadcast(texts([ANYBODY]), id="later")
    assert [each.status for each in await watching] == ["delivered"]


async def test_watching_ends_with_the_desk(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        await desk.broadcast(texts([ANYBODY], quiet_hours=quiet_now(ANYBODY)), id="night")
        watching = asyncio.create_task(ended(desk, "night"))
        changes = desk.watch_broadcast("night")
        assert len(await anext(changes)) == 1
        await changes.aclose()
    assert len(await watching) == 1


async def test_stopping_all(tmp_path):
    async with simulated_desk(tmp_path, speed=1) as desk:
        calls = [replace(CALL, to=each, repeat=0) for each in NUMBERS[:30]]
        nights = texts(NUMBERS[30:60], quiet_hours=quiet_now(ANYBODY))
        sent = await desk.broadcast([*calls, *nights])
        placed: set[str] = set()
        async with asyncio.timeout(60), aclosing(desk.watch_broadcast(sent.id)) as changes:
            async for some in changes:
                placed |= {each.id for each in some if each.sid}
                if len(placed) == 30:
                    break
        found = await desk.acting_as(Actor("Ann", EVERYTHING)).cancel_broadcast(sent.id)
        assert found is not None
        alerts = await ended(desk, sent.id)
        assert {each.status for each in alerts} == {Status.CANCELED}
        assert "Canceled by Ann" in {each.note for each in alerts[0].events}
        # Late reports from Twilio may still be added to the story of each.
        again = await desk.cancel_broadcast(sent.id)
        assert again is not None
        assert {each.status for each in again[1]} == {Status.CANCELED}
        canceled = [event for event in again[1][0].events if event.canceling]
        assert len(canceled) == 1
        assert await desk.cancel_broadcast("nothing") is None


async def test_what_was_reached_and_what_was_not(desk):
    calls = [replace(CALL, to=each, repeat=1) for each in (ANYBODY, BUSY, "+14125550142")]
    sent = await desk.broadcast(calls, "Batch 7")
    alerts = await ended(desk, sent.id)
    tally = Tally.of(alerts)
    assert tally.headline == "2 of 3 reached"
    assert tally.details == "2 reached, 1 not reached"
    assert (tally.total, tally.done, tally.all_reached) == (3, 3, False)
    assert [each.to for each in not_reached(alerts)] == [BUSY]


def test_a_tally_of_what_must_be_confirmed():
    tally = Tally(confirmed=1, waiting=1, under_way=1, asks=True)
    assert tally.headline == "1 of 3 confirmed"
    assert tally.details == "1 confirmed, 1 under way, 1 waiting"
    assert (tally.done, tally.all_reached) == (1, False)


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Batch 7 is off.", "Batch 7 is off."),
        ("Batch {{ lot }}, {{ now }}: hold it back", "Batch …, …: hold it back"),
        ("{% if x %}Hello{% endif %} all", "… Hello … all"),
        (
            "Batch 1407 of the pale ale shows signs of diacetyl, so please hold it back.",
            "Batch 1407 of the pale ale shows signs of diacetyl, so…",
        ),
        ("x" * 80, f"{'x' * 59}…"),
        (" two\nlines ", "two lines"),
    ],
)
def test_a_title_from_the_words(message, title):
    assert title_from(AlertRequest("text", ANYBODY, message)) == title
    assert title_from(AlertRequest("text", ANYBODY, "{{ a }}", template=False)) == "{{ a }}"


async def test_the_same_words_within_the_hour(desk):
    await desk.send(replace(TEXT, name="Ann", message=" Hold it back. "))
    await until_over(desk, (await desk.send(replace(TEXT, to=BUSY, message="Other words"))).id)
    asked = texts(["412 555 0199", BUSY, "no number"], message="Hold it back.")
    [found] = await desk.sent_before(asked)
    assert (found.to, found.name, found.label) == (ANYBODY, "Ann", "Ann")
    call = replace(CALL, message="Hold it back.")
    assert len(await desk.sent_before([call])) == 1
    assert await desk.sent_before([]) == []
    await execute(
        desk.services.database_url,
        sa.update(alerts).values(created_at=alerts.c.created_at - 3000),
    )
    assert len(await desk.sent_before(asked)) == 1
    assert await desk.sent_before(asked, within=timedelta(minutes=49)) == []


async def test_what_never_left_was_not_sent_before(desk):
    night = await desk.send(replace(TEXT, quiet_hours=quiet_now(ANYBODY)))
    assert len(await desk.sent_before([TEXT])) == 1
    await desk.cancel(night.id)
    assert await desk.sent_before([TEXT]) == []
    stop = replace(TEXT, to=STOPPED)
    assert (await desk.send(stop)).status is Status.FAILED
    assert await desk.sent_before([stop]) == []


async def test_the_same_words_with_other_values_are_other_words(desk):
    lot = replace(TEXT, message="Lot {{ lot }}", variables={"lot": "1", "city": "Pittsburgh"})
    await desk.broadcast([lot], id="lots")
    assert len(await desk.sent_before([replace(lot, variables={"lot": "1"})])) == 1
    assert await desk.sent_before([replace(lot, variables={"lot": "2"})]) == []
    # A broadcast that is sent again under its own id tells nobody twice.
    assert await desk.sent_before([replace(lot, broadcast="lots")]) == []


async def test_who_moved_on_to_a_further_number_was_sent_it_before(desk):
    request = replace(CALL, to=BUSY, then_to=(ANYBODY,), repeat=1)
    over = await until_over(desk, (await desk.send(request)).id)
    assert over.to == ANYBODY
    [found] = await desk.sent_before([request])
    assert found.to == BUSY
