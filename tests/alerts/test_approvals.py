"""A second person's yes: just what was asked for is sent, once, and never by the same person."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from access.actor import EVERYTHING, Actor, NotAllowed, Permission
from access.audit import AuditFilters
from alerts import Desk, UnusableInput
from alerts.broadcast import UnusableRequest
from alerts.tables import approvals
from tests.support.desks import CALL, posts, simulated_desk, until_over

PEOPLE = [replace(CALL, to=f"+1412555{1000 + number}", name=f"P{number}") for number in range(6)]


def of(desk: Desk, name: str) -> Desk:
    return desk.acting_as(Actor(name, EVERYTHING))


async def test_a_yes_sends_what_was_asked_for(tmp_path: Path):
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=3) as desk:
        asked = await of(desk, "Maya").ask_for_approval(PEOPLE, id="b")
        assert (asked.state, asked.asked_by, len(asked.requests)) == ("waiting", "Maya", 6)
        assert await desk.broadcast_of("b") is None
        # The same press again, as after a lost connection, is the same request.
        again = await of(desk, "Maya").ask_for_approval(PEOPLE[:2], id="b")
        assert again == asked
        sent = await of(desk, "Ben").approve("b")
        assert (sent.id, sent.title, sent.sender) == ("b", "Hello", "Maya")
        found = await desk.broadcast_of("b")
        assert found is not None
        assert [each.to for each in found[1]] == [each.to for each in PEOPLE]
        assert {each.request.user for each in found[1]} == {"Maya"}
        for each in found[1]:
            await until_over(desk, each.id)
        assert len(posts(desk)) == 6
        [known] = await desk.approvals()
        assert known.outcome == "Ben has said yes already: it was sent."
        entries = (await (await desk.audit()).page(AuditFilters())).entries
        assert [(each.actor, each.words) for each in entries] == [
            ("Ben", "Said yes to Hello (broadcast)"),
            ("Maya", "Asked a second person about Hello (broadcast)"),
        ]


@pytest.mark.parametrize("name", ["Maya", " maya "])
async def test_never_the_same_person(tmp_path: Path, name: str):
    async with simulated_desk(tmp_path) as desk:
        asked = await of(desk, "Maya").ask_for_approval(PEOPLE)
        with pytest.raises(UnusableInput, match="Another person has to say yes"):
            await of(desk, name).approve(asked.id)
        assert posts(desk) == []
        # Who has asked may take it back.
        assert (await of(desk, "Maya").refuse(asked.id)).state == "refused"
        with pytest.raises(UnusableInput, match="Maya has said no"):
            await of(desk, "Ben").approve(asked.id)


async def test_who_may_only_look_can_neither_ask_nor_answer(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        looks = desk.acting_as(Actor("Eve", frozenset({Permission.LOOK})))
        asked = await of(desk, "Maya").ask_for_approval(PEOPLE)
        for refused in (
            looks.ask_for_approval(PEOPLE),
            looks.approve(asked.id),
            looks.refuse(asked.id),
            looks.stop_everything(),
            looks.lift_stop(),
            looks.refusals(),
        ):
            with pytest.raises(NotAllowed):
                await refused
        [known] = await looks.approvals()
        assert known.state == "waiting"


async def test_sent_once_however_many_say_yes_in_however_many_processes(
    database_url: str, tmp_path: Path
):
    url = SecretStr(database_url)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(simulated_desk(tmp_path, database_url=url))
        services = one.services
        two = await stack.enter_async_context(
            simulated_desk(
                tmp_path,
                database_url=url,
                twilio=services.twilio,
                simulator=services.simulator,
            )
        )
        asked = await of(one, "Maya").ask_for_approval(PEOPLE)
        answers = await asyncio.gather(
            *(of((one, two)[turn % 2], f"B{turn}").approve(asked.id) for turn in range(6)),
            return_exceptions=True,
        )
        assert len([each for each in answers if not isinstance(each, BaseException)]) == 1
        assert {type(each) for each in answers if isinstance(each, BaseException)} == {
            UnusableInput
        }
        found = await one.broadcast_of(asked.id)
        assert found is not None
        for each in found[1]:
            await until_over(one, each.id)
        assert sorted(each["To"] for each in posts(one)) == [each.to for each in PEOPLE]


async def test_it_expires(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        asked = await of(desk, "Maya").ask_for_approval(PEOPLE)
        database = await desk.database()
        past = (asked.asked_at - timedelta(hours=9)).timestamp()
        expired = sa.update(approvals).values(expires_at=past)
        await database.write(lambda connection: connection.execute(expired).rowcount)
        with pytest.raises(UnusableInput, match="Nobody said yes in time"):
            await of(desk, "Ben").approve(asked.id)
        [known] = await desk.approvals()
        assert known.state == "expired"


async def test_a_stop_ends_what_waits_for_a_yes(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        asked = await of(desk, "Maya").ask_for_approval(PEOPLE)
        await of(desk, "Ben").stop_everything()
        await desk.lift_stop()
        with pytest.raises(UnusableInput, match="Ben stopped everything: nothing was sent"):
            await of(desk, "Clara").approve(asked.id)


async def test_unusable_requests_are_not_kept(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        with pytest.raises(UnusableRequest):
            await of(desk, "Maya").ask_for_approval([*PEOPLE, replace(CALL, to="12")])
        for _ in range(5):
            await of(desk, "Maya").ask_for_approval(PEOPLE)
        with pytest.raises(UnusableInput, match="5 of your requests wait"):
            await of(desk, "Maya").ask_for_approval(PEOPLE)
        await of(desk, "Ben").ask_for_approval(PEOPLE)
        with pytest.raises(UnusableInput, match="There is no such request"):
            await of(desk, "Ben").approve("nothing")
        assert len(await desk.approvals()) == 6
