"""What each role may do at pages and routes, whatever a browser sends; and who sees the trail."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from shiny import App, Inputs, Outputs, Session, ui
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory
from starlette.requests import HTTPConnection
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from access import Actor
from access.actor import NOT_ALLOWED
from access.tables import audit
from alerts import Desk
from alerts.tables import alerts
from dashboard import activity, mount, people, send
from dashboard import rules as page_of_rules
from dashboard.people.changes import Changes
from dashboard.people.people_list import PeopleList
from dashboard.people.visit import Visit as PeopleVisit
from dashboard.permissions import ACTIONS_OF_PEOPLE, ACTIONS_OF_RULES
from dashboard.rules.editing import Editing
from dashboard.rules.rule_actions import RuleActions
from dashboard.rules.visit import Visit as RulesVisit
from dashboard.visitor import ACTOR_KEY, actor_in
from people.contact import Contact
from people.contacts import Contacts
from people.groups import Groups
from people.message_templates import Templates
from people.tables import contact_groups, contacts, group_members, message_templates
from rules.desk import RuleDesk
from rules.tables import mutes, rule_state, rules
from tests.support.desks import CALL, simulated_desk
from tests.support.page_in_memory import FORM, until
from tests.support.roles import ADMINISTER, LOOK, ROLES, SEND, WRITE
from tests.support.rule_at_work import rule_at_work

pytestmark = pytest.mark.usefixtures("fresh_lock")

KEPT = (contacts, contact_groups, group_members, message_templates, rules, rule_state, mutes)
# Those who may look, but do nothing of what a page is for.
POWERLESS = {
    "people": ("looks", "sends", "administers"),
    "rules": ("looks", "sends", "administers"),
    "send": ("looks", "writes", "administers"),
}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with simulated_desk(tmp_path) as opened:
        yield opened


async def kept(desk: Desk) -> str:
    """All that people and rules are, and all that was done to them."""
    changes = sa.select(audit).where(audit.c.action.not_in(("REFUSED", "EXPORTED")))

    def read(connection: sa.Connection) -> str:
        wanted = (*map(sa.select, KEPT), changes)
        return str([connection.execute(each).all() for each in wanted])

    return await (await desk.database()).read(read)


async def tried_in_vain(desk: Desk) -> set[str]:
    """The refusals in the audit trail."""
    await desk.opening.refused.finish()
    wanted = sa.select(audit.c.about).where(audit.c.action == "REFUSED")
    return await (await desk.database()).read(lambda connection: {*connection.scalars(wanted)})


class Page:
    """A page in memory, and what its script was told."""

    def __init__(self, session: AsyncTestServerSession, told: list[tuple[str, Any]]) -> None:
        self.session = session
        self.told = told
        self._presses = 0

    async def press(self, input: str, **sent: Any) -> None:
        self._presses += 1
        await self.session.set_inputs(**{input: {"nonce": self._presses, **sent}})

    def said(self) -> str:
        return str(self.told)

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(self.session, condition)

    async def until_refused(self, sentence: str, times: int) -> None:
        await self.until(lambda: self.said().count(sentence) >= times)


@asynccontextmanager
async def visited(server: Callable[[], object]) -> AsyncIterator[Page]:
    told: list[tuple[str, Any]] = []

    def serve(input: Inputs, output: Outputs, session: Session) -> None:
        send = session.send_custom_message

        async def listen(kind: str, message: Any) -> None:
            if kind != "callboard-not-allowed":
                told.append((kind, message))
            await send(kind, message)

        session.send_custom_message = listen  # type: ignore[method-assign, assignment]
        server()

    async with serve_in_memory(serve, timeout_secs=60) as session:
        await session.set_inputs(**{"activity-time_zone": "America/New_York"})
        yield Page(session, told)


# --- Pages --------------------------------------------------------------------------------------


def actions_of(*kinds: type) -> set[str]:
    """What the methods that a browser can call by name are called there."""
    names = {name for kind in kinds for name in vars(kind)}
    return {re.sub(r"^_?on_", "", name) for name in names if re.match(r"_?on_", name)}


def test_every_action_of_a_page_is_decided_about() -> None:
    # Only the browser does these, which choose a file or mend a query.
    assert actions_of(PeopleVisit, PeopleList, Changes) == ACTIONS_OF_PEOPLE.keys() - {
        "import_file",
        "other_file",
    }
    of_rules = ACTIONS_OF_RULES.keys() - {"upload", "fix"}
    assert actions_of(RulesVisit, Editing, RuleActions) == of_rules


@pytest.mark.parametrize("role", POWERLESS["people"])
async def test_no_action_of_people_changes_anything_without_write(desk: Desk, role: str) -> None:
    database = await desk.database()
    ben = await Contacts(database, desk.services.regions).save(
        Contact("", "Ben Adeyemi", ("412 555 0123",), groups=("Lab",))
    )
    await Groups(database).add("Night")
    before = await kept(desk)
    visitor = desk.acting_as(ROLES[role])
    async with visited(lambda: people.server("people", visitor)) as page:
        await page.session.set_inputs(**{"people-in_sight": True})
        await page.press("people-act", action="choose", id=ben.id, value="on")
        fields = {"name": "Eve", "number_1": "412 555 0199", "group": "New", "what": "map"}
        for action in (each for each in ACTIONS_OF_PEOPLE if each not in {"search", "glance"}):
            record = "Lab" if "group" in action else ben.id
            await page.press("people-act", action=action, id=record, value="on", fields=fields)
        refused = ("save", "save_group", "remove_group", "save_into_group", "out_of_group")
        await page.until_refused(NOT_ALLOWED[WRITE], len(refused))
    assert await kept(desk) == before
    assert {"permission to save a person", "permission to remove a group"} < await tried_in_vain(
        desk
    )


@pytest.mark.parametrize("role", POWERLESS["rules"])
async def test_no_action_of_rules_changes_anything_without_write(tmp_path: Path, role: str) -> None:
    async with rule_at_work(tmp_path, (1407, "T3", 210, "Ben")) as scene:
        rule = await scene.switched_on()
        rules_desk = RuleDesk(scene.desk, scene.sources, scene.sandbox)
        mute = await rules_desk.mute(rule.id)
        before = await kept(scene.desk)
        visitor = scene.desk.acting_as(ROLES[role])

        async def open_rules() -> RuleDesk:
            return rules_desk.acting_as(ROLES[role])

        async with visited(lambda: page_of_rules.server("rules", visitor, open_rules)) as page:
            address = f"?page=rules&rule={rule.id}"
            await page.session.set_inputs(**{"rules-address": address})
            await page.until(lambda: "turn-on" in page.said())
            for action in ACTIONS_OF_RULES:
                record = mute.id if action == "unmute" else rule.id
                fields = {"key": ["x"], "for": "hour", "name": "Mine", "sql": "SELECT 1"}
                value = "off" if action == "switch" else "0"
                await page.press("rules-act", action=action, id=record, value=value, fields=fields)
            await page.until_refused(NOT_ALLOWED[WRITE], 5)
        assert await kept(scene.desk) == before
        tried = {"permission to remove a rule", "permission to turn off a rule"}
        assert tried < await tried_in_vain(scene.desk)


@pytest.mark.parametrize("role", POWERLESS["send"])
async def test_nothing_is_sent_or_canceled_without_send(desk: Desk, role: str) -> None:
    waiting = await desk.send(CALL.__class__("text", CALL.to, "Hello", hold_seconds=60))
    visitor = desk.acting_as(ROLES[role])
    async with visited(lambda: send.server("send", visitor)) as page:
        form = {f"send-{name}": value for name, value in FORM.items()}
        await page.session.set_inputs(**form, **{"send-send_test_call": 1})
        refusal = page.session.get_output
        await page.until(lambda: NOT_ALLOWED[SEND] in str(refusal("send-send_refusal").value))
    async with visited(lambda: activity.server("activity", visitor)) as page:
        outputs = page.session.get_output
        await page.session.set_inputs(
            **{"activity-address": "?page=activity", "activity-time_zone": "UTC"}
        )
        await page.press("activity-cancel", id=waiting.id)
        await page.until(lambda: NOT_ALLOWED[SEND] in str(outputs("activity-announcement").value))
    found = await desk.status(waiting.id)
    assert found is not None
    assert not found.canceling
    count = sa.select(sa.func.count()).select_from(alerts)
    assert await (await desk.database()).read(lambda connection: connection.scalar(count)) == 1


@pytest.mark.parametrize("role", ["looks", "sends", "administers"])
async def test_no_template_is_kept_without_write(desk: Desk, role: str) -> None:
    visitor = desk.acting_as(ROLES[role])
    async with visited(lambda: send.server("send", visitor)) as page:
        form = {f"send-{name}": value for name, value in FORM.items()}
        await page.session.set_inputs(**form, **{"send-template_name": "Recall"})
        await page.session.set_inputs(**{"send-save_template": 1})
        shown = page.session.get_output
        await page.until(lambda: NOT_ALLOWED[WRITE] in str(shown("send-template_kept").value))
    assert await Templates(await desk.database()).all() == []


async def test_who_may_not_look_sees_nothing(desk: Desk) -> None:
    await desk.send(CALL)
    visitor = desk.acting_as(ROLES["nobody"])
    async with visited(lambda: activity.server("activity", visitor)) as page:
        await page.session.set_inputs(**{"activity-address": "?page=activity"})
        shown = page.session.get_output
        await page.until(lambda: NOT_ALLOWED[LOOK] in str(shown("activity-list").value))
    async with visited(lambda: people.server("people", visitor)) as page:
        await page.session.set_inputs(**{"people-in_sight": True})
        await page.session.set_inputs(**{".clientdata_output_people-people_hidden": False})
        shown = page.session.get_output
        await page.until(lambda: NOT_ALLOWED[LOOK] in str(shown("people-people").value))


async def test_what_may_not_be_done_is_hidden(desk: Desk) -> None:
    hidden: dict[str, dict[str, Any]] = {}

    def server_for(visitor: Desk) -> Callable[[Inputs, Outputs, Session], None]:
        def server(input: Inputs, output: Outputs, session: Session) -> None:
            async def listen(kind: str, message: Any) -> None:
                if kind == "callboard-not-allowed":
                    hidden[visitor.actor.name] = message

            session.send_custom_message = listen  # type: ignore[method-assign, assignment]
            send.server("send", visitor)

        return server

    for role in ("looks", "everything"):
        visitor = desk.acting_as(ROLES[role])
        async with serve_in_memory(server_for(visitor), timeout_secs=60) as session:
            await session.flush()
    assert hidden.keys() == {"Lena"}
    assert hidden["Lena"]["lacking"] == ["send", "write", "administer"]
    assert "[id$='-send_test_call']" in hidden["Lena"]["hidden"]
    assert ".people-page [data-act='add']:not(form)" in hidden["Lena"]["hidden"]


# --- Who did what -------------------------------------------------------------------------------


async def test_administrators_see_who_did_what(desk: Desk) -> None:
    maya = desk.acting_as(Actor("Maya <b>", ROLES["everything"].permissions))
    alert = await maya.send(CALL.__class__("call", CALL.to, "Hello", name="Ben"))
    await Groups(await desk.database(), ROLES["writes"]).add("Lab")
    visitor = desk.acting_as(ROLES["administers"])
    async with visited(lambda: activity.server("activity", visitor)) as page:

        def rows() -> str:
            return str(page.session.get_output("activity-list").value)

        async def show(query: str, condition: Callable[[], bool]) -> None:
            await page.session.set_inputs(**{"activity-address": f"?page=activity&{query}"})
            await page.until(condition)

        await show("list=done", lambda: "Added the group Lab" in rows())
        assert "Maya &lt;b&gt;" in rows()
        assert "Sent an alert to Ben" in rows()
        assert f"open={alert.id}" in rows()
        switch = str(page.session.get_output("activity-lists").value)
        assert switch.count("aria-current") == 1
        assert re.search(r'aria-current="page"[^>]*>Who did what', switch)
        await show("list=done&by=Wim", lambda: "Sent an alert" not in rows())
        assert "Added the group Lab" in rows()
        await show("list=done&about=alerts", lambda: "Lab" not in rows())
        assert "Sent an alert to Ben" in rows()
        await show("list=done&q=nothing", lambda: "Nothing matches" in rows())
        await show("list=done&before=" + "0" * 24, lambda: "Added the group Lab" in rows())
        assert "Anybody" in str(page.session.get_output("activity-senders").value)
        await show("", lambda: "Hello" in rows())


@pytest.mark.parametrize("role", ["looks", "sends", "writes"])
async def test_nobody_else_sees_who_did_what(desk: Desk, role: str) -> None:
    await desk.send(CALL)
    visitor = desk.acting_as(ROLES[role])
    async with visited(lambda: activity.server("activity", visitor)) as page:
        await page.session.set_inputs(**{"activity-address": "?page=activity&list=done"})
        shown = page.session.get_output
        await page.until(lambda: NOT_ALLOWED[ADMINISTER] in str(shown("activity-list").value))
        await page.session.set_inputs(**{"activity-address": "?page=activity"})
        await page.until(lambda: "Hello" in str(shown("activity-list").value))
        assert "Who did what" not in str(shown("activity-lists").value)


# --- Routes -------------------------------------------------------------------------------------


class SignedIn:
    """ASGI middleware that says who a request is from, as the sign-in does."""

    def __init__(self, app: ASGIApp, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ACTOR_KEY] = self._actor
        await self._app(scope, receive, send)


# What a person needs for a route; None where no person asks: Twilio, monitors, the simulator.
ROUTES = {
    "/activity.csv": LOOK,
    "/audit.csv": ADMINISTER,
    "/healthz": None,
    "/metrics": None,  # for those who have the token
    "/twilio/status": None,
    "/twilio/gather": None,
    "/twilio/inbound": None,
    "/twiml/{name}.xml": None,
    "/2010-04-01/{path:path}": None,
    "/simulator/{path:path}": None,
}


async def test_every_route_as_every_role(desk: Desk) -> None:
    app = App(ui.page_fluid(), None)
    known = {id(each) for each in app.starlette_app.router.routes}
    mount(app, desk)
    added = [each for each in app.starlette_app.router.routes if id(each) not in known]
    assert {each.path for each in added if isinstance(each, Route)} == ROUTES.keys()
    for actor in ROLES.values():
        transport = httpx.ASGITransport(app=SignedIn(app.starlette_app, actor))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000"
        ) as client:
            for path, needed in ROUTES.items():
                if needed is None:
                    continue
                answer = await client.get(path)
                assert answer.status_code == (200 if actor.may(needed) else 403), (path, actor)
                if not actor.may(needed):
                    assert answer.text == NOT_ALLOWED[needed]


async def test_the_trail_as_a_file(desk: Desk) -> None:
    await Groups(await desk.database(), Actor("=Maya", ROLES["writes"].permissions)).add("Lab")
    app = App(ui.page_fluid(), None)
    mount(app, desk)
    transport = httpx.ASGITransport(app=SignedIn(app.starlette_app, ROLES["administers"]))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        answer = await client.get("/audit.csv?list=done&zone=America/New_York")
        one = await client.get("/audit.csv?by=Ada")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["What"] for row in rows] == ["Exported the audit trail", "Added the group Lab"]
    assert (rows[1]["Who"], rows[1]["About"], rows[1]["Where"]) == ("'=Maya", "Groups", "page")
    assert len(one.text.splitlines()) == 3
    assert "audit-" in answer.headers["content-disposition"]


def test_only_the_sign_in_says_who_asks() -> None:
    scope: Scope = {"type": "http", "headers": [(b"callboard.actor", b"Eve")], ACTOR_KEY: "Eve"}
    assert actor_in(HTTPConnection(scope)).name != "Eve"
    scope[ACTOR_KEY] = ROLES["looks"]
    assert actor_in(HTTPConnection(scope)) is ROLES["looks"]


def test_every_page_says_for_whom_it_asks_about_people() -> None:
    kinds = {"Contacts", "Groups", "Templates", "Importer", "Listing", "Directory"}
    calls = [
        each
        for file in (Path(__file__).parents[2] / "dashboard").rglob("*.py")
        for each in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(each, ast.Call) and ast.unparse(each.func) in kinds
    ]
    assert len(calls) > 10
    assert [each for each in map(ast.unparse, calls) if not each.endswith("actor)")] == []
