"""What docs/deploying.md tells people to run, against the programs themselves."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path, PurePosixPath

import httpx

from tests.support.running_app import bare_environment, running
from tests.support.servers import free_port

PAGE = (Path(__file__).resolve().parents[2] / "docs/deploying.md").read_text(encoding="utf-8")


def test_the_workers_unit(project: Path) -> None:
    [unit] = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
    settings = dict(re.findall(r"^(\w+)=(.+)$", unit, re.MULTILINE))
    python, *arguments = settings["ExecStart"].split()
    folder = PurePosixPath(settings["WorkingDirectory"])
    assert python == str(folder / ".venv/bin/python")
    account = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "anything",
        "TWILIO_FROM_NUMBER": "+17248675309",
        "DATABASE_URL": f"sqlite:///{project / 'history-of-the-unit.sqlite'}",
    }
    worker = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=project,
        env=bare_environment(PYTHONUNBUFFERED="1", **account),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert worker.stdout is not None
        assert "Delivering." in worker.stdout.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        worker.kill()
        worker.communicate()


def test_a_process_of_ones_own(project: Path) -> None:
    [command] = re.findall(r"^\.venv/bin/uvicorn (.*)$", PAGE, re.MULTILINE)
    port = free_port()
    arguments = command.replace("8000", str(port)).split()
    url = f"http://127.0.0.1:{port}/healthz"  # the proxy takes /callboard off
    history = {"DATABASE_URL": f"sqlite:///{project / 'history-of-uvicorn.sqlite'}"}
    with running([sys.executable, "-m", "uvicorn", *arguments], url, project, **history):
        assert httpx.get(url).json() == {"status": "ok"}
