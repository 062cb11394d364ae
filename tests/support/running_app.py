"""The app as people run it: a copy of the project, served by a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from tests.support import ready_python
from tests.support.ready_python import ReadyProcess
from tests.support.servers import free_port

PROJECT = Path(__file__).resolve().parents[2]
# Never the developer's own secrets, and never their data.
LEFT_OUT = shutil.ignore_patterns(
    ".venv", ".git", ".env", "data", "build", ".*_cache", "__pycache__"
)
START_SECONDS = 60
# Many tests call the same number, one soon after another.
UNHURRIED = {
    "ALERTS_PER_NUMBER_PER_HOUR": "1000",
    "ALERTS_PER_PERSON_PER_HOUR": "100000",
    "TWILIO_CALLS_PER_SECOND": "100",
    "TWILIO_TEXTS_PER_SECOND": "100",
}


def copy_of_the_project(folder: Path) -> Path:
    """The project's own files in `folder`, without any `.env`."""
    return Path(shutil.copytree(PROJECT, folder / "callboard", ignore=LEFT_OUT))


def bare_environment(**settings: str) -> dict[str, str]:
    """The environment of an app under Shiny Server (HOME, LANG, PATH), and `settings`."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    return kept | settings


@contextmanager
def running_app(
    project: Path, app: str = "app.py", port: str = "", **settings: str
) -> Iterator[str]:
    """`shiny run app` on a history of its own, for as long as the block lasts; its address.

    It listens on a free port unless `port` says which.
    """
    port = port or str(free_port())
    history = {"DATABASE_URL": f"sqlite:///{project / f'history-{port}.sqlite'}"}
    environment = bare_environment(**UNHURRIED | history | settings)
    log = project / "server.log"
    with log.open("ab") as output:
        server = ready_python.start(
            "shiny",
            ["run", "--port", port, app],
            project,
            environment,
            stdout=output.fileno(),
            stderr=output.fileno(),
        )
        with _until_the_end(server, f"http://127.0.0.1:{port}/", log) as url:
            yield url


@dataclass(frozen=True)
class Log:
    """What an app has written since it began; others may have written to the file before."""

    file: Path
    begins_at: int

    def read(self) -> str:
        """Return all of it."""
        return self.file.read_bytes()[self.begins_at :].decode()


@contextmanager
def app_without_tracebacks(project: Path) -> Iterator[tuple[str, Log]]:
    """`running_app` with its log, in which no traceback may be once the block ends."""
    file = project / "server.log"
    log = Log(file, file.stat().st_size if file.exists() else 0)
    with running_app(project) as url:
        yield url, log
        assert "Traceback" not in log.read(), log.read()[-3000:]


@contextmanager
def running(command: list[str], url: str, project: Path, **settings: str) -> Iterator[str]:
    """Any command that serves `url`, from the moment that it answers."""
    log = project / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            command,
            cwd=project,
            env=bare_environment(**settings),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with _until_the_end(server, url, log):
            yield url


@contextmanager
def _until_the_end(
    server: subprocess.Popen[bytes] | ReadyProcess, url: str, log: Path
) -> Iterator[str]:
    """Wait until a server answers, and end it after the block."""
    try:
        with log.open(encoding="utf-8", errors="replace") as said:
            wait_until_it_answers(server, url, said)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, 15)
        server.wait(timeout=20)


def wait_until_it_answers(
    server: subprocess.Popen[Any] | ReadyProcess, url: str, log: IO[str]
) -> None:
    """Wait until something answers at `url`; raises with what stands in `log` if nothing does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    log.seek(0)
    raise RuntimeError(f"{server.args!r} did not start:\n{log.read()}")
