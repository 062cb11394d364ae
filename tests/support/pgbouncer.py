"""A real PgBouncer in front of a PostgreSQL, pooling transactions."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.postgres import PostgresServer
from tests.support.servers import free_port

# Few connections, so that transactions of one client go to several of the server's.
CONFIGURATION = """
[databases]
* = host={folder} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = {log}
"""


def program() -> str | None:
    """Where PgBouncer is, or None if it isn't installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pgbouncer(server: PostgresServer) -> Iterator[int]:
    """Run PgBouncer in front of `server`; yields the port that it listens on."""
    found = program()
    assert found is not None
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    log = folder / "log"
    configuration.write_text(CONFIGURATION.format(folder=server.folder, port=port, log=log))
    as_root = os.geteuid() == 0
    if as_root:  # which PgBouncer refuses to run as
        for each in (folder, configuration):
            shutil.chown(each, "nobody")
    process = subprocess.Popen(
        [found, "--quiet", configuration], user="nobody" if as_root else None
    )
    try:
        _until_it_answers(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
