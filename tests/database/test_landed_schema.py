"""A database that the first release wrote: everything is kept, and what waited goes out once."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from alerts import AlertRequest
from alerts.tables import rate_limits, submissions, workers
from database.migrations import bring_up_to_date
from database.migrations.revisions import VERSIONS
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from tests.support.desks import desk_at, simulated_desk, twilio_client, until_over, worker_of
from tests.support.direct_sql import column, execute, writing
from tests.support.failing_services import asked_for, simulated_twilio

NOW = datetime.now(UTC)
MINUTE_AGO = (NOW - timedelta(minutes=1)).timestamp()
TOMORROW = (NOW + timedelta(days=1)).timestamp()
ANN, BEN, EVE, DAN, SUE = (f"+141255501{number}" for number in (20, 21, 22, 23, 24))


@pytest.fixture
def first_release(engine: sa.Engine, tmp_path: Path) -> sa.Engine:
    """The tables as the first release made them."""
    versions = tmp_path / "versions"
    versions.mkdir()
    shutil.copy(VERSIONS / "0001_history.py", versions)
    bring_up_to_date(engine, versions)
    return engine


def insert(engine: sa.Engine, table: str, **values: Any) -> None:
    names = ", ".join(values)
    parameters = ", ".join(f":{name}" for name in values)
    statement = sa.text(f"INSERT INTO {table} ({names}) VALUES ({parameters})")  # noqa: S608
    with writing(engine) as connection:
        connection.execute(statement, values)


def write_alert(engine: sa.Engine, alert_id: str, to: str, **values: Any) -> None:
    """An alert of the first release with its first event; `values` replace columns."""
    request = {"channel": "text", "to": to, "message": f"Text {alert_id}", "then_to": []}
    row: dict[str, Any] = {
        "id": alert_id, "account_sid": SIMULATOR_ACCOUNT_SID, "created_at": MINUTE_AGO,
        "request": json.dumps(request), "from_number": SIMULATOR_FROM_NUMBER,
        "not_before": MINUTE_AGO, "sender": "", "person": "", "workflow_id": None,
        "due_at": MINUTE_AGO, "revision": 1, "status": "queued", "is_open": True,
        "since": MINUTE_AGO, "try_number": 1, "channel": "text", "to_number": to,
        "canceling": False,
    }  # fmt: skip
    insert(engine, "alerts", **row | values)
    write_event(engine, alert_id, 1, "queued", "Written and checked")


def write_event(engine: sa.Engine, alert_id: str, number: int, status: str, note: str) -> None:
    event = {
        "alert_id": alert_id, "account_sid": SIMULATOR_ACCOUNT_SID, "number": number,
        "at": MINUTE_AGO, "try_number": 1, "source": "callboard", "status": status, "note": note,
        "canceling": False, "news": True,
    }  # fmt: skip
    insert(engine, "events", **event)


def write_attempt(engine: sa.Engine, alert_id: str, to: str) -> None:
    """A request whose answer never came."""
    write_event(engine, alert_id, 2, "sending", "On its way to Twilio")
    attempt = {
        "id": f"attempt-{alert_id}", "alert_id": alert_id, "account_sid": SIMULATOR_ACCOUNT_SID,
        "try_number": 1, "channel": "text", "to_number": to, "at": NOW.timestamp() - 5,
    }  # fmt: skip
    insert(engine, "attempts", **attempt)


async def test_what_waited_goes_out_once(first_release: sa.Engine, database_url: str):
    asking = {"status": "sending", "revision": 2, "workflow_id": "group"}
    write_alert(first_release, "free", ANN)
    write_alert(first_release, "claimed", BEN, workflow_id=f"{SIMULATOR_ACCOUNT_SID}-claimed")
    write_alert(first_release, "asked", EVE, **asking)
    write_attempt(first_release, "asked", EVE)
    write_alert(first_release, "unasked", DAN, **asking)
    write_attempt(first_release, "unasked", DAN)
    write_alert(first_release, "tomorrow", SUE, due_at=TOMORROW, not_before=TOMORROW)
    waiting = {"id": "host-1-aa", "account_sid": SIMULATOR_ACCOUNT_SID, "role": "worker"}
    insert(first_release, "executors", **waiting, started_at=MINUTE_AGO)
    insert(
        first_release, "pace", account_sid=SIMULATOR_ACCOUNT_SID, channel="text", next_at=MINUTE_AGO
    )
    url = SecretStr(database_url)
    async with simulated_twilio() as (simulator, address):
        async with twilio_client(address) as twilio:
            # Twilio has this one: the process died before it heard so.
            await twilio.create_message(to=EVE, from_=SIMULATOR_FROM_NUMBER, body="Text asked")
        async with desk_at(address, database_url=url) as desk:
            await desk.open()
            for alert_id in ("free", "claimed", "asked", "unasked"):
                assert (await until_over(desk, alert_id)).status == "delivered", alert_id
            adopted = await desk.status("asked")
            assert adopted is not None
            assert [event.note for event in adopted.events[:2]] == [
                "Written and checked",
                "On its way to Twilio",
            ]
            later = await desk.status("tomorrow")
            assert later is not None
            assert later.status == "queued"
            assert await column(url, sa.select(workers.c.id)) == [worker_of(desk).id]
        sent = sorted(form["To"] for form in asked_for(simulator))
    assert sent == sorted([ANN, BEN, EVE, DAN])
    outcomes = await execute(url, sa.select(submissions.c.id, submissions.c.outcome))
    found = {row["id"]: row["outcome"] for row in outcomes}
    assert (found["attempt-asked"], found["attempt-unasked"]) == ("placed", "never arrived")
    assert len(await column(url, sa.select(rate_limits.c.next_at))) == 1


async def test_what_is_over_is_kept(first_release: sa.Engine, database_url: str, tmp_path: Path):
    write_alert(
        first_release, "over", ANN, status="failed", is_open=False, revision=2,
        error=json.dumps({"code": 30003, "message": "Unreachable", "hint": "Try later."}),
    )  # fmt: skip
    write_event(first_release, "over", 2, "failed", "The carrier couldn't deliver it")
    async with simulated_desk(tmp_path, database_url=SecretStr(database_url)) as desk:
        alert = await desk.status("over")
    assert alert is not None
    assert (alert.status, alert.to, len(alert.events)) == ("failed", ANN, 2)
    assert alert.error is not None
    assert alert.error.code == 30003
    assert alert.request == AlertRequest("text", ANN, "Text over", template=False)
