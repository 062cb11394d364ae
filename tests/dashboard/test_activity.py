"""The Activity page in memory: what it shows at an address, and its CSV file."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from shiny import App, Inputs, Outputs, Session, ui
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory

from alerts import Desk, Event, Status
from alerts.alert import NewAlert
from alerts.filters import CountedBroadcast, Kind, Spent
from alerts.phone_numbers import Regions
from alerts.time_zones import midnight
from dashboard import activity, mount
from dashboard.activity import export
from dashboard.activity.address import read_address
from dashboard.activity.alert_panel import can_cancel
from dashboard.activity.export import safe
from dashboard.activity.live import pulse_of
from dashboard.activity.rows import counted, progress
from dashboard.activity.tiles import chart, cost, figure, hours_of_today, sentence
from rules.rule import Rule
from rules.saved_rules import SavedRules
from rules.tables import episode_alerts, episodes
from tests.support.alerts_by_hand import CALL as BY_HAND
from tests.support.alerts_by_hand import CALLER, alert_after_events, steps
from tests.support.alerts_by_hand import TEXT as TEXT_BY_HAND
from tests.support.desks import CALL, TEXT, simulated_desk
from tests.support.page_in_memory import until
from tests.support.written_history import (
    broadcast,
    history_behind,
    write,
    write_old,
    write_with_sid,
)

NEW_YORK = "America/New_York"
LOOKING_FOR_NEWS = "news of the history"  # a task's name
BEN = replace(
    CALL, to="+14125550121", message="Batch 1407 is off.", name="Ben Adeyemi", user="Maya"
)


@asynccontextmanager
async def observer(folder: Path) -> AsyncIterator[Desk]:
    """A desk that delivers nothing, so that its history stays as it was written."""
    async with simulated_desk(folder, mode="observer") as opened:
        yield opened


@pytest.fixture
async def desk(tmp_path: Path, fresh_lock: None) -> AsyncIterator[Desk]:
    async with observer(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def opened_page(desk: Desk, query: str) -> AsyncIterator[AsyncTestServerSession]:
    def server(input: Inputs, output: Outputs, session: Session) -> None:
        activity.server("activity", desk)

    async with serve_in_memory(server, timeout_secs=60) as page:
        await show(page, query)
        yield page


async def show(page: AsyncTestServerSession, query: str) -> None:
    await page.set_inputs(**{"activity-address": query, "activity-time_zone": NEW_YORK})


def shown(page: AsyncTestServerSession, name: str) -> str:
    return str(page.get_output(f"activity-{name}").value)


async def test_before_the_first_alert(desk: Desk):
    async with opened_page(desk, "?page=activity") as page:
        await until(page, lambda: "Nothing sent yet" in shown(page, "list"))
        assert "tile" not in shown(page, "summary")
        assert "rings only in this page" in shown(page, "list")


async def test_the_list_counts_and_links(desk: Desk):
    history = await desk.history()
    await write(history, "one", BEN, Status.SENDING, Status.ACKNOWLEDGED)
    await write(history, "two", replace(TEXT, message="{{ today }} <b>"), Status.CANCELED)
    async with opened_page(desk, "?page=activity") as page:
        await until(page, lambda: "Ben Adeyemi" in shown(page, "list"))
        rows = shown(page, "list")
        assert "Confirmed" in rows
        assert "&lt;b&gt;" in rows
        assert "{{ today }}" not in rows
        assert "open=one" in rows
        assert "1–2 of 2" in rows
        await until(page, lambda: shown(page, "announcement") == "2 alerts.")
        await until(page, lambda: "Maya" in shown(page, "senders"))
        await until(page, lambda: "status=confirmed" in shown(page, "summary"))
        await show(page, "?page=activity&status=confirmed")
        await until(page, lambda: "1–1 of 1" in shown(page, "list"))
        await until(page, lambda: 'aria-pressed="true"' in shown(page, "summary"))


async def test_the_alerts_of_a_rule_and_why_they_were_sent(desk: Desk):
    history, database = await desk.history(), await desk.database()
    account = desk.services.twilio.account_sid
    rule = await SavedRules(database, account).save(Rule(name="Diacetyl <b>"), "Ann")
    await history.add([NewAlert("ours", BEN, CALLER, rule_id=rule.id)])
    await write(history, "by hand", replace(TEXT, message="Lunch."))
    key = {"rule_id": rule.id, "account_sid": account, "key_hash": "k", "number": 1}
    episode = {
        **key, "state": "firing", "is_open": True, "key": {"batch": 1407},
        "row": {"batch": 1407, "beer": "<i>Pale", "note": None}, "began_at": 1.0, "since": 1.0,
        "since_check": 1, "returns_to": "", "is_told": True, "reminders": 0,
    }  # fmt: skip

    def tell(connection: sa.Connection) -> None:
        connection.execute(sa.insert(episodes).values(episode))
        connection.execute(sa.insert(episode_alerts).values(**key, alert_id="ours", kind="firing"))

    await database.write(tell)
    async with opened_page(desk, "?page=activity") as page:
        await until(page, lambda: "1–2 of 2" in shown(page, "list"))
        assert f'value="{rule.id}"' in shown(page, "senders")
        await show(page, f"?page=activity&rule={rule.id}&open=ours")
        await until(page, lambda: "1–1 of 1" in shown(page, "list"))
        assert "What Diacetyl &lt;b&gt; sent, 1 in all" in shown(page, "list")
        await until(page, lambda: "Why" in shown(page, "panel"))
        panel = shown(page, "panel")
        assert f"?page=rules&amp;rule={rule.id}" in panel
        for words in ("Diacetyl &lt;b&gt;", "1407", "&lt;i&gt;Pale"):
            assert words in panel
        await SavedRules(database, account).delete(rule.id, "Ann")
        await show(page, f"?page=activity&rule={rule.id}&open=ours")
        await until(page, lambda: "(deleted)" in shown(page, "panel"))
        await show(page, "?page=activity&open=by%20hand")
        await until(page, lambda: "Lunch." in shown(page, "panel"))
        assert "Why" not in shown(page, "panel")


async def test_no_match_leads_on(desk: Desk):
    await write_old(await history_behind(desk), "one", BEN, days_ago=20)
    async with opened_page(desk, "?page=activity") as page:
        await until(page, lambda: "No alert matches" in shown(page, "list"))
        assert "Show all time" in shown(page, "list")
        await show(page, "?page=activity&q=batch")
        await until(page, lambda: "Search all time" in shown(page, "list"))
        assert "Clear filters" in shown(page, "list")
        await show(page, "?page=activity&q=batch&when=all")
        await until(page, lambda: "Ben Adeyemi" in shown(page, "list"))


async def test_the_open_alert(desk: Desk):
    history = await desk.history()
    await write(history, "one", BEN, Status.SENDING)
    async with opened_page(desk, "?page=activity&open=one") as page:
        await until(page, lambda: "Batch 1407 is off." in shown(page, "panel"))
        panel = shown(page, "panel")
        for words in ("Ben Adeyemi", "+1 412-555-0121", "&lt;Say", "Cancel alert", "Send again…"):
            assert words in panel
        await until(page, lambda: shown(page, "announcement") == "Ben Adeyemi: Sending.")
        # News come by themselves.
        await history.record("one", Event(datetime.now(UTC), Status.RINGING, "Ringing"))
        await until(page, lambda: shown(page, "announcement") == "Ben Adeyemi: Ringing.")
        await page.set_inputs(**{"activity-cancel": {"id": "one"}})
        await until(page, lambda: "Canceling" in shown(page, "panel"))
        assert "Cancel alert" not in shown(page, "panel")
        await show(page, "?page=activity&open=nobody")
        await until(page, lambda: "No alert has this id." in shown(page, "panel"))


async def test_sids_lead_to_the_console_only_for_real(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    sid = "CA" + "0a" * 16
    await write_with_sid(await desk.history(), "one", BEN, sid)
    async with opened_page(desk, "?page=activity&open=one") as page:
        await until(page, lambda: "Copy the SID" in shown(page, "panel"))
        assert "console.twilio.com" not in shown(page, "panel")
    monkeypatch.setattr(desk, "services", replace(desk.services, simulator=None), raising=True)
    async with opened_page(desk, "?page=activity&open=one") as page:
        await until(page, lambda: "Copy the SID" in shown(page, "panel"))
        assert f"console.twilio.com/us1/monitor/logs/calls/{sid}" in shown(page, "panel")


async def test_a_broadcast_opens_its_people(desk: Desk):
    history = await history_behind(desk)
    await broadcast(history, "b1", "Batch 1407", [replace(BEN, acknowledge=True)] * 3, "Maya")
    await history.record("b1-1", Event(datetime.now(UTC), Status.ACKNOWLEDGED, "Pressed 1"))
    async with opened_page(desk, "?page=activity") as page:
        await until(page, lambda: "1 of 3 confirmed" in shown(page, "list"))
        assert "3 people" in shown(page, "list")
        assert "3 alerts, broadcasts in one row" in shown(page, "list")
        await show(page, "?page=activity&broadcast=b1")
        await until(page, lambda: "1–3 of 3" in shown(page, "list"))
        assert "All alerts" in shown(page, "list")


async def test_nobody_is_asked_while_nobody_looks(desk: Desk):
    pulse = pulse_of(desk)
    await write(await desk.history(), "one", BEN)
    async with opened_page(desk, "?page=activity") as page:
        await until(page, lambda: "Ben Adeyemi" in shown(page, "list"))
        [looking] = [each for each in asyncio.all_tasks() if each.get_name() == LOOKING_FOR_NEWS]
        await show(page, "")
        await until(page, looking.done)
    assert pulse_of(desk) is pulse


async def test_news_come_to_a_reader_who_asks_for_something_else(desk: Desk):
    await write(await desk.history(), "one", BEN)
    beats: asyncio.Queue[str] = asyncio.Queue()

    async def read(name: str) -> None:
        async with aclosing(pulse_of(desk).beats()) as came:
            async for _ in came:
                beats.put_nowait(name)

    async with asyncio.timeout(20):
        first = asyncio.create_task(read("first"))
        # One comes at once, and one for what was written before.
        assert [await beats.get(), await beats.get()] == ["first"] * 2
        first.cancel()
        second = asyncio.create_task(read("second"))
        assert [await beats.get(), await beats.get()] == ["second"] * 2
    second.cancel()


async def test_two_readers_share_the_looks_for_news(desk: Desk):
    await write(await desk.history(), "one", BEN)
    async with (
        opened_page(desk, "?page=activity") as one,
        opened_page(desk, "?page=activity&when=all") as two,
    ):
        for page in (one, two):
            await until(page, lambda page=page: "Ben Adeyemi" in shown(page, "list"))  # type: ignore[misc]
        assert pulse_of(desk)._watching == 2
        assert [each.get_name() for each in asyncio.all_tasks()].count(LOOKING_FOR_NEWS) == 1


# --- The address --------------------------------------------------------------------------------


def test_an_address_is_what_is_asked_for():
    query = "?page=activity&q=ben&when=30&channel=text&by=Maya&status=not-reached&open=x&n=25"
    address = read_address(query + "&alert=other&before=7")
    filters = address.filters(Regions(), NEW_YORK)
    assert (filters.words, filters.sender, filters.channel) == ("ben", "Maya", "text")
    assert filters.kind is Kind.NOT_REACHED
    assert (address.before, address.rows_before, address["open"]) == (7, 25, "x")
    assert "before" not in address.link(status="")
    assert "alert" not in address.link()
    assert address.is_filtered
    assert not read_address(address.cleared()).is_filtered
    assert read_address(address.cleared())["open"] == "x"


@pytest.mark.parametrize(
    ("query", "days"), [("when=today", 0), ("", 6), ("when=30", 29), ("when=nonsense", 6)]
)
def test_time_ranges_begin_at_midnight(query: str, days: int):
    since = read_address(query).filters(Regions(), NEW_YORK).since
    assert since is not None
    today = midnight(datetime.now(UTC), NEW_YORK)
    assert (since.hour, since.minute) == (0, 0)
    assert (today.date() - since.date()).days == days


def test_a_range_of_days_includes_the_last():
    chosen = read_address("when=custom&from=2026-11-01&to=2026-11-02").filters(Regions(), NEW_YORK)
    assert chosen.since is not None
    assert chosen.until is not None
    assert chosen.since.isoformat() == "2026-11-01T00:00:00-04:00"
    assert chosen.until.isoformat() == "2026-11-03T00:00:00-05:00"


@pytest.mark.parametrize("zone", ["", NEW_YORK])
def test_without_a_zone_days_are_those_of_this_machine(machine_in_new_york: None, zone: str):
    chosen = read_address("when=custom&from=2026-11-01&to=2026-11-02").filters(Regions(), zone)
    assert chosen.since == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert chosen.until == datetime(2026, 11, 3, 5, tzinfo=UTC)
    # The clocks are turned back between midnight and noon.
    assert midnight(datetime(2026, 11, 1, 17, tzinfo=UTC), zone) == chosen.since


@pytest.mark.parametrize(
    "query",
    [
        "before=x&n=-1&when=custom&from=9999-12-31&to=yesterday&status=good&channel=fax",
        "q=%00&before=" + "9" * 400 + "&by=" + "x" * 10_000,
        "&".join(f"a{number}=1" for number in range(500)),
        "q=%ff%fe&open=%F0%9F%92%A5&n=٣",
    ],
)
async def test_any_address_shows_something(desk: Desk, query: str):
    await write(await desk.history(), "one", BEN)
    async with opened_page(desk, f"?{query}") as page:
        await until(page, lambda: "alert" in shown(page, "list"))
        assert "failed" not in shown(page, "list")


# --- Tiles and chart ----------------------------------------------------------------------------


def test_numbers_beyond_what_is_counted():
    assert figure(12_345, is_more=False) == "12,345"
    assert figure(10_000, is_more=True) == "10,000+"


@pytest.mark.parametrize(
    ("counts", "shape", "words"),
    [
        ({Kind.UNKNOWN: 2, Kind.CANCELED: 1}, "question", "2 of 3 not known"),
        ({Kind.CANCELED: 3}, "dash", "Canceled"),
        ({Kind.NOT_REACHED: 2, Kind.CANCELED: 1}, "cross", "0 of 3 reached"),
        ({Kind.REACHED: 1, Kind.UNKNOWN: 2}, "half", "1 of 3 reached"),
    ],
)
def test_a_broadcast_is_told_as_it_is(counts: dict[Kind, int], shape: str, words: str):
    shown = progress(CountedBroadcast("b1", "", "", datetime.now(UTC), counts))
    assert (shown.shape, shown.words) == (shape, words)


def test_one_alert_is_no_alerts():
    assert counted(1, "alert") == "1 alert"
    assert counted(1, "alert", more="+") == "1+ alerts"
    assert counted(1_400, "entry", "entries") == "1,400 entries"


def test_the_costs_say_what_is_missing():
    assert "$18.42" in str(cost(Spent(18.419, "USD")))
    assert "not priced" not in str(cost(Spent(18.42, "USD")))
    estimated = str(cost(Spent(1, "USD", 1.5, 2)))
    assert "and about $1.50, estimated, 2 not priced yet" in estimated
    assert "1.00 CHF" in str(cost(Spent(1, "CHF")))


def test_a_day_has_the_hours_that_it_has():
    assert len(hours_of_today(datetime(2026, 11, 1, 18, tzinfo=UTC), NEW_YORK)) == 26
    assert len(hours_of_today(datetime(2026, 3, 8, 18, tzinfo=UTC), NEW_YORK)) == 24
    assert len(hours_of_today(datetime(2026, 11, 20, 18, tzinfo=UTC), NEW_YORK)) == 25


def test_the_chart_is_told_in_a_sentence():
    hours = hours_of_today(datetime(2026, 11, 20, 18, tzinfo=UTC), NEW_YORK)
    counted = [Counter[Kind]() for _ in hours[1:]]
    assert "No alerts today yet." in str(chart(hours, counted, NEW_YORK))
    counted[7][Kind.CONFIRMED] = 2
    counted[23][Kind.NOT_REACHED] = 3
    assert sentence(range(24), counted) == (
        "Alerts of today by hour: 2 at 7, 3 at 23; 3 were not reached."
    )
    drawn = str(chart(hours, counted, NEW_YORK))
    assert drawn.count("<rect") == 2
    assert ">06<" in drawn


def test_what_can_be_canceled():
    placed = steps(Status.SENDING, Status.PLACED)
    assert can_cancel(alert_after_events(BY_HAND, *placed))
    assert not can_cancel(alert_after_events(TEXT_BY_HAND, *placed))
    assert can_cancel(alert_after_events(replace(TEXT_BY_HAND, tries=2), *placed))
    ended = steps(Status.SENDING, Status.PLACED, Status.COMPLETED)
    assert not can_cancel(alert_after_events(BY_HAND, *ended))


# --- CSV ----------------------------------------------------------------------------------------


@asynccontextmanager
async def client_of(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    app = App(ui.page_fluid(), None)
    mount(app, desk)
    transport = httpx.ASGITransport(app=app.starlette_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def test_the_file_has_what_the_filters_let_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    history = await history_behind(desk)
    await broadcast(history, "b1", "Batch", [BEN, BEN, BEN], "Maya")
    await write(history, "formula", replace(TEXT, message="=1+1", name="@x", user="Ines"))
    await write_old(history, "old", BEN, days_ago=40)
    async with client_of(desk) as client:
        answer = await client.get("/activity.csv?when=30&open=one&zone=America/New_York")
        ours = await client.get("/activity.csv?by=Ines")
        nothing = await client.get("/activity.csv?q=nowhere")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.startswith("\ufeffId,Sent at,")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["Id"] for row in rows] == ["formula", "b1-2", "b1-1", "b1-0"]
    assert (rows[0]["Words"], rows[0]["Name"]) == ("'=1+1", "'@x")
    assert (rows[1]["To"], rows[1]["How it went"]) == ("'+14125550121", "Sending")
    at = datetime.fromisoformat(rows[0]["Sent at"])
    there = (datetime.now(UTC) - timedelta(hours=5)).replace(tzinfo=None)
    assert abs(at - there) < timedelta(hours=1, minutes=5)
    assert len(ours.text.splitlines()) == 2
    assert len(nothing.text.splitlines()) == 1


async def test_another_site_gets_no_file(desk: Desk):
    async with client_of(desk) as client:
        stranger = {"Host": "evil.example:8000"}
        assert (await client.get("/activity.csv", headers=stranger)).status_code == 403


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str):
    assert safe(cell) == f"'{cell}"
    assert safe("plain = 1") == "plain = 1"
