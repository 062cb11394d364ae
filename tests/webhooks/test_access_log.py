"""Whose number it was, and what was said, isn't in the access log of a server that people run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.running_app import running
from tests.support.servers import free_port

# What Twilio appends. https://www.twilio.com/docs/voice/twiml#request-parameters
QUERY = "CallSid=CA1&To=%2B14125550142&From=%2B14155550100&SpeechResult=help+me"
OF_TWILIO = ("/twiml/2026-01-01-maya-x.xml", "/twilio/status", "/twilio/gather")
COMMANDS = {
    "shiny run": ["-m", "shiny", "run", "--port", "{port}", "app.py"],
    "uvicorn": ["-m", "uvicorn", "--port", "{port}", "app:app"],
    "below a path": ["-m", "uvicorn", "--port", "{port}", "--root-path", "/calls", "app:app"],
}


@pytest.fixture(params=list(COMMANDS.values()), ids=list(COMMANDS))
def served(request: pytest.FixtureRequest, project: Path, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, *(each.format(port=port) for each in request.param)]
    history = f"sqlite:///{tmp_path / 'callboard.sqlite'}"
    with running(command, f"http://127.0.0.1:{port}", project, DATABASE_URL=history) as url:
        yield url


def test_no_parameters_of_twilios_in_the_log(served: str, project: Path):
    for path in OF_TWILIO:
        httpx.get(f"{served}{path}?{QUERY}", timeout=60)
    log = (project / "server.log").read_text()
    for path in OF_TWILIO:
        assert f"{path} HTTP" in log
    for part in ("4125550142", "4155550100", "help", "CA1"):
        assert part not in log
