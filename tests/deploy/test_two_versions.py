"""A newer version starts while the old one delivers, such as a draft on Posit Connect."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from alerts import AlertRequest, DatabaseError, Desk, Status
from database.migrations.revisions import VERSIONS, revisions_in
from settings import Settings
from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.desks import ANYBODY
from tests.support.environment import ACCOUNT_SID, TOKEN, clean_environment
from tests.support.project_folder import REPOSITORY, build_project_folder
from tests.support.running_app import bare_environment
from tests.support.servers import serve
from tests.support.waiting import until

pytestmark = pytest.mark.slow

CALL = AlertRequest("call", ANYBODY, "Batch 7 is off.")
NEWER = f"""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9999", "{revisions_in(VERSIONS)[-1]}"
def upgrade():
    op.add_column("alerts", sa.Column("color", sa.Text, nullable=False, server_default="red"))
"""


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    with clean_environment():
        yield


def newer_version(folder: Path, values: dict[str, str]) -> None:
    """The project with one more migration."""
    build_project_folder(folder, values)
    (folder / "database").unlink()
    shutil.copytree(REPOSITORY / "database", folder / "database")
    (folder / "database/migrations/versions/9999_newer.py").write_text(NEWER)


async def test_the_old_one_gives_way(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with serve(create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=20)) as twilio:
        values = {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER,
            "TWILIO_BASE_URL": twilio,
            "STORAGE": "inline",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'callboard.sqlite'}",
        }
        newer_version(tmp_path, values)
        settings = Settings(_env_file=tmp_path / ".env")
        async with Desk.from_settings(settings, mode="app") as old:
            # The old one has it, and would call in a moment.
            [waiting] = await old.send_all([replace(CALL, hold_seconds=4)])
            assert old.delivers
            new = await asyncio.create_subprocess_exec(
                *[sys.executable, "-m", "alerts", "worker"],
                cwd=tmp_path,
                env=bare_environment(PYTHONUNBUFFERED="1"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                assert new.stdout is not None
                assert b"Delivering." in await new.stdout.readline()
                await until(lambda: not old.delivers)
                with pytest.raises(DatabaseError, match="A newer version of Callboard now uses"):
                    await old.send(CALL)
                async with asyncio.timeout(60):
                    async for alert in old.watch(waiting.id):
                        reached = alert.status
            finally:
                new.terminate()
                await new.communicate()
        async with httpx.AsyncClient(base_url=twilio, auth=(ACCOUNT_SID, TOKEN)) as client:
            listed = await client.get(f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json")
        calls = listed.json()["calls"]
    assert reached is Status.COMPLETED
    assert len(calls) == 1
    [told] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert told.getMessage().startswith("A newer version of Callboard has changed the tables")
    assert told.exc_info is None
