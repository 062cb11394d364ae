"""Who a visitor is without a sign-in of ours: on this machine, on Connect, behind a proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from access import EVERYTHING, Actor, Permission
from access.actor import process_user
from access.roles import Roles
from dashboard.hosting import CONNECT_CREDENTIALS
from dashboard.sign_in.gate import Gate
from dashboard.sign_in.identity import Anonymous, BehindProxy, Identify, OnConnect, is_sent_by
from dashboard.sign_in.page import SignInPage
from dashboard.visitor import ACTOR_KEY
from tests.support.gated_app import VISITOR, gated_app
from tests.support.servers import serve

HERE = "http://127.0.0.1:8000"
PROXY = "10.0.0.2"
HEADER = "X-Forwarded-User"


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that says who asks, as the gate has told it."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    actor: Actor = scope[ACTOR_KEY]
    await PlainTextResponse(f"{actor.name}: {sorted(actor.permissions)}")(scope, receive, send)


def gated(identify: Identify, *, live: bool = True) -> Gate:
    return Gate(who, identify, SignInPage(live=live))


async def answer(
    gate: Gate,
    url: str = HERE,
    *headers: tuple[str, str],
    client: tuple[str, int] = ("127.0.0.1", 50000),
    path: str = "/",
) -> httpx.Response:
    transport = httpx.ASGITransport(app=in_server(gate, url), client=client)
    async with httpx.AsyncClient(transport=transport, base_url=url) as web:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return await web.get(path, headers=raw)


def in_server(app: Gate, url: str) -> Any:
    """The app as a server calls it that listens on a loopback address, or another."""
    server = ("127.0.0.1", 8000) if "127.0.0.1" in url else ("192.0.2.1", 8000)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "server": server}, receive, send)

    return served


async def opens(gate: Gate, scope: dict[str, Any]) -> bool:
    """Whether a session is let in."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    base = {"type": "websocket", "path": "/websocket/", "root_path": "", "query_string": b""}
    await gate({**base, **scope}, receive, send)
    return bool(sent[0]["type"] == "websocket.accept")


# --- Nobody signs in ---


async def test_on_this_machine_it_is_the_user_of_the_process():
    found = await answer(gated(Anonymous(everybody=False)))
    assert found.text == f"{process_user()}: {sorted(EVERYTHING)}"


@pytest.mark.parametrize(
    ("url", "client", "headers"),
    [
        ("http://192.0.2.1:8000", "203.0.113.7", ()),
        ("http://192.0.2.1:8000", "127.0.0.1", ()),
        (HERE, "203.0.113.7", ()),
        (HERE, "127.0.0.1", (("X-Forwarded-For", "203.0.113.7"),)),
        (HERE, "127.0.0.1", (("X-Forwarded-For", "127.0.0.1"),)),
        (HERE, "127.0.0.1", (("Forwarded", "for=127.0.0.1"),)),
        (HERE, "127.0.0.1", (("Via", "1.1 proxy"),)),
        (HERE, "127.0.0.1", (("X-Real-IP", "127.0.0.1"),)),
        (HERE, "127.0.0.1", (("Host", "calls.example.com"),)),
        (HERE, "127.0.0.1", (("Host", "127.0.0.1.evil.example"),)),
    ],
)
async def test_from_elsewhere_with_an_account(
    url: str, client: str, headers: tuple[tuple[str, str], ...], caplog: pytest.LogCaptureFixture
):
    gate = gated(Anonymous(everybody=False))
    for path, status in (("/", 403), ("/activity.csv", 403), ("/session/x/download/y", 403)):
        found = await answer(gate, url, *headers, client=(client, 50000), path=path)
        assert found.status_code == status
        assert "A Twilio account is set" in found.text
    page = await answer(gate, url, *headers, client=(client, 50000))
    for setting in ("USERS_FILE", "DASHBOARD_PASSWORD", "IDENTITY_HEADER", "ALLOW_ANONYMOUS"):
        assert setting in page.text
    assert caplog.text.count("Nobody may use this Callboard yet") == 1
    everybody = gated(Anonymous(everybody=True))
    found = await answer(everybody, url, *headers, client=(client, 50000))
    assert found.text.startswith(process_user())


async def test_sessions_from_elsewhere():
    scope = {"headers": [(b"host", b"127.0.0.1:8000")], "server": ("127.0.0.1", 8000)}
    gate = gated(Anonymous(everybody=False))
    assert await opens(gate, {**scope, "client": ("127.0.0.1", 5)})
    for change in (
        {"client": VISITOR},
        {"client": None},
        {"client": ("127.0.0.1", 5), "server": ("/run/app.sock", None)},
        {"client": ("127.0.0.1", 5), "headers": [(b"host", b"calls.example.com")]},
    ):
        assert not await opens(gate, {**scope, **change})


@pytest.mark.usefixtures("fresh_lock")
async def test_the_app_itself(tmp_path: Path):
    async with gated_app(tmp_path, live=True) as app:
        assert (await app.web.get("/")).status_code == 403
        assert (await app.web.get("/healthz")).status_code == 200
        assert (await app.web.post("/twilio/status")).status_code != 401
        assert (await app.web.get("/sign-in/sign_in.css")).status_code == 200
        assert not await (await app.open()).is_let_in()


@pytest.mark.usefixtures("fresh_lock")
async def test_a_simulation_needs_nothing(tmp_path: Path):
    async with gated_app(tmp_path) as app:
        page = await app.web.get("/")
        assert page.status_code == 200
        assert "account menu" not in page.text
        session = await app.open()
        assert await session.is_let_in()
        assert session.scope[ACTOR_KEY] == Actor.at_page()
        await session.leave()


# --- Posit Connect ---

ANN = json.dumps({"user": "ann", "groups": ["brewers"]})


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSIT_PRODUCT", "CONNECT")


@pytest.mark.usefixtures("connect")
async def test_whom_connect_names():
    roles = Roles(senders=frozenset({"brewers"}), admins=frozenset())
    gate = gated(OnConnect(roles, everybody=False))
    found = await answer(gate, HERE, (CONNECT_CREDENTIALS, ANN))
    assert found.text == f"ann: {sorted([Permission.LOOK, Permission.SEND, Permission.WRITE])}"
    for headers in ([], [(CONNECT_CREDENTIALS, ANN)] * 2, [("X-Forwarded-User", "ann")]):
        refused = await answer(gate, HERE, *headers)
        assert refused.status_code == 403
        assert "Connect" in refused.text
    everybody = gated(OnConnect(roles, everybody=True))
    assert (await answer(everybody)).text.startswith(process_user())


@pytest.mark.usefixtures("fresh_lock", "connect")
async def test_there_is_no_sign_in_page_on_connect(tmp_path: Path):
    async with gated_app(tmp_path, live=True, dashboard_password="known to all") as app:
        assert (await app.web.get("/sign-in")).status_code == 403
        assert (await app.web.get("/", headers={CONNECT_CREDENTIALS: ANN})).status_code == 200
        session = await app.open(**{CONNECT_CREDENTIALS: ANN})
        assert await session.is_let_in()
        assert session.scope[ACTOR_KEY].name == "ann"
        await session.leave()


@pytest.mark.usefixtures("fresh_lock")
async def test_connects_header_means_nothing_elsewhere(tmp_path: Path):
    async with gated_app(tmp_path, live=True) as app:
        assert (await app.web.get("/", headers={CONNECT_CREDENTIALS: ANN})).status_code == 403


# --- A proxy that signs people in ---


@pytest.fixture
def behind() -> Gate:
    return gated(BehindProxy(HEADER, (PROXY, "fd00::/8"), Roles()))


@pytest.mark.parametrize("peer", [PROXY, "fd00::5", f"::ffff:{PROXY}"])
async def test_whom_a_proxy_names(behind: Gate, peer: str):
    for sent, name in (("ann", "ann"), ("Jos\u00e9", "José"), ("ann@example.com",) * 2):
        raw = (HEADER, sent.encode().decode("latin-1"))
        found = await answer(behind, HERE, raw, client=(peer, 5))
        assert found.text.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("203.0.113.7", [(HEADER, "ann")]),
        ("203.0.113.7", []),
        ("127.0.0.1", [(HEADER, "ann")]),
        ("203.0.113.7", [(HEADER, "ann"), ("X-Forwarded-For", PROXY)]),
        (PROXY, []),
        (PROXY, [(HEADER, "")]),
        (PROXY, [(HEADER, " ")]),
        (PROXY, [(HEADER, "ann"), (HEADER, "ann")]),
        (PROXY, [(HEADER, "ann"), (HEADER.lower(), "bob")]),
        (PROXY, [(HEADER.replace("-", "_"), "ann")]),
        (PROXY, [(HEADER, "a" * 201)]),
        (PROXY, [(HEADER, "ann\x01bob")]),
        ("no address", [(HEADER, "ann")]),
    ],
)
async def test_what_isnt_taken_from_a_proxy(
    behind: Gate, peer: str, headers: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
):
    assert (await answer(behind, HERE, *headers, client=(peer, 5))).status_code == 403
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    assert not await opens(behind, {"headers": raw, "client": (peer, 5)})
    assert "\x01" not in caplog.text


def test_a_client_that_a_server_has_read_from_a_header_is_nobody():
    """uvicorn gives it the port 0; without the connection there is no telling who sent it."""

    async def receive() -> Message:
        return {}

    networks = (ip_network(PROXY),)
    assert is_sent_by({"type": "http", "client": (PROXY, 5)}, receive, networks)
    for client in ((PROXY, 0), None):
        assert not is_sent_by({"type": "http", "client": client}, receive, networks)


@pytest.fixture(scope="module")
def trusting() -> Iterator[str]:
    with serve(gated(BehindProxy(HEADER, ("127.0.0.1",), Roles()))) as url:
        yield url


@pytest.fixture(scope="module")
def wary() -> Iterator[str]:
    with serve(gated(BehindProxy(HEADER, (PROXY,), Roles()))) as url:
        yield url


def test_on_a_real_server_only_the_connection_counts(trusting: str, wary: str):
    """uvicorn puts what X-Forwarded-For names in the place of a proxy on the same machine."""
    for forwarded in ({}, {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": PROXY}):
        headers = {HEADER: "ann", **forwarded}
        assert httpx.get(trusting, headers=headers).text.startswith("ann: ")
        assert httpx.get(wary, headers=headers).status_code == 403
