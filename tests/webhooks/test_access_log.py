"""The log of a server that people run: without numbers and words, and nobody can forge a line."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.running_app import running
from tests.support.servers import free_port

pytestmark = pytest.mark.slow

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


FORGED = "INFO:     Maya signed in"
# Of what a client sends, the log shows the path; of a session's handshake its query, too.
LINES = [
    f"GET /\x1b[31m%0a{FORGED} HTTP/1.1",
    f"GET /%1b[31m%0d%0a{FORGED.replace(' ', '%20')} HTTP/1.1",
    f"GET /?\x1b[31m%0a{FORGED.replace(' ', '%20')} HTTP/1.1",
    f"GET /websocket/?%1b[31m%0a{FORGED.replace(' ', '%20')} HTTP/1.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==",
    f"GET / HTTP/1.1\r\nUser-Agent: \x1b[31m\r\nOrigin: \x1b[31m{FORGED}",
    f"POST / HTTP/1.1\r\nOrigin: http://x\x1b[31m\x0b{FORGED}",
    f"POST / HTTP/1.1\r\nOrigin: http://x\xe2\x80\xa8\x9b31m{FORGED}",
    f"POST / HTTP/1.1\r\nX-Forwarded-For: \xe2\x80\xa8{FORGED}\r\nOrigin: http://x",
    f"\x1b[31m {FORGED}",
]


def test_no_line_of_a_visitors_own(simulation: str, project: Path):
    log = project / "server.log"
    before = log.stat().st_size
    address = urlsplit(simulation)
    for line in LINES:
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            request = f"{line}\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode("latin-1"))
            while connection.recv(65536):
                pass
    written = log.read_bytes()[before:].decode()
    assert len(written.splitlines()) >= 5
    assert [line for line in written.splitlines() if line.startswith(FORGED)] == []
    assert [line for line in written.split("\n") if not line.isprintable()] == []
    assert "Traceback" not in written
