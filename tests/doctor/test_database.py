"""The database and who delivers from it."""

from __future__ import annotations

import os
import time

import pytest
from pydantic import SecretStr

from alerts import Desk
from doctor import database as database_checks
from doctor.database import PROGRAM_FILES, PROGRAM_FOLDERS, DatabaseChecks, program_changed_at
from tests.support.desks import simulated_desk
from tests.support.doctor_lines import lines_of, settings_with, verdicts
from tests.support.project_folder import FILES, ROOMS


async def test_sqlite(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        [line] = await lines_of(DatabaseChecks(settings_with(), desk), "database")
    assert line.words == "SQLite can be written; its tables are up to date."


async def test_one_that_cannot_be_used(tmp_path):
    nowhere = SecretStr("sqlite:////proc/callboard.sqlite")
    async with simulated_desk(tmp_path, database_url=nowhere) as desk:
        checks = DatabaseChecks(settings_with(), desk)
        [line] = await lines_of(checks, "database")
        assert await lines_of(checks, "processes") == []
    assert line.verdict == "broken"
    assert line.seen.startswith("DATABASE_URL names")


@pytest.mark.parametrize(
    ("modes", "verdict", "words"),
    [
        ((), "to do", "Nothing delivers"),
        (("app",), "to do", "No worker runs"),
        (("worker",), "fine", "A worker delivers, whether a page is open or not."),
        (("worker", "worker"), "fine", "2 workers deliver, whether a page is open or not."),
    ],
)
async def test_who_delivers(tmp_path, modes, verdict, words):
    async with simulated_desk(tmp_path) as desk:
        services = desk.services
    others = [Desk(services, mode) for mode in modes]
    try:
        for each in others:
            await each.open()
        async with Desk(services, "observer") as desk:
            line, *_ = await lines_of(DatabaseChecks(settings_with(), desk), "processes")
            simulation = DatabaseChecks(settings_with(simulated=True), desk)
            assert verdicts(await lines_of(simulation, "processes")) == ["fine"]
    finally:
        for each in others:
            await each.close()
    assert line.verdict == verdict
    assert words in line.words


@pytest.mark.parametrize("seconds_ago", [-60, 3600])
async def test_processes_that_began_before_the_program_changed(tmp_path, monkeypatch, seconds_ago):
    changed = time.time() - seconds_ago
    monkeypatch.setattr(database_checks, "program_changed_at", lambda: changed)
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        lines = await lines_of(DatabaseChecks(settings_with(), desk), "processes")
    older = [each for each in lines if "older version" in each.words]
    assert verdicts(older) == (["to do"] if seconds_ago < 0 else [])


def test_the_program_is_all_that_an_installation_needs():
    assert PROGRAM_FOLDERS == ROOMS
    assert set(PROGRAM_FILES) == {each for each in FILES if each.endswith(".py")}


def test_when_the_program_changed(tmp_path):
    (tmp_path / "alerts").mkdir()
    for name, moment in (("app.py", 1000), ("alerts/desk.py", 3000), ("data.py", 9000)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (moment, moment))
    assert program_changed_at(tmp_path) == 3000
    assert program_changed_at() <= time.time()
