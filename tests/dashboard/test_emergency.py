"""The emergency stop and the requests for a second person's yes, on the pages, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shiny import Inputs, Outputs, Session
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory

from access.actor import EVERYTHING, Actor, Permission
from alerts import AlertRequest, Desk
from alerts.broadcast import Approval
from alerts.emergency_stop import EmergencyStop
from alerts.refusals import Refusals
from dashboard import emergency, notices, send
from dashboard.alert_status import clock
from dashboard.emergency import banner_of, consequences_of
from dashboard.notices import LiveNotices, Notices
from dashboard.send.approvals import approval_tag, is_shown, waits_for
from dashboard.shared_reading import SharedReading
from tests.support.desks import CALL, simulated_desk
from tests.support.page_in_memory import FORM, shown, until

pytestmark = pytest.mark.usefixtures("fresh_lock")

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
LOOKS = frozenset({Permission.LOOK})
ASKED = Approval("b", "Hello", (CALL, CALL), "Maya", NOW, NOW + timedelta(hours=4))


@pytest.mark.parametrize(
    ("waiting", "live", "begins"),
    [
        (0, 0, "Holds all rules, and lets nobody send"),
        (1, 0, "Cancels 1 alert that waits, holds all rules"),
        (1400, 3, "Cancels 1,400 alerts that wait, ends 3 live calls, holds all rules"),
        (0, 1, "Ends 1 live call, holds"),
    ],
)
def test_what_a_stop_would_do(waiting: int, live: int, begins: str):
    assert consequences_of(waiting, live).startswith(begins)


def test_the_banner_says_who_when_and_how_to_lift_it():
    stopped = Notices(EmergencyStop(NOW, "Maya <b>", "Wrong list."))
    administrator = str(banner_of(stopped, "UTC", may_lift=True))
    assert "Maya &lt;b&gt; stopped everything at" in administrator
    assert ": Wrong list.<" in administrator
    assert 'data-decide="lift"' in administrator
    other = str(banner_of(stopped, "UTC", may_lift=False))
    assert "An administrator can lift that." in other
    assert "data-decide" not in other


def test_only_administrators_hear_who_asked_for_too_much():
    found = Notices(refusals=(Refusals("Maya", 9900, NOW, 100, 2),))
    shown = str(banner_of(found, "UTC", may_lift=True))
    assert "Maya asked for 9,900 calls and texts that the hourly limit refused" in shown
    assert "100 an hour are allowed, and 2 are left now. If they were meant" in shown
    assert str(banner_of(found, "UTC", may_lift=False)) == ""


def test_who_sees_and_counts_a_request():
    maya, ben = Actor("Maya", EVERYTHING), Actor("Ben", EVERYTHING)
    eve = Actor("Eve", LOOKS)
    assert [is_shown(ASKED, each, NOW) for each in (maya, ben, eve)] == [True, True, False]
    assert [waits_for([ASKED], each) for each in (maya, ben, eve)] == [0, 1, 0]
    sent = replace(ASKED, state="sent", decided_by="Ben", decided_at=NOW)
    soon, later = NOW + timedelta(minutes=5), NOW + timedelta(hours=2)
    cora = Actor("Cora", EVERYTHING)
    assert [is_shown(sent, each, soon) for each in (maya, ben, cora)] == [True, True, False]
    assert not is_shown(sent, maya, later)
    assert waits_for([sent], ben) == 0


@pytest.mark.parametrize(
    ("state", "by", "to_maya", "to_ben"),
    [
        ("sent", "Ben", "Ben said yes at {at}, and it", "You said yes at {at}, and it"),
        ("refused", "Ben", "Ben said no at {at}, so", "You said no at {at}, so"),
        ("refused", "Maya", "You took it back at {at}, so", "Maya took it back at {at}, so"),
        ("stopped", "Ben", "Ben stopped everything at {at}", "You stopped everything at {at}"),
    ],
)
def test_what_became_of_a_request(state: Any, by: str, to_maya: str, to_ben: str):
    over = replace(ASKED, state=state, decided_by=by, decided_at=NOW)
    for_maya = str(approval_tag(over, Actor("Maya", EVERYTHING), "UTC"))
    for_ben = str(approval_tag(over, Actor("Ben", EVERYTHING), "UTC"))
    assert "You asked to" in for_maya
    at = clock(NOW, "UTC")
    assert to_maya.format(at=at) in for_maya
    assert "Maya asked to" in for_ben
    assert to_ben.format(at=at) in for_ben
    assert ("See what became of it" in for_ben) == (state == "sent")


class Visit:
    """A visitor's page in memory."""

    def __init__(self, page: AsyncTestServerSession) -> None:
        self.page = page
        self.nonce = 0

    def shown(self, output: str) -> str:
        return str(self.page.get_output(output).value)

    async def decide(self, where: str, action: str, id: str = "") -> None:
        self.nonce += 1
        value = {"action": action, "id": id, "nonce": self.nonce}
        await self.page.set_inputs(**{f"{where}-decide": value})
        await self.page.flush()

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(self.page, condition)


@asynccontextmanager
async def visited(desk: Desk, name: str) -> AsyncIterator[Visit]:
    actors_desk = desk.acting_as(Actor(name, EVERYTHING))

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        found = LiveNotices(actors_desk, session)
        emergency.server("emergency", actors_desk, found)
        send.server("send", actors_desk, found)

    async with serve_in_memory(server, client_data={"url_search": ""}, timeout_secs=60) as page:
        await page.set_inputs(**{f"send-{field}": value for field, value in FORM.items()})
        await page.set_inputs(**{"emergency-reason": ""})
        yield Visit(page)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(notices, "SECONDS_BETWEEN_READINGS", 0.05)
    async with simulated_desk(tmp_path, max_recipients=2) as opened:
        yield opened


async def test_more_people_than_one_may_reach_are_asked_about(desk: Desk):
    people = "412-555-0142, 412-555-0143, 412-555-0144"
    async with visited(desk, "Maya") as maya:
        label = "send-send_label"
        await maya.page.set_inputs(**{"send-phone_number": people.rpartition(",")[0]})
        await maya.until(lambda: maya.shown(label) == "Call 2 people now")
        await maya.page.set_inputs(**{"send-phone_number": people})
        await maya.until(lambda: maya.shown(label) == "Ask someone to approve calling 3 people")
        await maya.page.set_inputs(**{"send-send_test_call:shiny.action": 1})
        await maya.until(lambda: "You asked to call 3 people" in maya.shown("send-approvals"))
        assert 'data-decide="yes"' not in maya.shown("send-approvals")
        assert shown(maya.page, "send_refusal") == ""
        [asked] = await desk.approvals()
        assert await desk.broadcast_of(asked.id) is None
        # A page may send anything: she can't say yes herself.
        await maya.decide("send", "yes", asked.id)
        await maya.until(
            lambda: "Another person has to say yes: you" in maya.shown("send-approvals")
        )
    async with visited(desk, "Ben") as ben:
        await ben.until(lambda: "Maya asks to call 3 people" in ben.shown("send-approvals"))
        assert "1 waits for you" in ben.shown("send-waiting")
        await ben.decide("send", "yes", asked.id)
        await ben.until(lambda: "tab-count" not in ben.shown("send-waiting"))
    found = await desk.broadcast_of(asked.id)
    assert found is not None
    assert [each.request.user for each in found[1]] == ["Maya"] * 3


async def test_what_waits_is_there_when_the_page_is(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(notices, "SECONDS_BETWEEN_READINGS", 3600.0)
    maya = desk.acting_as(Actor("Maya", EVERYTHING))
    await maya.ask_for_approval([replace(CALL, to=f"+1412555014{each}") for each in range(3)])
    async with visited(desk, "Ben") as ben:
        await ben.until(lambda: "Maya asks to call 3 people" in ben.shown("send-approvals"))
        # Another page has what was read for this one, even before the database can be asked.
        monkeypatch.setattr(SharedReading, "read", reads_forever)
        async with visited(desk, "Ann") as ann:
            assert "Maya asks to call 3 people" in ann.shown("send-approvals")
    monkeypatch.setattr(notices, "SHOWN_AT_ONCE_SECONDS", 0.0)
    async with visited(desk, "Ann") as ann:
        assert "Maya" not in ann.shown("send-approvals")


async def reads_forever(*_: object) -> Notices:
    await asyncio.Event().wait()
    raise AssertionError


async def test_where_everybody_is_one_user_too_many_are_refused(desk: Desk):
    people = "412-555-0142, 412-555-0143, 412-555-0144"
    async with visited(desk, desk.actor.name) as page:
        await page.page.set_inputs(**{"send-phone_number": people})
        await page.until(lambda: page.shown("send-send_label") == "Call 3 people now")
        await page.page.set_inputs(**{"send-send_test_call:shiny.action": 1})
        await page.until(lambda: "more than the 2" in page.shown("send-send_refusal"))
    assert await desk.approvals() == []


async def test_one_visitor_stops_and_another_lifts(desk: Desk):
    [held] = await desk.send_all([AlertRequest("text", CALL.to, "Hello", hold_seconds=60)])
    async with visited(desk, "Maya") as maya:
        await maya.page.set_inputs(**{"emergency-ask": 1})
        await maya.until(
            lambda: "Cancels 1 alert that waits" in maya.shown("emergency-consequences")
        )
        await maya.page.set_inputs(**{"emergency-reason": "x" * 300})
        await maya.decide("emergency", "stop")
        await maya.until(lambda: "A reason is one line" in maya.shown("emergency-failure"))
        await maya.page.set_inputs(**{"emergency-reason": "Wrong list"})
        await maya.decide("emergency", "stop")
        await maya.until(lambda: "Maya stopped everything" in maya.shown("emergency-banner"))
    ended = await desk.status(held.id)
    assert ended is not None
    assert ended.status == "canceled"
    async with visited(desk, "Ben") as ben:
        await ben.until(lambda: "Wrong list" in ben.shown("emergency-banner"))
        await ben.page.set_inputs(**{"send-phone_number": CALL.to})
        await ben.page.flush()
        await ben.page.set_inputs(**{"send-send_test_call:shiny.action": 1})
        await ben.until(lambda: "(Wrong list). Nothing is sent" in shown(ben.page, "send_refusal"))
        await ben.decide("emergency", "lift")
        await ben.until(lambda: "stopped everything" not in ben.shown("emergency-banner"))
        await ben.until(lambda: shown(ben.page, "send_refusal") == "")
    assert await desk.emergency_stop() is None


@pytest.mark.parametrize("sent", [None, 5, "stop", {"action": ["stop"]}, {"action": "x", "id": 1}])
async def test_whatever_a_page_sends_stops_nothing(desk: Desk, sent: Any):
    async with visited(desk, "Maya") as maya:
        await maya.page.set_inputs(**{"emergency-decide": sent, "send-decide": sent})
        await maya.page.flush()
        assert await desk.emergency_stop() is None
