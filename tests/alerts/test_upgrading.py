"""A database of the version that delivered with DBOS: what was open there goes out, once."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from alerts import AlertRequest
from alerts.tables import workers
from database.connecting import engine_for, parsed
from database.migrations import bring_up_to_date
from database.migrations.revisions import VERSIONS
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from tests.support.desks import CALL, TEXT, posts, simulated_desk, until_over, worker_of
from tests.support.direct_sql import column

NOW = datetime.now(UTC).timestamp()


def insert(connection: sa.Connection, table: str, **values: Any) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)  # noqa: S608


def insert_alert(
    connection: sa.Connection, alert_id: str, request: AlertRequest, workflow_id: str | None
) -> None:
    insert(
        connection,
        "alerts",
        id=alert_id,
        account_sid=SIMULATOR_ACCOUNT_SID,
        created_at=NOW,
        request=json.dumps(asdict(request)),
        from_number=SIMULATOR_FROM_NUMBER,
        not_before=NOW,
        sender="",
        person="",
        workflow_id=workflow_id,
        due_at=NOW,
        revision=1,
        status="queued",
        is_open=True,
        since=NOW,
        try_number=1,
        channel=request.channel,
        to_number=request.to,
        canceling=False,
    )
    insert_event(connection, alert_id, 1, "queued", "Written and checked")


def insert_event(
    connection: sa.Connection, alert_id: str, number: int, status: str, note: str
) -> None:
    insert(
        connection,
        "events",
        alert_id=alert_id,
        account_sid=SIMULATOR_ACCOUNT_SID,
        number=number,
        at=NOW,
        try_number=1,
        source="callboard",
        status=status,
        note=note,
        canceling=False,
        news=True,
    )


def begin(connection: sa.Connection, alert_id: str, request: AlertRequest) -> None:
    """Save a request to Twilio whose process died before it was made."""
    connection.execute(
        sa.text("UPDATE alerts SET status = 'sending', revision = 2 WHERE id = :id"),
        {"id": alert_id},
    )
    insert_event(connection, alert_id, 2, "sending", "On its way to Twilio")
    insert(
        connection,
        "attempts",
        id=f"attempt of {alert_id}",
        alert_id=alert_id,
        account_sid=SIMULATOR_ACCOUNT_SID,
        try_number=1,
        channel=request.channel,
        to_number=request.to,
        at=NOW,
    )


@pytest.fixture
def older(database_url: str, tmp_path: Path) -> SecretStr:
    """A database at revision 0001, as a process that was killed left it."""
    versions = tmp_path / "versions"
    versions.mkdir()
    shutil.copy(VERSIONS / "0001_history.py", versions)
    engine = engine_for(parsed(database_url), 1)
    bring_up_to_date(engine, versions)
    asked = replace(CALL, to="+14125550123")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        insert_alert(connection, "waiting", TEXT, None)
        insert_alert(connection, "claimed", CALL, "a workflow")
        insert_alert(connection, "asked", asked, "a workflow")
        begin(connection, "asked", asked)
        insert(
            connection,
            "executors",
            id="gone",
            account_sid=SIMULATOR_ACCOUNT_SID,
            role="worker",
            started_at=NOW,
        )
        insert(
            connection,
            "pace",
            account_sid=SIMULATOR_ACCOUNT_SID,
            channel="call",
            next_at=NOW,
        )
    engine.dispose()
    return SecretStr(database_url)


async def test_what_was_open_goes_out_once(older: SecretStr, tmp_path: Path):
    async with simulated_desk(tmp_path, database_url=older) as desk:
        await desk.open()
        ends = {each: await until_over(desk, each) for each in ("waiting", "claimed", "asked")}
        assert [alert.status for alert in ends.values()] == ["delivered", "completed", "completed"]
        assert ends["asked"].events[2].note == "Twilio never got it: asking again"
        assert len(posts(desk)) == 3
        found = await column(older, sa.select(workers.c.id))
        assert found == [worker_of(desk).id]
