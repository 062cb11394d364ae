"""One visitor who asks for ten thousand calls, through a page and through its desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from itertools import count, cycle
from pathlib import Path

import pytest
import sqlalchemy as sa

from access import EVERYTHING, Actor
from access.audit import AuditFilters
from alerts import Desk
from alerts.limits import TooMany
from alerts.tables import alerts
from tests.support.desks import CALL, posts, simulated_desk
from tests.support.page_in_memory import calls_at_twilio, opened, press, shown
from tests.support.roles import LOOK, SEND

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fresh_lock")]

MAYA = Actor("Maya", frozenset({LOOK, SEND}))
OWNER = Actor("Ruth", EVERYTHING)
MOST = 20
# No name in a request, and no kind of request, gets the visitor another hour.
OTHERS = cycle(
    replace(CALL, user=user, channel=channel, id=None, urgent=urgent, to=f"+1412555{number}")
    for user in ("Ben", "Ruth", "", "maya")
    for channel in ("call", "text")
    for urgent in (True, False)
    for number in range(1000, 1025)
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with simulated_desk(tmp_path, alerts_per_person_per_hour=MOST) as desk:
        yield desk


async def senders(desk: Desk) -> list[str]:
    """Who sent each alert that is saved."""
    ids = await (await desk.database()).read(
        lambda connection: list(connection.scalars(sa.select(alerts.c.id)))
    )
    found = await (await desk.history()).get_all(ids)
    return [each.request.user for each in found.values()]


async def test_ten_thousand_by_every_way_of_the_desk(desk: Desk):
    visitors, owners = desk.acting_as(MAYA), desk.acting_as(OWNER)
    with pytest.raises(TooMany):
        await visitors.send_all([next(OTHERS) for _ in range(MOST + 1)])
    # The owner can know at once.
    [told] = await owners.refusals()
    assert (told.person, told.alerts) == ("Maya", MOST + 1)
    asked = MOST + 1
    while asked < 10_000:
        with suppress(TooMany):
            await visitors.send(next(OTHERS))
        with suppress(TooMany):
            await visitors.send_all([next(OTHERS) for _ in range(50)])
        with suppress(TooMany):
            await visitors.broadcast([next(OTHERS) for _ in range(50)], id=f"{asked}")
        asked += 101
    assert await senders(desk) == ["Maya"] * MOST
    assert len(posts(desk)) <= MOST
    [told] = await owners.refusals()
    assert (told.person, told.alerts) == ("Maya", asked - MOST)
    trail = (await (await owners.audit()).page(AuditFilters(actor="Maya"), limit=500)).entries
    assert [each.words for each in trail if "refused" in each.words] == [
        f"Was refused {MOST + 1} alerts: {MOST} an hour may be sent, and {MOST} were left"
    ]


async def test_a_button_pressed_again_and_again(tmp_path: Path):
    async with (
        simulated_desk(tmp_path, alerts_per_person_per_hour=3) as desk,
        opened(desk.acting_as(MAYA)) as page,
    ):
        presses = count(1)
        async with asyncio.timeout(60):
            # While one is being sent, further presses count for nothing.
            while "3 an hour are allowed, and none is left" not in shown(
                page.session, "send_refusal"
            ):
                await press(page.session, next(presses))
        for _ in range(20):
            await press(page.session, next(presses))
        assert await senders(desk) == ["Maya"] * 3
        assert calls_at_twilio(desk) <= 3
