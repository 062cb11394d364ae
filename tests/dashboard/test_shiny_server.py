"""Under Shiny Server, which passes on the Host of a page's request, but no Origin of a session."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.handshakes import opens
from tests.support.running_app import running
from tests.support.servers import free_port
from tests.support.shiny_server.SockJSAdapter import SECRET

SCRIPT = Path(__file__).resolve().parents[1] / "support/shiny_server/SockJSAdapter.py"
FROM_SHINY_SERVER = {"shiny-shared-secret": SECRET}


@pytest.fixture(scope="module")
def app(project: Path) -> Iterator[str]:
    port = free_port()
    history = {"DATABASE_URL": f"sqlite:///{project / f'history-{port}.sqlite'}"}
    url = f"http://127.0.0.1:{port}/"
    with running([sys.executable, str(SCRIPT), str(port)], url, project, **history):
        yield url


def test_a_session_through_shiny_server(app: str):
    assert opens(app, headers=FROM_SHINY_SERVER)
    assert opens(app, headers={**FROM_SHINY_SERVER, "X-Forwarded-For": "10.0.0.7"})


def test_a_session_past_it(app: str):
    assert not opens(app)
    assert not opens(app, headers={"shiny-shared-secret": "guessed"})
    assert not opens(app, origin="https://evil.example", headers=FROM_SHINY_SERVER)


@pytest.mark.parametrize("host", ["calls.example.com", "calls.example.com:3838"])
def test_the_page(app: str, host: str):
    answer = httpx.get(app, headers={**FROM_SHINY_SERVER, "Host": host})
    assert answer.status_code == 200
    # Shiny Server writes its own script into the page.
    assert "script-src 'self' 'unsafe-inline';" in answer.headers["Content-Security-Policy"]
