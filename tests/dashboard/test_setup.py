"""The Setup page in memory: what the checks found, and the call to one's own phone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from shiny import Inputs, Outputs, Session, reactive
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory

from access.actor import Actor, Permission
from alerts import Desk, Status
from alerts.alert import Problem
from dashboard import setup
from dashboard.live_alert import LiveAlert
from dashboard.setup import Checking
from dashboard.setup.checking import Report
from dashboard.setup.lines import all_lines, summary
from dashboard.setup.my_phone import MESSAGE, verdict
from doctor import Check, Fix, Group, Line
from settings import Settings
from tests.support.alerts_by_hand import CALL, alert_after_events, steps
from tests.support.desks import simulated_desk
from tests.support.doctor_lines import settings_with
from tests.support.environment import TOKEN
from tests.support.page_in_memory import calls_at_twilio, until

pytestmark = pytest.mark.usefixtures("fresh_lock")


class Opened:
    def __init__(self, session: AsyncTestServerSession, live: LiveAlert) -> None:
        self.session = session
        self.live = live
        self.stories = ""

    def shown(self, output: str) -> str:
        value = self.session.get_output(f"setup-{output}").value
        return unescape(value["html"]) if isinstance(value, dict) else str(value)

    async def until(self, output: str, words: str) -> None:
        def is_so() -> bool:
            self.stories += self.shown("my_story")
            return words in self.shown(output)

        await until(self.session, is_so)

    async def press(self, button: str = "call", **inputs: Any) -> None:
        named = {f"setup-{name}": value for name, value in inputs.items()}
        await self.session.set_inputs(**named)
        await self.session.flush()
        await self.session.set_inputs(**{f"setup-{button}:shiny.action": 1})
        await self.session.flush()


PROBLEM = Problem(None, "It couldn't be connected.", "Check the number.")


@asynccontextmanager
async def opened(
    desk: Desk, settings: Settings, checking: Checking | None = None
) -> AsyncIterator[Opened]:
    lives: list[LiveAlert] = []
    shared = checking or Checking(settings, desk)

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        lives.append(setup.server("setup", desk, shared))

    async with serve_in_memory(server, timeout_secs=60) as session:
        await session.set_inputs(**{"setup-my_number": ""})
        await session.flush()
        yield Opened(session, lives[0])


SIMULATION = settings_with(simulated=True)
# A Twilio on this machine may read what only this machine can.
ACCOUNT = settings_with({"TWILIO_BASE_URL": "http://127.0.0.1:9"})


async def test_what_was_found_is_counted_and_shown(tmp_path: Path):
    async with simulated_desk(tmp_path, callbacks=True) as desk, opened(desk, SIMULATION) as page:
        await page.until("checks", "checked ")
        shown, counted = page.shown("checks"), page.shown("summary")
    assert "The simulator stands in for Twilio" in shown
    assert shown.index("From here to a real call") < shown.index("Twilio</h2>")
    assert "in place" in counted
    assert TOKEN not in shown


async def test_visitors_share_one_examination(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        checking = Checking(SIMULATION, desk)
        async with opened(desk, SIMULATION, checking) as first:
            await first.until("checks", "checked ")
            with reactive.isolate():
                done = checking.report().done_at
            checking.begin()  # as the next visitor does
            with reactive.isolate():
                assert not checking.report().is_running
            await first.press("again")
            await until(first.session, lambda: _done(checking) != done)


def _done(checking: Checking) -> object:
    with reactive.isolate():
        return checking.report().done_at


async def test_who_may_not_administer_sees_nothing(tmp_path: Path):
    looker = Actor("Lou", frozenset({Permission.LOOK}))
    async with simulated_desk(tmp_path) as desk:
        checking = Checking(SIMULATION, desk)
        async with opened(desk.acting_as(looker), SIMULATION, checking) as page:
            await page.until("checks", "Only an administrator sees what the checks")
            await page.press("again")
            assert _done(checking) is None
            # Not even what others, who may, have found.
            checking.begin()
            await until(page.session, lambda: _done(checking) is not None)
            assert "Twilio</h2>" not in page.shown("checks")
            assert "in place" not in page.shown("summary")


async def test_a_call_is_heard_and_confirmed(tmp_path: Path):
    async with simulated_desk(tmp_path, callbacks=True) as desk, opened(desk, SIMULATION) as page:
        await page.until("my_story", "You press 1")
        # This person presses 1.
        await page.press(my_number="412 555 0106")
        assert "+1 412-555-0106, United States" in page.shown("my_number_line")
        await page.until("my_outcome", "your press of 1 arrived")
        await page.until("checks", "A call in the simulation was answered.")
        await page.until("my_story", "You pressed 1")
        assert "They press 1" not in page.stories
        assert calls_at_twilio(desk) == 1


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("", "Type your own number first."),
        ("412", "Too few digits"),
        ("911", "is an emergency number"),
        ("+49 30 901820", "Germany isn't among the countries allowed here."),
    ],
)
async def test_a_number_that_cannot_be_called(tmp_path: Path, number: str, sentence: str):
    async with simulated_desk(tmp_path, callbacks=True) as desk, opened(desk, SIMULATION) as page:
        await page.press(my_number=number)
        await page.until("my_number_line", sentence)
        assert calls_at_twilio(desk) == 0


async def test_without_public_url_the_call_asks_for_no_key(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk, opened(desk, ACCOUNT) as page:
        await page.until("checks", "checked ")
        await page.until("my_outcome", "It won't ask you to press 1")
        assert "You press 1" not in page.shown("my_story")
        await page.press(my_number="412 555 0199")
        await page.until("my_outcome", "the call will ask you to press 1.")
        assert TOKEN not in page.shown("checks")


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({"status": Status.UNANSWERED}, "The call didn't reach you."),
        ({"status": Status.CANCELED}, "The call didn't reach you."),
        ({"status": Status.FAILED, "error": PROBLEM}, "reach you. See below what to do."),
        ({"status": Status.UNKNOWN, "error": PROBLEM}, "It isn't known whether the call reached"),
        ({"status": Status.COMPLETED, "duration": 1}, "ended before the message did."),
    ],
)
def test_how_a_call_ended_that_was_not_heard(ended: dict[str, Any], words: str):
    request = replace(CALL, message=MESSAGE)
    placed = steps(Status.SENDING, Status.PLACED)
    said = verdict(alert_after_events(request, *placed, {"note": "", **ended}), simulated=False)
    assert words in said
    assert ("See below" in said) == ("error" in ended)


async def test_what_stops_the_call_is_said_before(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        assert desk.services.simulator is not None
        account = desk.services.simulator.exchange.accounts.get(desk.services.twilio.account_sid)
        account.status = "suspended"
        async with opened(desk, ACCOUNT) as page:
            await page.until("my_outcome", "This call won't arrive yet. Nobody can be called")


async def ask() -> list[Line]:
    return []


def checked(*lines: Line, group: Group = Group.TWILIO) -> Report:
    return Report(((Check("account", group, "The account", ask), lines),), False)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (Report(), "Checking…"),
        (Report(((Check("a", Group.TWILIO, "A", ask), None),), True), "1 still to check"),
        (checked(Line("fine", "Here."), Line("unknown", "Perhaps.")), "1 in place, 1 not known"),
        (checked(Line("fine", "Here."), Line("fine", "There.")), "All 2 in place"),
        (checked(Line("fine", "Here."), Line("to do", "Do."), Line("broken", "Oh.")), "2 to do, 1"),
    ],
)
def test_the_count(report: Report, words: str):
    assert words in summary(report).words


def test_lines_and_fixes():
    fixes = tuple(Fix(f"command {n}\nmore", f"Way {n}") for n in range(4))
    hostile = Line("broken", "<script>1</script>", "<b>", fixes)
    html = str(all_lines(checked(Line("fine", "Here."), hostile), "UTC"))
    assert "<script>" not in html
    assert "<b>" not in html
    assert "3 other ways" in html
    assert 'data-copy="command 0&#10;more"' in html
    assert 'aria-label="Copy: command 0"' in html
    step = str(all_lines(checked(Line("fine", "Here."), group=Group.FIRST_STEPS), "UTC"))
    assert ("Done" in step, "Done" in html) == (True, False)
    link = str(all_lines(checked(Line("to do", "Go.", "", (Fix("https://a.example/b"),))), "UTC"))
    assert 'href="https://a.example/b"' in link


async def test_an_examination_ends_with_its_last_visitor(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        checking = Checking(SIMULATION, desk)
        checking.enter()
        checking.begin()
        await asyncio.sleep(0)
        checking.leave()
        await asyncio.sleep(0.01)
        assert _done(checking) is None
        # The next visitor's is made from the start.
        checking.enter()
        checking.begin()
        async with asyncio.timeout(30):
            while _done(checking) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        checking.leave()
