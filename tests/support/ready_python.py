"""Run `python -m alerts` and `python -m shiny` without the seconds that they take to load.

Run as a program, this file loads what they need once, and then forks a process for each order that
it is sent. Such a process has the folder, environment and output of its order, finds its settings
in that folder, and ends like any other Python process. An app loads the project's modules itself,
from its folder; commands find them loaded.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parents[2]
# What a command loads, also what only some of them need.
COMMANDS = (
    "cli.main", "alembic.command", "alembic.config", "alerts.runtime", "alerts.simulation",
    "babel.dates", "boto3", "duckdb", "people.broadcasts", "phonenumbers.geocoder", "psycopg",
    "rules.desk", "simulator", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite", "storage.s3",
)  # fmt: skip
# What an app loads that isn't the project's own.
LIBRARIES = (
    "aiohttp", "alembic.command", "alembic.config", "babel.dates", "cronsim", "dotenv", "duckdb",
    "httpx", "httpx_aiohttp", "jinja2.sandbox", "phonenumbers.geocoder", "phonenumbers.timezone",
    "psycopg", "pydantic_settings", "shiny._main", "shiny.express", "shiny.ui",
    "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite", "uvicorn",
    "xmltodict",
)  # fmt: skip
HEADER_BYTES = 8


class ReadyProcess:
    """A command that runs, used like a `subprocess.Popen`."""

    def __init__(self, report: IO[str], arguments: Sequence[str]) -> None:
        self._report = report
        self.args = list(arguments)
        self.pid = int(report.readline())
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit status, as `subprocess.Popen.wait` does."""
        if self.returncode is None:
            if not _readable(self._report, timeout):
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def start(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    stdout: int,
    stderr: int,
) -> ReadyProcess:
    """Run `python -m MODULE ARGUMENTS` in a folder with this environment, and don't wait for it.

    Output goes to these descriptors. The process leads a group of its own.
    """
    order = {
        "module": module,
        "arguments": arguments,
        "folder": str(folder),
        "environment": dict(environment),
    }
    message = json.dumps(order).encode()
    orders = _orders("commands" if module == "alerts" else "libraries")
    reading, writing = os.pipe()
    try:
        header = len(message).to_bytes(HEADER_BYTES, "big")
        socket.send_fds(orders, [header], [stdout, stderr, writing])
        orders.sendall(message)
    finally:
        os.close(writing)
    return ReadyProcess(os.fdopen(reading), arguments)


def run(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    """Do the same, wait for its end, and return what it printed and its exit status."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start(
            module, arguments, folder, environment, stdout=output.fileno(), stderr=errors.fileno()
        )
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        printed = [_read(each) for each in (output, errors)]
    return subprocess.CompletedProcess(process.args, status, *printed)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _readable(report: IO[str], timeout: float | None) -> bool:
    """Wait until something can be read; whether it can be after `timeout` seconds."""
    return bool(select.select([report], [], [], timeout)[0])


@cache
def _orders(loaded: str) -> socket.socket:
    """Start a process that loads "commands" or "libraries"; return the socket for its orders."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.ready_python", str(theirs.fileno()), loaded],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            pass_fds=[theirs.fileno()],
            # What it forks writes in pieces, as to any other file, not in lines.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait(timeout=30)

    atexit.register(end)
    return ours


def _serve(orders: socket.socket, loaded: str) -> None:
    """Fork a process for each order, until the process that sends them is gone."""
    for name in COMMANDS if loaded == "commands" else LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        header, descriptors, _, _ = socket.recv_fds(orders, HEADER_BYTES, 3)
        if not header:
            return
        missing, message = int.from_bytes(header, "big"), b""
        while len(message) < missing:
            message += orders.recv(missing - len(message))
        if os.fork() == 0:
            orders.close()
            _watch(json.loads(message), *descriptors)
            return
        for each in descriptors:
            os.close(each)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _watch(order: dict[str, Any], output: int, errors: int, report: int) -> None:
    """Run the command in one more process, and report its number and then its exit status."""
    program = os.fork()
    if program == 0:
        os.close(report)
        _become(order, output, errors)
        return
    os.close(output)
    os.close(errors)
    os.write(report, f"{program}\n".encode())
    _, status = os.waitpid(program, 0)
    os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(order: dict[str, Any], output: int, errors: int) -> None:
    """Be the command that was ordered, as if Python had just been started with it."""
    os.setsid()
    for descriptor, place in ((output, 1), (errors, 2)):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    if encoding := os.environ.get("PYTHONIOENCODING"):
        name, _, on_error = encoding.partition(":")
        sys.stdout.reconfigure(encoding=name, errors=on_error or "strict")  # type: ignore[union-attr]
        sys.stderr.reconfigure(encoding=name)  # type: ignore[union-attr]
    if "settings" in sys.modules:
        _look_for_settings_in(Path(order["folder"]))
    # In place of the repository.
    sys.path[0] = order["folder"]
    sys.argv = [order["module"], *order["arguments"]]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def _look_for_settings_in(folder: Path) -> None:
    """Let the package `settings` be in `folder`, as its symbolic link there would be."""
    from settings import settings, values  # noqa: PLC0415

    values.HERE = folder
    settings.ENV_FILE = folder / ".env"
    settings.Settings.model_config["env_file"] = settings.ENV_FILE
    settings.Settings.model_fields["sources_file"].default = folder / "sources.toml"
    settings.Settings.model_rebuild(force=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
