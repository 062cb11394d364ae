"""Shiny apps in processes of their own, away from any developer's `.env` and data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.servers import free_port

ROOT = Path(__file__).parent.parent
BARE_APP = ROOT / "bench" / "bare_app.py"
START_SECONDS = 60
# Short compared with the differences between apps, and long enough to leave the core to them.
POLL_SECONDS = 0.004


@contextmanager
def copied_app() -> Iterator[Path]:
    """A copy of the app to run from: it reads `.env` and writes data beside its own app.py."""
    with tempfile.TemporaryDirectory(prefix="callboard-bench-") as folder:
        copy = Path(folder) / "callboard"
        others = shutil.ignore_patterns(".*", "data", "tests", "bench", "docs", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=others)
        yield copy / "app.py"


@dataclass(frozen=True)
class Served:
    """A running app: its address, and the id of its process."""

    address: str
    pid: int


@contextmanager
def running(app: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """`shiny run` the app for as long as the block lasts; yields its address.

    The block begins once the first page has been read. The process gets `environment`, PATH, LANG
    and a HOME of its own.
    """
    with served(app, environment, free_port()) as found:
        yield found.address


@contextmanager
def served(
    app: Path, environment: Mapping[str, str], port: int, log: Path | None = None
) -> Iterator[Served]:
    """Do the same at a given port; with `log`, the app's output goes into that file."""
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else None
        command = ["-m", "shiny", "run", f"--port={port}", "--log-level=warning", app.name]
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=app.parent,
            env={**surroundings(app.parent), **environment},
            stdout=output,
            stderr=output,
        )
        with _until_the_end(process):
            _read_first_page(f"http://127.0.0.1:{port}/", process)
            yield Served(f"http://127.0.0.1:{port}", process.pid)


@contextmanager
def _until_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def surroundings(folder: Path) -> dict[str, str]:
    """PATH, LANG and a HOME of its own, for a process that runs in a folder."""
    # Not the user's HOME, which may hold AWS profiles.
    return {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "HOME": str(folder)}


def _read_first_page(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(address, timeout=START_SECONDS) as page:  # noqa: S310 - of our own making
                if b'message"' not in page.read():
                    raise RuntimeError("The first page has no message to write: check the settings")
                return
        except URLError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The app did not start; what it says is above.") from None
            time.sleep(POLL_SECONDS)
