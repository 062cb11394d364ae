"""Changes by another process are noticed late: until then nothing is repeated in a loop."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts import Event, watching
from alerts.history import History
from database.database import Database
from storage import InlineStorage, Instructions
from tests.support.desks import CALL, database_in, posts, simulated_desk, until_over
from tests.support.waiting import until

ELSEWHERE = "+14125550123"


class CountingStorage(InlineStorage):
    documents = 0

    async def publish(self, name: str, xml: str) -> Instructions:
        self.documents += 1
        return await super().publish(name, xml)


async def test_an_alert_that_waits_for_its_slot_is_canceled_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watching, "FIRST_LOOK_SECONDS", 60)
    monkeypatch.setattr(watching, "LONGEST_LOOK_SECONDS", 60)
    database = Database(database_in(tmp_path).get_secret_value())
    storage = CountingStorage()
    async with simulated_desk(tmp_path, storage, calls_per_second=0.5) as desk:
        await database.open()
        first = await desk.send(CALL)
        [second] = await desk.send_all([replace(CALL, to=ELSEWHERE)])
        await until(lambda: storage.documents == 2)
        elsewhere = History(database, desk.services.twilio.account_sid)
        wish = Event(datetime.now(UTC), None, "Canceled", "sender", canceling=True)
        await elsewhere.record(second.id, wish)
        assert (await until_over(desk, second.id)).status == "canceled"
        assert (await until_over(desk, first.id)).status == "completed"
        assert storage.documents == 2
        assert len(posts(desk)) == 1
    await database.close()
