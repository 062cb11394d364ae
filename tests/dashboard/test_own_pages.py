"""Only the app's own pages open a session or change something."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from alerts.log_lines import LimitedLog
from dashboard import own_pages
from dashboard.hosting import under_shiny_server
from dashboard.own_pages import OwnPagesOnly
from tests.support.handshakes import opens
from tests.support.running_app import running_app

PUBLIC = "https://calls.example.com"


@pytest.fixture(scope="module")
def public(project: Path) -> Iterator[str]:
    """The app with a public address, and another origin that is allowed."""
    origins = "http://intranet.example.com:8080/ https://10.0.0.5"
    with running_app(project, PUBLIC_URL=f"{PUBLIC}/team", ALLOWED_ORIGINS=origins) as url:
        yield url


def at(url: str, name: str) -> str:
    return f"{name}:{urlsplit(url).port}"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "callboard.localhost"])
def test_a_page_of_this_app(simulation: str, name: str):
    assert opens(simulation, host=at(simulation, name), origin=f"http://{at(simulation, name)}")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:1",  # another program's page on this machine
        "http://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "null",
        "",
        "file://",
        "chrome-extension://abcdefghijklmnop",
        PUBLIC,  # not set here
    ],
)
def test_a_page_of_another_site(simulation: str, origin: str):
    assert not opens(simulation, origin=origin)


def test_the_scheme_must_be_one_of_the_web(simulation: str):
    assert not opens(simulation, origin=f"ftp://{urlsplit(simulation).netloc}")


@pytest.mark.parametrize("origin", [PUBLIC, "http://intranet.example.com:8080", "https://10.0.0.5"])
def test_the_origins_in_the_settings(public: str, origin: str):
    assert opens(public, origin=origin)
    assert not opens(public, origin=f"{origin}.evil.example")
    assert not opens(public, origin=origin.replace("://", "://x"))


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "10.0.0.7"}])
def test_a_proxy_that_passes_the_host_on(simulation: str, headers: dict[str, str]):
    host = "calls.example.com"
    for origin in ("https://calls.example.com", "http://calls.example.com"):
        assert opens(simulation, host=host, origin=origin, headers=headers)
    assert opens(simulation, host=f"{host}:443", origin="https://calls.example.com")
    assert not opens(simulation, host=host, origin="https://evil.example", headers=headers)
    assert not opens(simulation, host=host, origin=f"https://{host}:8443", headers=headers)


def test_a_proxy_that_says_what_the_host_was(simulation: str):
    headers = {"X-Forwarded-Host": "Calls.example.com:8443, inner.example.com"}
    assert opens(simulation, origin="https://calls.example.com:8443", headers=headers)
    assert not opens(simulation, origin="https://evil.example", headers=headers)


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "10.0.0.5", "[::2]"])
def test_a_name_that_another_site_points_to_this_machine(simulation: str, name: str):
    host = at(simulation, name)
    assert not opens(simulation, host=host, origin=f"http://{host}")
    answer = httpx.get(simulation, headers={"Host": host})
    assert (answer.status_code, "ALLOWED_ORIGINS" in answer.text) == (403, True)


def test_a_name_in_the_settings_may_point_to_this_machine(project: Path, public: str):
    port = urlsplit(public).port
    with running_app(project, ALLOWED_ORIGINS=f"http://callboard.lan:{port}") as other:
        host = f"callboard.lan:{urlsplit(other).port}"
        assert httpx.get(other, headers={"Host": host}).status_code == 403
    assert httpx.get(public, headers={"Host": "calls.example.com"}).status_code == 200


def test_programs_on_this_machine_need_no_origin(simulation: str):
    assert opens(simulation)


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("calls.example.com", {}),
        (None, {"X-Forwarded-For": "10.0.0.7"}),
        (None, {"X-Forwarded-Host": "calls.example.com"}),
        (None, {"Via": "1.1 proxy"}),
    ],
)
def test_a_proxy_must_not_drop_the_origin(simulation: str, host: str | None, headers):
    assert not opens(simulation, host=host, headers=headers)


@pytest.mark.parametrize("path", ["session/abc/upload/def", "simulator/reset", "2010-04-01/x.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_changes_something(simulation: str, path: str, method: str):
    for origin in ("https://evil.example", "null"):
        answer = httpx.request(method, f"{simulation}{path}", headers={"Origin": origin})
        assert answer.status_code == 403
        assert "ALLOWED_ORIGINS" in answer.text
    own = f"http://{urlsplit(simulation).netloc}"
    for headers in ({"Origin": own}, {}):
        answer = httpx.request(method, f"{simulation}{path}", headers=headers)
        assert "ALLOWED_ORIGINS" not in answer.text


def test_reading_is_no_change(simulation: str):
    headers = {"Origin": "https://evil.example"}
    assert httpx.get(f"{simulation}healthz", headers=headers).status_code == 200


def scope(**values: object) -> Scope:
    usual: Scope = {
        "type": "websocket",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "headers": [(b"host", b"127.0.0.1:8000")],
    }
    return {**usual, **values}


async def answer_to(a_scope: Scope, *origins: str) -> str:
    """What a request to the guard is answered with: "passed", or the type of its refusal."""
    answers: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answers.append("passed")

    async def receive() -> Message:
        raise AssertionError("nothing was to be received")

    async def send(message: Message) -> None:
        answers.append(message["type"])

    await OwnPagesOnly(app, origins)(a_scope, receive, send)
    return answers[0]


@pytest.mark.parametrize(
    ("server", "client"),
    [
        (("192.168.1.5", 8000), ("192.168.1.9", 50000)),
        (("127.0.0.1", 8000), ("192.168.1.9", 50000)),
        (("/run/callboard.sock", None), None),
        (None, None),
    ],
)
async def test_without_an_origin_from_elsewhere(server: object, client: object):
    assert await answer_to(scope(server=server, client=client)) == "websocket.close"


async def test_a_host_on_the_network_is_its_own():
    page = [(b"host", b"callboard:8000"), (b"origin", b"http://callboard:8000")]
    assert await answer_to(scope(server=("192.168.1.5", 8000), headers=page)) == "passed"


@pytest.mark.parametrize("server", [("::ffff:127.0.0.1", 8000), ("::1", 8000)])
async def test_this_machine_has_several_addresses(server: tuple[str, int]):
    page = [(b"host", b"evil.example:8000"), (b"origin", b"http://evil.example:8000")]
    assert await answer_to(scope(server=server, headers=page)) == "websocket.close"
    named = "http://evil.example:8000"
    assert await answer_to(scope(server=server, headers=page), named) == "passed"


@pytest.mark.parametrize("name", ["POSIT_PRODUCT", "RSTUDIO_PRODUCT"])
async def test_on_connect(name: str, monkeypatch: pytest.MonkeyPatch):
    """Connect sends the content's address with every request, and lets in whom it knows."""
    base = (b"rstudio-connect-app-base-url", b"https://connect.example.com/content/7")
    host = (b"host", b"127.0.0.1:8000")
    page = scope(headers=[host, base, (b"origin", b"https://connect.example.com")])
    evil = scope(headers=[host, base, (b"origin", b"https://evil.example")])
    without = scope(headers=[(b"host", b"connect.example.com:8000"), base])
    assert await answer_to(page) == "websocket.close"
    assert await answer_to(without) == "websocket.close"
    monkeypatch.setenv(name, "CONNECT")
    assert await answer_to(page) == "passed"
    assert await answer_to(without) == "passed"
    assert await answer_to(evil) == "websocket.close"


async def test_under_shiny_server(monkeypatch: pytest.MonkeyPatch):
    """Its script has checked the secret; elsewhere any client can send the header."""
    secret = (b"shiny-shared-secret", b"0123")
    session = scope(headers=[(b"host", b"127.0.0.1"), secret], client=("10.0.0.7", 1))
    assert await answer_to(session) == "websocket.close"
    script = ModuleType("__main__")
    script.__file__ = "/opt/shiny-server/python/SockJSAdapter.py"
    monkeypatch.setitem(sys.modules, "__main__", script)
    under_shiny_server.cache_clear()
    try:
        assert await answer_to(session) == "passed"
    finally:
        under_shiny_server.cache_clear()


async def test_refusals_do_not_flood_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(own_pages, "log", LimitedLog("dashboard"))
    origin = b"https://evil.example/\x1b[2J\n" + b"x" * 60_000
    for _ in range(1000):
        page = scope(headers=[(b"host", b"127.0.0.1:8000"), (b"origin", origin)])
        assert await answer_to(page) == "websocket.close"
    assert 1 <= len(caplog.messages) <= 10
    assert all(line.isprintable() and len(line) < 500 for line in caplog.messages)
