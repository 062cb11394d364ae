"""No secret in logs, pages, sessions, the database, metrics, the doctor, reprs or tracebacks."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import psycopg
import pytest
from psycopg import sql

from access import passwords
from alerts import Alert, AlertRequest, DatabaseError, Desk
from alerts.filters import Filters
from alerts.history import History
from app import create_app as dashboard
from cli.main import main
from dashboard.sign_in import Access
from dashboard.sign_in.identity import ByCookie
from rules.opening import OpenRules
from settings import Settings
from simulator.app import create_app as simulator
from tests.support.desks import ANYBODY, until_over
from tests.support.environment import ACCOUNT_SID, FROM, KEY_SID, clean_environment
from tests.support.gated_app import ORIGIN, VISITOR, GatedApp, OpenedSession
from tests.support.hostile_page import BUTTON, INPUTS
from tests.support.servers import free_port, serve
from tests.support.signing_in import MAYA, PASSWORD, cheap_hash, users_in

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fresh_lock")]

TOKEN = "auth-token-3f9c2a71"
KEY_SECRET = "api-secret-81d0c7b2"
METRICS = "metrics-token-55e0b1d3"
SHARED = "dashboard-password-9a7b"
DATABASE = "database-password-4c1e"
FTP = "ftp-password-b2d9"
S3 = "aws-secret-77af0c"
WRONG = "a wrong password 6d3f"
# Typed into the wrong field.
AS_NAME = "password-as-name-20ce"


class Seen:
    """Everything that others may see, and the secrets that must not be in it."""

    def __init__(self) -> None:
        self.parts: dict[str, list[str]] = {}
        self.secrets = [TOKEN, KEY_SECRET, METRICS, SHARED, DATABASE, FTP, S3, WRONG, AS_NAME]
        self.secrets += [PASSWORD, cheap_hash()]

    def add(self, where: str, *texts: object) -> None:
        self.parts.setdefault(where, []).extend(map(str, texts))

    def answer(self, answer: httpx.Response) -> httpx.Response:
        """Note an answer, with its headers."""
        self.add("answers", answer.text, answer.headers.raw)
        return answer

    def objects(self, *objects: object) -> None:
        self.add("reprs", *map(repr, objects), *map(str, objects))

    def failure(self, problem: BaseException) -> None:
        self.add("tracebacks", "".join(traceback.format_exception(problem)), repr(problem))

    def found(self) -> list[str]:
        """Where which secret is, in any spelling."""
        spellings = {
            secret: {
                secret,
                quote(secret),
                quote_plus(secret),
                base64.b64encode(secret.encode()).decode(),
                base64.b64encode(f"{ACCOUNT_SID}:{secret}".encode()).decode(),
                base64.b64encode(f"{KEY_SID}:{secret}".encode()).decode(),
            }
            for secret in self.secrets
        }
        return [
            f"{where} show {secret}"
            for where, texts in self.parts.items()
            for secret, spelled in spellings.items()
            if any(each in text for text in texts for each in spelled)
        ]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "_nobodys_hash", cheap_hash)
    with clean_environment():
        yield


@pytest.fixture(scope="module")
def twilio() -> Iterator[str]:
    with serve(simulator(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=50)) as url:
        yield url


def account(twilio: str, folder: Path, **more: str) -> dict[str, str]:
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM_NUMBER": FROM,
        "TWILIO_BASE_URL": twilio,
        "METRICS_TOKEN": METRICS,
        "DATA_DIR": str(folder),
        "STORAGE": "inline",
        **more,
    }


async def commands(
    seen: Seen, values: dict[str, str], capsys: pytest.CaptureFixture[str], *names: str
) -> None:
    """Run commands with these settings, as at a shell."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        for name in names:
            with suppress(SystemExit):
                await asyncio.to_thread(main, [name, "--json"])
    shown = capsys.readouterr()
    assert '"verdict"' in shown.out
    seen.add("commands", shown.out, shown.err)


def files(seen: Seen, folder: Path) -> None:
    """Note every byte of the database, its log, and what else is in the folder."""
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "users":
            seen.add("files", file.read_bytes().decode("latin-1"))


def cells(seen: Seen, url: str) -> None:
    """Note every cell of every table of a PostgreSQL database, whosever it is."""
    with psycopg.connect(url) as database:
        tables = database.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for table in tables:
            everything = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*table))
            for row in database.execute(everything):
                for cell in row:
                    is_binary = isinstance(cell, bytes)
                    seen.add("files", cell.decode("latin-1") if is_binary else cell)


async def first_alert(history: History) -> Alert:
    """The alert that a page sends, once it has."""
    async with asyncio.timeout(30):
        while True:
            rows = (await history.search(Filters(), limit=1)).rows
            if rows and rows[0].alert:
                return rows[0].alert
            await asyncio.sleep(0.05)


async def rest(session: OpenedSession) -> list[str]:
    """What a session has said so far."""
    said = []
    while not session.from_app.empty():
        said.append(str(await session.from_app.get()))
    return said


async def test_everything_that_works(
    tmp_path: Path, twilio: str, database_url: str, caplog: pytest.LogCaptureFixture, capsys
):
    caplog.set_level(logging.DEBUG)
    seen, folder = Seen(), tmp_path / "data"
    users = users_in(tmp_path, MAYA).path
    values = account(twilio, folder, USERS_FILE=str(users), DATABASE_URL=database_url)
    settings = Settings(_env_file=None, **{k.lower(): v for k, v in values.items()})
    async with Desk.from_settings(settings) as desk:
        access, rules = Access.from_settings(settings, desk), OpenRules(settings, desk)
        app = dashboard(desk, rules, settings=settings, access=access)
        transport = httpx.ASGITransport(app=app.starlette_app, client=VISITOR)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as web:
            gated = GatedApp(app.starlette_app, desk, access, web)
            for name, password in ((MAYA, WRONG), (AS_NAME, WRONG), (PASSWORD, "x")):
                refused = await gated.submit(name=name, password=password)
                assert refused.status_code == 403
                # The page hands back what was typed as a name, to nobody else.
                seen.add("answers", refused.text.replace(f'value="{name}"', ""))
            cookie = await gated.signed_in()
            headers = {"Cookie": cookie, "Origin": ORIGIN}
            token = await web.post("/session-token", headers=headers)
            seen.secrets += [cookie.partition("=")[2], token.text]
            for path in ("/", "/activity.csv", "/audit.csv", "/healthz", "/nothing", "/sign-in"):
                seen.answer(await web.get(path, headers=headers))
            for bearer in (METRICS, WRONG):
                given = {"Authorization": f"Bearer {bearer}"}
                seen.answer(await web.get("/metrics", headers=given))
            seen.answer(await web.post("/twilio/status", content=TOKEN))
            session = await gated.open(cookie)
            assert await session.is_let_in()
            number = {"send-phone_number": ANYBODY, "page": "setup"}
            session.say(method="init", data={**INPUTS, **number})
            session.say(method="update", data={BUTTON: {"value": 1, "autoReset": True}})
            history = await desk.history()
            sent = await first_alert(history)
            assert sent.request.user == MAYA
            seen.objects(await until_over(desk, sent.id))
            seen.add("sessions", *await rest(session))
            await session.leave()
            identify = access.identify
            assert isinstance(identify, ByCookie)
            signed_in = await identify.sign_in.find(cookie.partition("=")[2])
            database = await desk.database()
            seen.objects(settings, desk, desk.services, desk.services.twilio, access, signed_in)
            seen.objects(identify.sign_in, identify.sign_in.users, rules, database, history)
            seen.objects(identify.sign_in._opened, settings.model_dump_json(), app)
            seen.answer(await web.post("/sign-out", headers=headers))
        await rules.close()
        await commands(seen, values, capsys, "doctor", "list", "audit")
    files(seen, tmp_path)
    if database_url.startswith("postgresql"):
        cells(seen, database_url)
    seen.add("logs", caplog.text)
    assert {*seen.parts} == {"answers", "sessions", "reprs", "commands", "files", "logs"}
    # What may be there is found, so what may not would be, too.
    assert any(MAYA in text for text in seen.parts["files"])
    assert seen.found() == []


async def test_everything_that_fails(
    tmp_path: Path, twilio: str, caplog: pytest.LogCaptureFixture, capsys
):
    caplog.set_level(logging.DEBUG)
    seen, closed = Seen(), free_port()
    failing = {
        "credentials": {"TWILIO_API_KEY_SID": KEY_SID, "TWILIO_API_KEY_SECRET": KEY_SECRET},
        "Twilio": {"TWILIO_BASE_URL": f"http://127.0.0.1:{closed}"},
        "FTP": {
            "STORAGE": "ftp",
            "FTP_URL": f"ftp://ann:{FTP}@127.0.0.1:{closed}/xml",
            "FTP_PUBLIC_BASE_URL": "http://127.0.0.1/xml",
        },
        "S3": {
            "STORAGE": "s3",
            "S3_BUCKET": "twilio-xml",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{closed}",
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": S3,
            "AWS_REGION": "us-east-1",
        },
        "database": {
            "DATABASE_URL": f"postgresql://ann:{DATABASE}@127.0.0.1:{closed}/calls",
            "DASHBOARD_PASSWORD": SHARED,
        },
    }
    for name, more in failing.items():
        folder = tmp_path / name
        values = account(twilio, folder, **more)
        with pytest.MonkeyPatch.context() as patch:
            for key, value in values.items():
                patch.setenv(key, value)
            settings = Settings(_env_file=None)
            desk = Desk.from_settings(settings)
            seen.objects(settings, desk.services, desk.services.storage, desk.services.twilio)
            if name == "database":
                await without_a_database(seen, settings, desk)
            else:
                sent = await desk.send(AlertRequest("call", ANYBODY, "Hello"))
                history = await desk.history()
                now = await history.until(sent.id, lambda alert: len(alert.events) > 1, 3)
                seen.objects(now)
            await desk.close()
        if name in {"credentials", "database"}:
            await commands(seen, values, capsys, "doctor")
        files(seen, folder)
    seen.add("logs", caplog.text)
    assert seen.found() == []


async def without_a_database(seen: Seen, settings: Settings, desk: Desk) -> None:
    """What an app says whose database can't be reached."""
    with pytest.raises(DatabaseError) as refusal:
        await desk.open()
    seen.failure(refusal.value)
    access = Access.from_settings(settings, desk)
    app = dashboard(desk, settings=settings, access=access).starlette_app
    transport = httpx.ASGITransport(app=app, client=VISITOR)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as web:
        gated = GatedApp(app, desk, access, web)
        refused = seen.answer(await gated.submit(name=MAYA, password=SHARED))
        assert refused.status_code == 503
        cookie = {"Cookie": "callboard=" + "x" * 43}
        for path in ("/", "/activity.csv", "/healthz", "/metrics"):
            headers = {**cookie, "Authorization": f"Bearer {METRICS}"}
            assert seen.answer(await web.get(path, headers=headers)).status_code == 503
    seen.objects(access, access.sign_in, access.sign_in.users if access.sign_in else None)
