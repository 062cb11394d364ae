"""The app's plain HTTP routes, in front of Shiny's own."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from shiny import App, ui
from starlette.applications import Starlette
from starlette.routing import Mount

import webhooks
from alerts import Desk
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
from storage import InlineStorage
from tests.support.desks import CALL, followed, simulated_desk
from tests.support.project_folder import REPOSITORY, build_project_folder
from tests.support.servers import serve

CREDENTIALS = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
TWILIOS = {"CallSid": "CA1", "From": "+14155550100", "Something": "new"}


@pytest.fixture
async def desk(tmp_path):
    async with simulated_desk(tmp_path) as open_desk:
        yield open_desk


def client(app, root_path: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, root_path=root_path)
    return httpx.AsyncClient(transport=transport, base_url="http://callboard", auth=CREDENTIALS)


def below(desk: Desk, path: str) -> Starlette:
    return Starlette(routes=[Mount(path, routes=webhooks.routes(desk))])


@pytest.mark.parametrize(
    ("path", "root_path"),
    [("", ""), ("/calls", ""), ("/team/calls", ""), ("", "/behind/a/proxy")],
    ids=["at the root", "mounted", "mounted deeper", "by root_path"],
)
async def test_a_document_under_any_path(desk, path, root_path):
    published = await desk.services.storage.publish("hello", "<Response><Say>Hé</Say></Response>")
    name = str(published.url).rpartition("/")[2]
    app = below(desk, path) if path else Starlette(routes=webhooks.routes(desk))
    async with client(app, root_path) as web:
        url = f"{root_path}{path}/twiml/{name}"
        for answer in (await web.get(url, params=TWILIOS), await web.post(url, data=TWILIOS)):
            assert (answer.status_code, answer.text) == (200, "<Response><Say>Hé</Say></Response>")
            assert answer.headers["content-type"].startswith("text/xml")


@pytest.mark.parametrize(
    "name", ["unknown.xml", "0" * 32 + ".xml", "..%2f..%2fsettings.py.xml", "hello.txt", ""]
)
async def test_no_such_document(desk, name):
    async with client(Starlette(routes=webhooks.routes(desk))) as web:
        for answer in (await web.get(f"/twiml/{name}"), await web.post(f"/twiml/{name}")):
            assert answer.status_code == 404
            assert "Traceback" not in answer.text


async def test_the_simulator_answers_where_there_is_no_account(desk):
    alert = await followed(desk, CALL)
    async with client(Starlette(routes=webhooks.routes(desk))) as web:
        call = await web.get(f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls/{alert.sid}.json")
        assert (call.status_code, call.json()["status"]) == (200, "completed")
        heard = await web.get(f"/simulator/calls/{alert.sid}")
        assert [line["kind"] for line in heard.json()["transcript"]] == ["fetch"] + ["say"] * 3
        unknown = await web.get("/2010-04-01/nowhere.json")
        assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)
        assert (await web.get("/simulator/log", auth=("nobody", ""))).status_code == 401


async def test_the_simulator_answers_below_a_path(desk):
    async with client(below(desk, "/calls")) as web:
        answer = await web.get(f"/calls/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls.json")
        assert (answer.status_code, answer.json()["calls"]) == (200, [])
        assert (await web.get("/calls/simulator/log")).json()[0]["path"].startswith("/2010-04-01/")


async def test_no_simulator_where_there_is_an_account(desk):
    with_account = Desk(replace(desk.services, simulator=None))
    async with client(Starlette(routes=webhooks.routes(with_account))) as web:
        for path in (f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls.json", "/simulator/log"):
            assert (await web.get(path)).status_code == 404


async def test_no_documents_where_they_live_elsewhere(desk):
    elsewhere = Desk(replace(desk.services, storage=InlineStorage()))
    assert [route for route in webhooks.routes(elsewhere) if "twiml" in str(route)] == []


async def test_in_front_of_shiny_and_its_lifespan_still_runs(desk):
    """Appended routes are never reached, and an app around Shiny's would drop its lifespan."""
    stopped = []
    app = App(ui.page_fluid("The page"), None)
    app.on_shutdown(lambda: stopped.append(True))
    app.starlette_app.router.routes[0:0] = webhooks.routes(desk)
    with serve(app) as url:
        async with httpx.AsyncClient(base_url=url) as web:
            assert (await web.get("/twiml/unknown.xml")).status_code == 404
            assert "The page" in (await web.get("/")).text
        assert stopped == []
    assert stopped == [True]


PROGRAM = """
import httpx, app
from tests_servers import serve
app.app.on_shutdown(lambda: print("stopped"))
with serve(app.app) as url:
    for path in ("/healthz", "/", "/twiml/unknown.xml", "/simulator/log"):
        answer = httpx.get(url + path, timeout=60)
        print(path, answer.status_code, "<html" in answer.text)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "health", "log"),
    [({}, 200, 401), ({"STORAGE": "disk"}, 503, 404)],
    ids=["well", "a setting is wrong"],
)
def test_app_py(tmp_path, values, health, log):
    folder = build_project_folder(tmp_path, values)
    (tmp_path / "tests_servers.py").symlink_to(REPOSITORY / "tests" / "support" / "servers.py")
    ended = folder.python("-c", PROGRAM)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        f"/healthz {health} False",
        "/ 200 True",
        "/twiml/unknown.xml 404 False",
        f"/simulator/log {log} False",
        "stopped",
    ]
