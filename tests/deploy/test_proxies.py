"""nginx and Caddy with the configurations in deploy/: a sub-path, a login, and idle sessions."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn import Config
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.handshakes import opens
from tests.support.installed_programs import installed_program
from tests.support.proxies import deployed_caddy, deployed_nginx, nginx
from tests.support.running_app import running_app
from tests.support.servers import serve
from tests.support.waiting import becomes_healthy

pytestmark = pytest.mark.slow

ANN = ("ann", "correct horse")
NUMBER = "+14128574309"
# Other tests keep the machine busy.
SLOWLY = httpx.Client(timeout=60)


@pytest.fixture(scope="module")
def app(project: Path) -> Iterator[str]:
    """The app with an account: Twilio's paths are there, and nothing is ever sent."""
    values = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "anything",
        "TWILIO_FROM_NUMBER": "+17248675309",
        "PUBLIC_URL": "https://calls.example.com/callboard",
        # The proxy has a login of its own, and says who has logged in.
        "IDENTITY_HEADER": "X-Forwarded-User",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    with running_app(project, **values) as url:
        yield url


def check_login_and_its_exemptions(url: str) -> None:
    """People need the login; Twilio, which signs, and monitors don't."""
    for path in ("", "lib/shiny-1/shiny.js", "activity.csv", "metrics", "twiliox"):
        assert SLOWLY.get(f"{url}{path}").status_code == 401, path
    assert "Callboard" in SLOWLY.get(url, auth=ANN).text
    assert becomes_healthy(lambda: SLOWLY.get(f"{url}healthz"))
    assert SLOWLY.get(f"{url}twiml/{'0' * 32}.xml").status_code == 404
    for path in ("twilio/status", "twilio/gather", "twilio/inbound"):
        answer = SLOWLY.post(f"{url}{path}", data={"From": NUMBER})
        # The app's own refusal of what Twilio didn't sign.
        assert (answer.status_code, answer.text) == (403, "")


def check_sessions(url: str) -> None:
    own, login = "http://calls.example.com", httpx.BasicAuth(*ANN)
    [header] = [
        request.headers["Authorization"]
        for request in login.sync_auth_flow(httpx.Request("GET", url))
    ]
    headers = {"Authorization": header}
    assert opens(url, host="calls.example.com", origin=own, headers=headers)
    assert not opens(url, host="calls.example.com", origin="http://evil.example", headers=headers)


def test_nginx(app: str, tmp_path: Path):
    passwords = subprocess.run(
        ["openssl", "passwd", "-apr1", ANN[1]], capture_output=True, text=True, check=True
    ).stdout
    with deployed_nginx(app, tmp_path, f"{ANN[0]}:{passwords}") as url:
        check_login_and_its_exemptions(url)
        check_sessions(url)
        SLOWLY.get(f"{url}twiml/{'0' * 32}.xml", params={"To": NUMBER})
    log = (tmp_path / "access.log").read_text()
    assert f'"GET /callboard/twiml/{"0" * 32}.xml" 404' in log
    assert NUMBER[1:] not in log


def test_caddy(app: str, tmp_path: Path):
    hashed = subprocess.run(
        [installed_program("caddy"), "hash-password", "--plaintext", ANN[1]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with deployed_caddy(app, tmp_path, hashed.strip()) as url:
        check_login_and_its_exemptions(url)
        check_sessions(url)


def test_metrics_without_a_token(app: str, simulation: str):
    """Of programs on this machine, and not at all where others reach the app as well."""
    assert SLOWLY.get(f"{simulation}metrics").status_code == 200
    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        refused = SLOWLY.get(f"{simulation}metrics", headers={header: "10.0.0.7"})
        assert (refused.status_code, refused.text) == (404, "Not Found")
    assert SLOWLY.get(f"{simulation}metrics", headers={"Host": "x.example"}).status_code in {
        403,
        404,
    }
    assert SLOWLY.get(f"{app}metrics").status_code == 404


async def listen(session: WebSocket) -> None:
    await session.accept()
    with contextlib.suppress(WebSocketDisconnect):
        await session.receive_text()


def test_pings_keep_an_idle_session(tmp_path: Path):
    """Shiny sends nothing while a page is idle, but Uvicorn does.

    nginx ends what is silent for `proxy_read_timeout`, 60 s unless set, and here 1 s.
    """
    app = Starlette(routes=[WebSocketRoute("/", listen)])
    for ping_seconds, stays in ((0.3, True), (None, False)):
        with (
            serve(app, ws_ping_interval=ping_seconds) as server,
            nginx(server, tmp_path, "proxy_read_timeout 1s;") as url,
            connect(url.replace("http", "ws"), ping_interval=None) as session,
        ):
            began = time.monotonic()
            if stays:
                with pytest.raises(TimeoutError):
                    session.recv(timeout=2.5)
            else:
                with pytest.raises(ConnectionClosed):
                    session.recv(timeout=20)
                assert time.monotonic() - began < 10
    interval = Config(app).ws_ping_interval
    assert interval is not None
    assert interval < 60 / 2
