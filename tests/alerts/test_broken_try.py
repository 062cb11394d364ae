"""A defect of our own ends the try that it shows in, but neither the alert nor other tries."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from alerts import Alert
from alerts.status import Status
from alerts.tables import alerts
from storage import InlineStorage, Instructions
from tests.support.desks import CALL, TEXT, desk_at, followed, posts, simulated_desk, worker_of
from tests.support.direct_sql import column
from tests.support.failing_services import (
    FailingConnections,
    asked_for,
    failing_twilio,
    simulated_twilio,
)

BUSY, ANN = "+14125550101", "+14125550142"
TWICE = replace(CALL, to=BUSY, tries=2, minutes_between_tries=0.001)


def interrupted(alert: Alert) -> list[tuple[int, Status | None]]:
    return [
        (event.try_number, event.status) for event in alert.events if event.note == "Interrupted"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("asks", [False, True], ids=["never sent", "sent"])
async def test_in_a_later_try_the_next_person_is_called(asks, caplog):
    connections = FailingConnections(lambda number, form: number == 2, asks=asks)
    async with (
        simulated_twilio() as (simulator, url),
        connections,
        desk_at(url, twilio=failing_twilio(url, connections)) as desk,
    ):
        alert = await followed(desk, replace(TWICE, then_to=(ANN,)))
        assert interrupted(alert) == [(2, "unknown")]
        # The third try is left out: it is to the number of the second, whose outcome is unknown.
        assert (alert.status, alert.to, alert.try_number) == ("completed", ANN, 3)
        assert [form["To"] for form in asked_for(simulator)] == [BUSY, *[BUSY] * asks, ANN]
        again = await followed(desk, replace(CALL, to=BUSY))
        assert again.status == "unanswered"
    assert connections.failed == 1
    assert "delivery of alert" in caplog.text


async def test_a_text_comes_after_a_call_that_broke():
    connections = FailingConnections(lambda number, form: number == 1)
    async with (
        simulated_twilio() as (simulator, url),
        connections,
        desk_at(url, twilio=failing_twilio(url, connections)) as desk,
    ):
        alert = await followed(desk, replace(CALL, tries=3, then_text=True))
        assert interrupted(alert) == [(1, "unknown")]
        assert (alert.status, alert.channel, alert.try_number) == ("delivered", "text", 4)
        assert ["Body" in form for form in asked_for(simulator)] == [True]


async def test_the_last_try_is_the_end_of_the_alert_but_not_of_its_number():
    connections = FailingConnections(lambda number, form: number == 2)
    async with (
        simulated_twilio() as (simulator, url),
        connections,
        desk_at(url, twilio=failing_twilio(url, connections)) as desk,
    ):
        alert = await followed(desk, TWICE)
        assert (alert.status, alert.try_number) == ("unknown", 2)
        assert alert.error is not None
        assert "Callboard itself failed" in alert.error.message
        sent = await desk.send_all([replace(CALL, to=BUSY), replace(TEXT, to=BUSY)])
        history = await desk.history()
        for each in sent:
            await history.until(each.id, lambda alert: bool(alert.sid), 10)
        assert len(asked_for(simulator)) == 3


class FaultyStorage(InlineStorage):
    """A storage whose second document shows a defect."""

    documents = 0

    async def publish(self, name: str, xml: str) -> Instructions:
        self.documents += 1
        if self.documents == 2:
            raise RuntimeError("a defect")
        return await super().publish(name, xml)


async def test_before_a_later_try_is_asked_for(tmp_path):
    async with simulated_desk(tmp_path, FaultyStorage()) as desk:
        alert = await followed(desk, replace(TWICE, then_to=(ANN,)))
        assert interrupted(alert) == [(2, "unknown")]
        assert (alert.status, alert.to) == ("completed", ANN)
        assert [form["To"] for form in posts(desk) if "To" in form] == [BUSY, ANN]
        chosen = sa.select(alerts.c.claimed_by).where(alerts.c.id == alert.id)
        # The delivery went on by itself; no other worker had to claim the alert first.
        assert await column(desk.services.database_url, chosen) == [worker_of(desk).id]
