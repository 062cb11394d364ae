"""Any request to any route, from strangers and from who is signed in: answered in words or refused.

Never by a failure, never with a way to another site, never with what only others may see.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from access import passwords
from app import explain
from callbacks_app import create_app as callbacks_app
from settings import Settings, SettingsError
from tests.support.gated_app import HOST, LIVE, ORIGIN, GatedApp, gated_app
from tests.support.raw_requests import RawAnswer, RawRequest, ask
from tests.support.signing_in import MAYA, PASSWORD, cheap_hash, users_in

pytestmark = pytest.mark.usefixtures("fresh_lock")

FORM = "application/x-www-form-urlencoded"
ROUTES = [
    "/",
    "/activity.csv",
    "/audit.csv",
    "/sign-in",
    "/sign-out",
    "/session-token",
    "/sign-in/tokens.css",
    "/healthz",
    "/metrics",
    "/twiml/a.xml",
    "/twilio/status",
    "/twilio/gather",
    "/twilio/inbound",
    "/session/0123/download/x",
    "/session/0123/upload/x",
    "/websocket/",
    "/lib/shiny/shiny.js",
    "/nothing",
    "/2010-04-01/Accounts/AC/Calls.json",
    "/simulator/people",
]
# They read what is sent: a path, a query, a form, a cookie or a signature.
READERS = {"/", "/activity.csv", "/sign-in", "/twilio/status"}
# The others get a part of the odd requests, each another one, so that together they get all.
PART = 5
METHODS = ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "BREW", "get"]
# What comes after a route.
TARGETS = [
    "/",
    "//",
    "//evil.example/x",
    "/\\evil.example",
    "/%2F%2Fevil.example",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2f.env",
    "/../../.env",
    "/%252e%252e/",
    "/%00",
    "/x%00.css",
    "/%0d%0aSet-Cookie:%20a=b",
    "/%ff%fe",
    "/%E2%80%AE",
    ";a=b",
    "/" + "x" * 5_000,
    "/" + "a/" * 2_000,
    "?" + "a=b&" * 5_000,
    "?q=%00&page=%ff",
    "?next=//evil.example",
    "?next=%0d%0aX:y",
    "?zone=../../etc/passwd",
    "?zone=%00",
    "?from=9999999999-99-99&to=x&before=x",
    "?_state_id_=../x&_inputs_&x=no",
]
HEADERS = [
    ("Host", ""),
    ("Host", "["),
    ("Host", "evil.example"),
    ("Host", "127.0.0.1:" + "9" * 5_000),
    ("Host", "ex\xe4mple"),
    ("Origin", "https://evil.example"),
    ("Origin", "null"),
    ("Origin", "http://["),
    ("Origin", "\xff"),
    ("Referer", "https://evil.example/"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Cookie", "callboard=" + "x" * 43),
    ("Cookie", "__Secure-callboard=" + "x" * 43),
    ("Cookie", "x" * 60_000),
    ("Cookie", "callboard=\xff;;;==="),
    ("Authorization", "Bearer \xff"),
    ("Authorization", "x" * 60_000),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "javascript"),
    ("X-Forwarded-Prefix", "//evil.example"),
    ("X-Forwarded-User", MAYA),
    ("Remote-User", MAYA),
    ("Rstudio-Connect-Credentials", '{"user": "Maya Ortiz", "groups": []}'),
    ("X-Twilio-Signature", "\xff"),
    ("Content-Length", "-1"),
    ("Content-Length", "9" * 5_000),
    ("Content-Length", "\xb2"),
    ("Content-Type", "\xff"),
    ("Content-Type", "multipart/form-data; boundary="),
    ("Accept", "text/html"),
    ("Range", "bytes=9-1"),
    ("Range", "bytes=" + ",".join(["0-1"] * 5_000)),
    ("If-Modified-Since", "x"),
    ("If-None-Match", "x" * 5_000),
    ("User-Agent", "\x1b[31m"),
    ("Upgrade", "websocket"),
]
BODIES = [
    (FORM, (b"a" * 100_000,)),
    (FORM, (b"&" * 20_000,)),
    (FORM, (b"a=b&" * 20, b"a=b&") * 500),
    (FORM, (b"name=%ff&password=%00&next=//evil.example",)),
    (FORM, (b"\xff\xfe%",)),
    ("application/json", (b"[" * 50_000,)),
    (
        "multipart/form-data; boundary=x",
        (b"--x\r\nContent-Type: a\r\n\r\n" * 3_000,),
    ),
    ("multipart/form-data; boundary=\xff", (b"--x\r\n",)),
    ("text/xml", (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",)),
    ("", (b"\0" * 100,)),
]


def requests() -> Iterator[RawRequest]:
    """Every kind of odd request: all of them to the readers, a part to every other route."""
    for place, route in enumerate(ROUTES):
        odd = odd_requests(route)
        yield from odd if route in READERS else islice(odd, place % PART, None, PART)
    yield RawRequest("OPTIONS", "*")
    yield from (RawRequest("GET", target) for target in TARGETS if target.startswith("/"))


def odd_requests(route: str) -> Iterator[RawRequest]:
    """Every kind of odd request to a route."""
    for method in METHODS:
        yield RawRequest(method, route)
    for target in TARGETS:
        yield RawRequest("GET", route + target)
    yield RawRequest("POST", route + TARGETS[5])
    for header in HEADERS:
        yield RawRequest("GET", route, (header,))
        yield RawRequest("POST", route, (header, header))
    for kind, body in BODIES:
        yield RawRequest("POST", route, (("Content-Type", kind),), body)
    for kind, body in BODIES[2:6]:
        yield RawRequest("POST", route, (("Content-Type", kind),), body, ends_early=True)


def mistake(request: RawRequest, answer: RawAnswer) -> str:
    """What is wrong with an answer; "" if nothing is."""
    if answer.status >= 500 or not (answer.status or request.ends_early):
        return f"status {answer.status}"
    if "Traceback" in answer.text or PASSWORD in answer.text:
        return "shown"
    if any("\r" in value or "\n" in value for _, value in answer.headers):
        return "a line break in a header"
    went = urlsplit(urljoin(f"{ORIGIN}{request.target}", answer.header("location") or ORIGIN))
    return "" if (went.scheme, went.netloc) == ("https", HOST) else "a way to elsewhere"


async def mistakes(app: ASGIApp, given: Iterator[RawRequest], least: int) -> list[str]:
    """Send at least this many requests; return what went wrong."""
    found, count = [], 0
    for request in given:
        count += 1
        wrong = mistake(request, await ask(app, request))
        if wrong:
            found.append(f"{wrong}: {str(request)[:300]}")
    assert count >= least
    return found


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_nobodys_hash", cheap_hash)


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No line of the log may come in parts, and none tells of a failure."""
    caplog.set_level(logging.WARNING)
    yield
    lines = [each.getMessage() for each in caplog.records]
    assert [each for each in caplog.records if each.exc_info] == []
    assert [line for line in lines if not line.isprintable()] == []


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[GatedApp]:
    async with gated_app(tmp_path, live=True, users_file=users_in(tmp_path, MAYA).path) as app:
        yield app


OPEN_TO_ALL = re.compile(r"/(healthz|sign-in(/tokens\.css)?|twiml/.*|twilio/.*)")


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
async def test_strangers_and_who_is_signed_in(whole: GatedApp):
    let_in = []
    for request in requests():
        answer = await ask(whole.asgi, request)
        assert mistake(request, answer) == "", request
        path = request.target.partition("?")[0]
        if answer.status in {200, 206} and not OPEN_TO_ALL.fullmatch(path):
            let_in.append(request)
        assert MAYA not in answer.text
    assert let_in == []
    cookie = ("Cookie", await whole.signed_in())
    signed_in = (
        replace(each, headers=(cookie, ("Origin", ORIGIN), *each.headers)) for each in requests()
    )
    assert await mistakes(whole.asgi, signed_in, 900) == []


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
async def test_the_simulation(tmp_path: Path):
    async with gated_app(tmp_path) as app:
        assert await mistakes(app.asgi, requests(), 900) == []


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
async def test_callbacks_only(tmp_path: Path):
    given = {**LIVE, "public_url": ORIGIN, "data_dir": tmp_path, "metrics_token": "t" * 16}
    app = callbacks_app(Settings(_env_file=None, **given))
    async with app.router.lifespan_context(app):
        for target in ("/healthz/", "/twiml/a.xml/", "/twilio/status/", "//evil.example/healthz/"):
            answer = await ask(app, RawRequest("GET", target, (("Host", "evil.example"),)))
            assert answer.status == 404, target
        assert await mistakes(app, requests(), 900) == []


@pytest.mark.usefixtures("quiet")
async def test_an_app_that_cannot_start():
    app = explain(SettingsError("TWILIO_FROM_NUMBER is <missing>.")).starlette_app
    known = [each for each in requests() if not each.target.startswith("/healthz")]
    assert await mistakes(app, iter(known), 850) == []


LATIN = st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=60)


ANY_TARGET = st.builds(
    lambda route, more: route + quote(more, safe="/?&=;%", errors="replace"),
    st.sampled_from(ROUTES),
    st.text(max_size=30),
)
ANY_HEADER = st.tuples(st.sampled_from(sorted({name for name, _ in HEADERS})), LATIN)


@pytest.mark.usefixtures("quiet")
@hypothesis_settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=st.builds(
        RawRequest,
        st.sampled_from(["GET", "POST", *METHODS]),
        ANY_TARGET,
        st.lists(ANY_HEADER, max_size=4),
        st.tuples(st.binary(max_size=300)),
    ),
    kind=st.sampled_from([FORM, "application/json", "multipart/form-data; boundary=x"]),
)
async def test_anything(whole: GatedApp, wanted: RawRequest, kind: str):
    sent = replace(wanted, headers=(("Content-Type", kind), *wanted.headers))
    assert mistake(sent, await ask(whole.asgi, sent)) == ""
