"""Every way into the app, for those who are signed in and those who aren't."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access import passwords, sign_in
from access.sessions import Sessions, SignedIn
from access.sign_in import SignIn
from access.tables import sign_ins
from dashboard.hosting import under_shiny_server
from dashboard.sign_in import gate, open_sessions, session_tokens
from dashboard.sign_in.identity import ByCookie
from dashboard.sign_in.way_back import OWN_PAGE, from_sign_in, safe_way_back
from database.database import Database
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
from tests.support.desks import TEXT
from tests.support.gated_app import HOST, ORIGIN, VISITOR, GatedApp, bare_app, gated_app
from tests.support.signing_in import BEN, MAYA, PASSWORD, cheap_hash, users_in

pytestmark = pytest.mark.usefixtures("fresh_lock")

INIT = {"method": "init", "data": {".clientdata_url_search": ""}}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_nobodys_hash", cheap_hash)
    monkeypatch.setattr(open_sessions, "SECONDS_BETWEEN_LOOKS", 0.05)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[GatedApp]:
    users = users_in(tmp_path, MAYA, BEN)
    given = {"users_file": users.path, "senders": BEN, "admins": "Ruth Kaplan"}
    async with gated_app(tmp_path, live=True, bare=True, **given) as app:
        yield app


@pytest.fixture
async def whole_app(tmp_path: Path) -> AsyncIterator[GatedApp]:
    """The app with its real pages and routes."""
    async with gated_app(tmp_path, live=True, users_file=users_in(tmp_path, MAYA).path) as app:
        yield app


GUARDED = [
    ("GET", "/", 303),
    ("HEAD", "/", 303),
    ("GET", "/?page=activity", 303),
    ("GET", "/activity.csv", 401),
    ("GET", "/session/0123/download/x", 401),
    ("POST", "/session/0123/upload/x", 401),
    ("GET", "/lib/shiny/shiny.js", 401),
    ("GET", "/nothing", 401),
    ("GET", "/twilio", 401),
    ("GET", "/twiml", 401),
    ("GET", "/healthz/x", 401),
    ("GET", "/metricsx", 401),
    ("GET", "//healthz", 401),
    ("GET", "/simulator/people", 401),
    ("POST", "/2010-04-01/Accounts/AC/Calls.json", 401),
    ("POST", "/session-token", 401),
    ("GET", "/session-token", 401),
    ("POST", "/", 401),
    ("DELETE", "/", 401),
]


PUBLIC = [
    ("GET", "/healthz", 200),
    ("GET", "/metrics", 404),
    ("POST", "/twilio/status", 400),
    ("POST", "/twilio/gather", 400),
    ("POST", "/twilio/inbound", 400),
    ("GET", "/twiml/none.xml", 404),
    ("GET", "/sign-in", 200),
    ("GET", "/sign-in/tokens.css", 200),
    ("GET", "/sign-in/sign_in.js", 200),
    ("GET", "/sign-in/shell.py", 404),
]


async def test_what_needs_a_sign_in(whole_app: GatedApp):
    """One app for all of them, because each takes long to build."""
    for cookie in ("", "callboard=" + "x" * 43, "__Secure-callboard=" + "x" * 43):
        headers = {"Origin": ORIGIN, **({"Cookie": cookie} if cookie else {})}
        found = []
        for method, path, _ in GUARDED:
            answer = await whole_app.web.request(method, f"{ORIGIN}{path}", headers=headers)
            assert answer.headers["cache-control"] == "no-store"
            assert MAYA not in answer.text
            found.append((method, path, answer.status_code))
        assert found == GUARDED


async def test_what_is_for_everybody(whole_app: GatedApp):
    found = []
    for method, path, _ in PUBLIC:
        answer = await whole_app.web.request(method, path)
        assert answer.headers["content-security-policy"]
        found.append((method, path, answer.status_code))
    assert found == PUBLIC


async def test_a_simulation_with_a_sign_in_keeps_what_it_knows_from_strangers(tmp_path: Path):
    async with gated_app(tmp_path, users_file=users_in(tmp_path, MAYA).path) as app:
        await app.desk.send(TEXT)
        key = SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
        for path in (
            f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Messages.json",
            f"/simulator/texts/{TEXT.to}",
        ):
            stranger = await app.web.get(path, auth=key)
            assert (stranger.status_code, TEXT.message in stranger.text) == (401, False)
            cookie = {"Cookie": await app.signed_in()}
            assert TEXT.message in (await app.web.get(path, auth=key, headers=cookie)).text


async def test_the_way_in_and_out(whole_app: GatedApp):
    wanted = await whole_app.web.get("/?page=activity&q=a%20b", headers={"Accept": "text/html"})
    assert wanted.status_code == 303
    page = await whole_app.web.get(wanted.headers["location"])
    [back] = re.findall(r'name="next" value="([^"]*)"', page.text)
    answer = await whole_app.submit(name=MAYA, password=PASSWORD, next=back.replace("&amp;", "&"))
    assert (answer.status_code, answer.headers["location"]) == (303, "./?page=activity&q=a%20b")
    [cookie] = answer.headers.get_list("set-cookie")
    value, *attributes = cookie.split("; ")
    assert re.fullmatch(r"__Secure-callboard=[\w-]{43}", value)
    assert set(attributes) == {"HttpOnly", "SameSite=Lax", "Secure"}
    signed_in = {"Cookie": value, "Origin": ORIGIN}
    assert (await whole_app.web.get("/", headers=signed_in)).status_code == 200
    assert (await whole_app.web.get("/activity.csv", headers=signed_in)).status_code == 200
    assert (await whole_app.web.get("/sign-in", headers=signed_in)).headers["location"] == "./"
    out = await whole_app.web.post("/sign-out", headers=signed_in)
    assert (out.status_code, out.headers["location"]) == (303, "sign-in")
    assert all("Max-Age=0" in each for each in out.headers.get_list("set-cookie"))
    # A copy of the cookie is of no use either.
    assert (await whole_app.web.get("/", headers=signed_in)).status_code == 303
    assert not await (await whole_app.open(value)).is_let_in()


async def test_a_computer_of_ones_own(app: GatedApp):
    answer = await app.submit(name=MAYA, password=PASSWORD, stay="yes")
    assert "Max-Age=2592000" in answer.headers["set-cookie"]


async def test_over_http(app: GatedApp):
    transport = httpx.ASGITransport(app=app.asgi, client=VISITOR)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as web:
        data = {"name": MAYA, "password": PASSWORD}
        headers = {"Origin": "http://calls.example.com"}
        cookie = (await web.post("/sign-in", data=data, headers=headers)).headers["set-cookie"]
    assert cookie.startswith("callboard=")
    assert "Secure" not in cookie


async def test_each_sign_in_has_a_new_id_and_ends_the_one_before(app: GatedApp):
    first = await app.signed_in()
    answer = await app.submit(
        name=MAYA, password=PASSWORD, headers={"Origin": ORIGIN, "Cookie": first}
    )
    second = answer.headers["set-cookie"].partition(";")[0]
    assert first != second
    for cookie, status in ((first, 303), (second, 200)):
        assert (await app.web.get("/", headers={"Cookie": cookie})).status_code == status


async def test_a_wrong_password(app: GatedApp):
    answer = await app.submit(name=MAYA, password="<wrong horse>", next="?page=rules", stay="yes")
    assert answer.status_code == 403
    assert "The name or the password is wrong." in answer.text
    assert f'value="{MAYA}"' in answer.text
    assert 'value="?page=rules"' in answer.text
    assert "wrong horse" not in answer.text
    assert "set-cookie" not in answer.headers
    [password] = re.findall(r'<input id="password"[^>]*>', answer.text)
    assert "autofocus" in password
    assert 'aria-invalid="true"' in password


async def test_what_the_page_says(app: GatedApp):
    page = (await app.web.get("/sign-in")).text
    assert "Live: real calls" in page
    assert "No way in? Ask Ruth Kaplan, who runs this Callboard." in page
    shown = await app.submit(name='"><script>x()</script>', password="wrong horse")
    assert "<script>x" not in shown.text


async def test_too_many_tries(app: GatedApp):
    for _ in range(5):
        await app.submit(name=MAYA, password="wrong horse")
    answer = await app.submit(name=MAYA, password=PASSWORD)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 5
    assert "Too many wrong tries. Try again in" in answer.text


ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": f"http://{HOST}.evil.example"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def test_a_form_of_another_site(app: GatedApp):
    cookie = await app.signed_in()
    for headers in ELSEWHERE:
        answer = await app.submit(name=MAYA, password=PASSWORD, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        for path in ("/sign-out", "/session-token"):
            asked = await app.web.post(path, headers={**headers, "Cookie": cookie})
            assert asked.status_code == 403
    assert (await app.web.get("/", headers={"Cookie": cookie})).status_code == 200


NO_FORMS = [
    (b"name=x&password=y", "text/plain"),
    (b'{"name": "x"}', "application/json"),
    (b"name=" + b"x" * 30_000, "application/x-www-form-urlencoded"),
    (b"&".join(b"a%d=b" % each for each in range(50)), "application/x-www-form-urlencoded"),
    (b"\xff\xfe", "application/x-www-form-urlencoded"),
]


async def test_what_is_no_form(app: GatedApp):
    for body, kind in NO_FORMS:
        headers = {"Origin": ORIGIN, "Content-Type": kind}
        answer = await app.web.post("/sign-in", content=body, headers=headers)
        assert (answer.status_code, answer.text) == (400, "This isn't a sign-in form.")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["name", "next", "stay"]), st.text(max_size=300)))
async def test_odd_forms(app: GatedApp, form: dict[str, str]):
    try:
        answer = await app.web.post("/sign-in", data={"x": "", **form}, headers={"Origin": ORIGIN})
    except UnicodeEncodeError:  # no browser sends that
        return
    assert answer.status_code in {403, 429}
    assert "Traceback" not in answer.text


NOT_OURS = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\evil",
    "../other",
    "..",
    "./x",
    "a/b",
    "javascript:alert(1)",
    "?a\r\nSet-Cookie: b",
    "?a b",
    "?" + "x" * 2000,
    "sign-out",
    "@evil.example",
]


async def test_no_open_redirect(app: GatedApp):
    for wanted in NOT_OURS:
        answer = await app.submit(name=MAYA, password=PASSWORD, next=wanted)
        assert (answer.status_code, answer.headers["location"]) == (303, "./")
        page = await app.web.get("/sign-in", params={"next": wanted})
        assert 'name="next"' not in page.text


@given(st.text() | st.from_regex(OWN_PAGE))
def test_the_way_back_stays_in_the_app(wanted: str):
    base = httpx.URL("https://calls.example.com/team/sign-in")
    went = base.join(from_sign_in(wanted))
    assert (went.scheme, went.host) == ("https", HOST)
    assert went.path.startswith("/team/")
    assert safe_way_back(safe_way_back(wanted)) == safe_way_back(wanted)


async def test_below_a_sub_path(app: GatedApp):
    """Addresses are relative, because a proxy may take a prefix away without saying so."""
    headers = {"Accept": "text/html"}
    for path, location in (("/", "sign-in"), ("/a.csv?b", "sign-in?next=a.csv%3Fb")):
        assert (await app.web.get(path, headers=headers)).headers["location"] == location
    deep = await app.web.get("/session/x/y/z", headers=headers)
    assert deep.headers["location"] == "../../../sign-in"


# --- Sessions ---


async def test_a_session_is_of_whom_its_cookie_says(app: GatedApp):
    session = await app.open(await app.signed_in(BEN))
    assert await session.is_let_in()
    actor = session.scope["callboard.actor"]
    assert (actor.name, actor.may("send")) == (BEN, True)
    maya = await app.open(f"callboard=bad; other=1; {await app.signed_in()}")
    assert await maya.is_let_in()
    assert not maya.scope["callboard.actor"].may("send")
    await session.leave()
    await maya.leave()


async def test_a_session_without_a_sign_in(app: GatedApp):
    for cookie in ("", "callboard=x", "callboard=" + "x" * 43, "callboard", "="):
        session = await app.open(cookie)
        assert await session.next() == {"type": "websocket.close", "code": 1008}
        await session.leave()


@pytest.mark.parametrize("ending", ["sign out", "removed", "elsewhere", "idle"])
async def test_a_session_ends_with_its_sign_in(
    app: GatedApp, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sign_in, "REMEMBER_SECONDS", 0)
    cookie, bens = await app.signed_in(), await app.signed_in(BEN)
    session, other = await app.open(cookie), await app.open(bens)
    assert await session.is_let_in()
    assert await other.is_let_in()
    session.say(**INIT)
    database = await app.desk.database()
    if ending == "sign out":
        await app.web.post("/sign-out", headers={"Cookie": cookie, "Origin": ORIGIN})
    elif ending == "removed":
        users_in(tmp_path, BEN)
    elif ending == "elsewhere":
        elsewhere = Sessions(database, timedelta(hours=12), timedelta(days=30))
        assert await elsewhere.end_all_of(MAYA) == 1
    else:
        idle = sa.update(sign_ins).values(seen_at=sign_ins.c.seen_at - 12 * 3600)
        await database.write(
            lambda connection: connection.execute(idle.where(sign_ins.c.name == MAYA))
        )
    sent = await session.until_closed()
    assert "callboard-signed-out" in sent[-2]["text"]
    await session.leave()
    assert other.task is not None
    assert not other.task.done()
    await other.leave()


async def test_a_session_ends_with_its_sign_in_also_after_a_look_that_failed(
    app: GatedApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sign_in, "REMEMBER_SECONDS", 0)
    session = await app.open(await app.signed_in())
    assert await session.is_let_in()
    failed, lasting = asyncio.Event(), Sessions.lasting

    async def fail_once(sessions: Sessions, token_hashes: Collection[str]) -> set[str]:
        if failed.is_set():
            return await lasting(sessions, token_hashes)
        failed.set()
        raise sa.exc.ProgrammingError("SELECT", None, Exception("permission denied"))

    monkeypatch.setattr(Sessions, "lasting", fail_once)
    await failed.wait()
    users_in(tmp_path, BEN)
    assert "callboard-signed-out" in (await session.until_closed())[-2]["text"]
    await session.leave()


async def test_only_people_keep_a_sign_in(app: GatedApp, monkeypatch: pytest.MonkeyPatch):
    touched, original = [], SignIn.touch

    async def touch(here: SignIn, signed_in: SignedIn) -> None:
        touched.append(signed_in.name)
        await original(here, signed_in)

    monkeypatch.setattr(SignIn, "touch", touch)
    session = await app.open(await app.signed_in())
    assert await session.is_let_in()
    session.say(**INIT)
    session.say(method="update", data={".clientdata_output_x_width": 5})
    await session.next()
    assert touched == []
    session.say(method="update", data={"callboard_activity": 1})
    async with asyncio.timeout(10):
        while not touched:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert touched == [MAYA]
    await session.leave()


# --- Under Shiny Server, which passes no cookie on with a session ---


@pytest.fixture
def shiny_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "takes_tokens", lambda: True)


async def token_for(app: GatedApp, cookie: str) -> str:
    answer = await app.web.post("/session-token", headers={"Cookie": cookie, "Origin": ORIGIN})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


def init_with(token: object) -> dict[str, object]:
    return {"method": "init", "data": {".clientdata_url_search": "", "callboard_token": token}}


@pytest.mark.usefixtures("shiny_server")
async def test_a_token_opens_one_session(app: GatedApp):
    token = await token_for(app, await app.signed_in())
    session = await app.open()
    session.say(**init_with(token))
    assert await session.is_let_in()
    assert session.scope["callboard.actor"].name == MAYA
    again = await app.open()
    again.say(**init_with(token))
    assert (await again.until_closed())[-1]["code"] == 1008
    await session.leave()


@pytest.mark.usefixtures("shiny_server")
async def test_what_is_no_token(app: GatedApp):
    for token in ("", "x" * 43, None, 5, {"a": 1}, "x" * 2_000_000):
        session = await app.open()
        session.say(**init_with(token))
        sent = [each["type"] for each in await session.until_closed()]
        assert sent == ["websocket.accept", "websocket.close"]
        assert "callboard.actor" not in session.scope


@pytest.mark.usefixtures("shiny_server")
@pytest.mark.parametrize(
    "case", ["too old", "signed out", "cookie as token", "silent", "its cookie"]
)
async def test_a_token_that_doesnt_count(app: GatedApp, case: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_tokens, "SECONDS_VALID", 0.0 if case == "too old" else 60)
    monkeypatch.setattr(session_tokens, "SECONDS_UNTIL_FIRST_MESSAGE", 0.1)
    cookie = await app.signed_in()
    token = await token_for(app, cookie)
    if case == "signed out":
        await app.web.post("/sign-out", headers={"Cookie": cookie, "Origin": ORIGIN})
    # Where there is a cookie, only that counts.
    session = await app.open("callboard=" + "x" * 43 if case == "its cookie" else "")
    if case != "silent":
        session.say(**init_with(cookie.partition("=")[2] if case == "cookie as token" else token))
    assert (await session.until_closed())[-1]["code"] == 1008
    assert "callboard.actor" not in session.scope


async def test_elsewhere_a_token_is_of_no_use(app: GatedApp):
    assert not under_shiny_server()
    token = await token_for(app, await app.signed_in())
    session = await app.open()
    session.say(**init_with(token))
    assert (await session.next())["type"] == "websocket.close"


# --- Secrets ---


async def test_no_secret_is_shown(whole_app: GatedApp, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    cookie = await whole_app.signed_in()
    page = await whole_app.web.get("/", headers={"Cookie": cookie})
    wrong = await whole_app.submit(name="hunter2hunter2", password="hunter3hunter3")
    shown = caplog.text + page.text + repr(whole_app.access) + repr(whole_app.access.sign_in)
    token = cookie.partition("=")[2]
    for secret in (PASSWORD, token, "hunter2", "hunter3", "$argon2"):
        assert secret not in shown
    assert "hunter3" not in wrong.text


async def test_without_a_database_nobody_is_let_in(app: GatedApp):
    """Not even those who are signed in, once the app is started again."""

    async def unreachable() -> Database:
        raise TimeoutError

    assert app.access.sign_in is not None
    cookie = await app.signed_in()
    here = replace(app.access.sign_in, database=unreachable)
    access = replace(app.access, identify=ByCookie(here), sign_in=here)
    async with bare_app(app.desk, access) as cut_off:
        answer = await cut_off.web.get("/", headers={"Cookie": cookie})
        assert answer.status_code == 503
        assert "The database can't be reached." in answer.text.replace("&#x27;", "'")
        assert (await cut_off.submit(name=MAYA, password=PASSWORD)).status_code == 503
        assert not await (await cut_off.open(cookie)).is_let_in()
    assert here.idle == timedelta(hours=12)
