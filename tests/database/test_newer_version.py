"""A newer Callboard migrates a database that this one is still using, as a draft of Connect's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts import worker as worker_module
from alerts.alert import NewAlert
from alerts.desk import Desk
from alerts.records import new_alert, new_alert_row
from alerts.status import Status
from alerts.tables import alerts, submissions
from database import NewerDatabase
from database.connecting import engine_for, parsed
from database.database import Database
from database.migrations.revisions import VERSIONS, bring_up_to_date, revisions_in
from database.tables import metadata
from tests.support.alerts_by_hand import CALL, CALLER
from tests.support.desks import desk_at, simulated_desk, worker_of
from tests.support.direct_sql import execute
from tests.support.scripted_twilio import PLACED, at, scripted_twilio
from tests.support.waiting import until

NEWER = """
import time
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9999", "LATEST"
def upgrade():
    op.execute("CREATE TABLE seen AS SELECT count(*) AS alerts FROM alerts")
    time.sleep(SECONDS)
    with op.batch_alter_table("alerts") as alerts:
        alerts.alter_column("sender", new_column_name="author")
"""


def newer_version(folder: Path, seconds: float = 0) -> Path:
    """The revisions of a version to come, whose migration takes some time."""
    versions = Path(shutil.copytree(VERSIONS, folder / "versions"))
    text = NEWER.replace("LATEST", revisions_in(VERSIONS)[-1]).replace("SECONDS", str(seconds))
    (versions / "9999_newer.py").write_text(text)
    return versions


def migrate(database_url: str, versions: Path) -> None:
    engine = engine_for(parsed(database_url), 2)
    bring_up_to_date(engine, versions)
    engine.dispose()


async def save_alert(database: Database, alert_id: str) -> None:
    new = NewAlert(alert_id, CALL, CALLER)
    alert = new_alert(new, datetime.now(UTC))
    row = new_alert_row(alert, new, "AC" + "0" * 32, len(alert_id))
    await database.write(lambda connection: connection.execute(sa.insert(alerts).values(row)))


async def test_nothing_is_saved_any_more(database_url: str, tmp_path: Path):
    database = Database(database_url, metadata)
    await database.open()
    await save_alert(database, "before")
    await asyncio.to_thread(migrate, database_url, newer_version(tmp_path))
    writes = [save_alert(database, each) for each in ("one", "two")]
    refused = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(each) for each in refused] == [NewerDatabase] * 2
    assert str(refused[0]).startswith("A newer version of Callboard now uses this database")
    async with asyncio.timeout(5):
        await database.until_newer()
    with pytest.raises(NewerDatabase):
        await database.check()
    # What can still be read is; what can't says why.
    assert await database.read(count) == 1
    with pytest.raises(NewerDatabase):
        await database.read(lambda connection: connection.scalars(sa.select(alerts.c.sender)).all())
    await database.close()


@pytest.mark.slow
async def test_a_write_waits_for_a_migration_under_way(database_url: str, tmp_path: Path):
    """Else it could be the old version's, and be committed after the new one has begun."""
    database = Database(database_url, metadata)
    await database.open()
    await save_alert(database, "the first")
    versions = newer_version(tmp_path, seconds=1)
    migration = threading.Thread(target=migrate, args=(database_url, versions))
    migration.start()
    saved = 1
    with contextlib.suppress(NewerDatabase):
        async with asyncio.timeout(60):
            while True:
                await save_alert(database, f"alert {saved}")
                saved += 1
    migration.join()
    seen = sa.text("SELECT alerts FROM seen")
    assert await database.read(lambda connection: connection.scalar(seen)) == saved
    await database.close()


def count(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.count(alerts.c.id))) or 0


async def test_a_delivery_is_left_to_the_newer_version(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """The log says it once, in a sentence. The alert and its try stay as they are."""
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 60)  # so that the delivery is first
    async with simulated_desk(tmp_path) as desk:
        [waiting] = await desk.send_all([replace(CALL, hold_seconds=1)])
        worker = worker_of(desk)
        url = desk.services.database_url.get_secret_value()
        await asyncio.to_thread(migrate, url, newer_version(tmp_path))
        await until(lambda: not worker.under_way)
        await until(lambda: not desk.delivers)
        [told] = caplog.records
        assert told.exc_info is None
        assert told.getMessage().startswith("A newer version of Callboard has changed the tables")
        assert (await left(desk, waiting.id)) == ("queued", [])


async def left(desk: Desk, alert_id: str) -> tuple[str, list[str]]:
    """The status of the alert, and the ids of its submissions."""
    status = sa.select(alerts.c.status).where(alerts.c.id == alert_id)
    made = sa.select(submissions.c.id).where(submissions.c.alert_id == alert_id)
    database = await desk.database()
    return await database.read(
        lambda connection: (
            connection.scalars(status).one(),
            list(connection.scalars(made)),
        )
    )


async def test_pages_that_watch_an_alert_are_not_logged_again_and_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """The column that they would read is gone."""
    caplog.set_level(logging.WARNING)
    async with simulated_desk(tmp_path) as desk:
        [waiting] = await desk.send_all([replace(CALL, hold_seconds=60)])
        history = await desk.history()
        url = desk.services.database_url
        with history.news_of(waiting.id):
            await until(lambda: waiting.id in history._watchers.newest)
            await asyncio.to_thread(migrate, url.get_secret_value(), newer_version(tmp_path))
            await execute(url, sa.update(alerts).values(revision=alerts.c.revision + 1))
            looked = history._look_seconds
            await until(lambda: not desk.delivers)
            await until(lambda: history._look_seconds > looked)
        assert [each.exc_info for each in caplog.records] == [None]


async def test_a_call_that_is_polled_is_not_logged_either(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 60)  # so that the poll is first
    looking = [at("ringing")]
    async with scripted_twilio(PLACED, looking=looking) as twilio, desk_at(twilio.url) as desk:
        alert = await desk.send(CALL)
        history = await desk.history()
        await history.until(alert.id, lambda newest: newest.status is Status.RINGING, 10)
        url = desk.services.database_url
        await asyncio.to_thread(migrate, url.get_secret_value(), newer_version(tmp_path))
        looking[:] = [at("in-progress")]
        await until(lambda: not desk.delivers)
    assert [each.exc_info for each in caplog.records] == [None]
