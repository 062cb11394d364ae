"""The database, and the processes that deliver from it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from alerts.claims import Liveness
from alerts.desk import Desk
from alerts.tables import workers
from database import DatabaseError
from doctor.check import Check, Fix, Group, Line, Lines
from settings import HERE, Settings

PROGRAM_FOLDERS = (
    "access", "alerts", "cli", "dashboard", "database", "doctor", "monitoring", "people", "rules",
    "settings", "simulator", "storage", "twilio_client", "twiml",
)  # fmt: skip
PROGRAM_FILES = ("app.py", "callbacks_app.py", "webhooks.py")
START_WORKER = (
    Fix("sudo systemctl enable --now callboard-worker", "As a service (docs/deploying.md)"),
    Fix(".venv/bin/python -m alerts worker", "Or by hand"),
)
RESTART = Fix("sudo systemctl restart callboard callboard-worker", "If systemd runs them")


class DatabaseChecks:
    """The checks of the database and of the processes."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk

    def checks(self) -> list[Check]:
        """Return the checks, in order."""
        return [
            Check("database", Group.DATABASE, "The database", self.database),
            Check("processes", Group.DATABASE, "Processes that deliver", self.processes),
        ]

    async def database(self) -> Lines:
        """Check that the database can be read and written, and has the right tables."""
        try:
            await self._desk.check_database()
        except DatabaseError as problem:
            return [Line("broken", "Nothing can be sent or looked up.", str(problem))]
        url = self._desk.services.database_url.get_secret_value()
        name = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
        return [Line("fine", f"{name} can be written; its tables are up to date.")]

    async def processes(self) -> Lines:
        """Say which processes deliver, and which of them are older than the program."""
        if self._settings.simulated:
            return [Line("fine", "In a simulation the app delivers by itself.")]
        try:
            found = await self._alive()
        except DatabaseError:
            return []  # said by the check of the database
        modes = Counter(mode for mode, _ in found)
        changed = await asyncio.to_thread(program_changed_at)
        return [_deliverers(modes), *_older([started for _, started in found], changed)]

    async def _alive(self) -> list[tuple[str, float]]:
        """Return the mode of each process that delivers, and when it started, since 1970."""
        database, sid = await self._desk.database(), self._desk.services.twilio.account_sid
        alive = await Liveness(database, sid).alive()

        def read(connection: sa.Connection) -> list[tuple[str, float]]:
            chosen = sa.select(workers.c.mode, workers.c.started_at).where(workers.c.id.in_(alive))
            return [(row.mode, row.started_at) for row in connection.execute(chosen)]

        return await database.read(read)


def _deliverers(modes: Counter[str]) -> Line:
    workers, apps = modes["worker"], modes["app"]
    if workers:
        who = "A worker delivers" if workers == 1 else f"{workers} workers deliver"
        return Line("fine", f"{who}, whether a page is open or not.")
    if apps:
        words = "No worker runs: whenever the app is stopped or asleep, later tries and rules stop."
        return Line("to do", words, "The app delivers as long as it runs.", START_WORKER)
    words = "Nothing delivers: what waits for its time, and rules, wait for an app or a worker."
    return Line("to do", words, "No process is alive. Start one:", START_WORKER)


def _older(began: Sequence[float], changed: float) -> Lines:
    """Say how many processes started before the program's files were last changed."""
    older = sum(each < changed for each in began)
    if not older:
        return []
    who = "A process that delivers" if older == 1 else f"{older} processes that deliver"
    words = f"{who} may run an older version of Callboard."
    seen = "It began before the program here was last changed. Restart it:"
    return [Line("to do", words, seen, (RESTART,))]


def program_changed_at(folder: Path = HERE) -> float:
    """Return when the program's files in `folder` were last changed, in seconds since 1970."""
    files = [folder / name for name in PROGRAM_FILES]
    files += [file for each in PROGRAM_FOLDERS for file in (folder / each).rglob("*.py")]
    return max((each.stat().st_mtime for each in files if each.exists()), default=0.0)
