"""Lists: order, pages and filters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from tests.support.simulator_line import Line, simulator_line
from tests.support.twilio_schemas import assert_is_list

BUSY, OUT = "+14125550101", "+14125550102"
SOON = timedelta(hours=1)


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


@pytest.fixture(scope="module")
def sids(line: Line) -> list[str]:
    placed = [line.place(to) for to in [BUSY, OUT, BUSY, OUT, BUSY, OUT, BUSY]]
    for sid in placed:
        line.finished(sid)
    return placed[::-1]


def test_the_newest_comes_first(line: Line, sids: list[str]):
    assert [call.sid for call in line.twilio.calls.list()] == sids


def test_pages_make_the_whole(line: Line, sids: list[str]):
    assert [call.sid for call in line.twilio.calls.list(page_size=3)] == sids
    assert [call.sid for call in line.twilio.calls.list(page_size=3, limit=5)] == sids[:5]


def test_the_envelope(line: Line, sids: list[str]):
    first = line.http.get(line.path("Calls"), params={"PageSize": 3, "From": SIMULATOR_FROM_NUMBER})
    second = line.http.get(first.json()["next_page_uri"]).json()
    third = line.http.get(second["next_page_uri"]).json()
    for page in (first.json(), second, third):
        assert_is_list("/2010-04-01/Accounts/{AccountSid}/Calls.json", page)
    assert [page["page"] for page in (first.json(), second, third)] == [0, 1, 2]
    assert (second["start"], second["end"], second["page_size"]) == (3, 5, 3)
    assert first.json()["previous_page_uri"] is None
    assert third["next_page_uri"] is None
    assert line.http.get(third["previous_page_uri"]).json()["calls"] == second["calls"]
    assert line.http.get(third["first_page_uri"]).json()["calls"] == first.json()["calls"]
    assert line.http.get(second["uri"]).json() == second


def test_pages_stay_put_while_calls_come_in():
    with simulator_line() as own:
        placed = [own.place(BUSY) for _ in range(4)]
        first = own.http.get(own.path("Calls"), params={"PageSize": 2}).json()
        own.place(BUSY)
        second = own.http.get(first["next_page_uri"]).json()
        assert [call["sid"] for call in second["calls"]] == [placed[1], placed[0]]


def test_calls_are_deleted_page_by_page():
    with simulator_line() as own:
        placed = [own.place(BUSY) for _ in range(5)]
        for sid in placed:
            own.finished(sid)
        for call in own.twilio.calls.stream(page_size=2):
            assert call.delete()
        assert own.twilio.calls.list() == []


def test_filters(line: Line, sids: list[str]):
    now = line.now()
    calls = line.twilio.calls
    assert {call.to for call in calls.list(to=BUSY)} == {BUSY}
    assert len(calls.list(to="(412) 555-0101")) == 4
    assert len(calls.list(from_=SIMULATOR_FROM_NUMBER)) == 7
    assert calls.list(from_="+15005550006") == []
    assert {call.status for call in calls.list(status="no-answer")} == {"no-answer"}
    assert calls.list(parent_call_sid="CA" + "0" * 32) == []
    assert len(calls.list(start_time_after=now - SOON)) == 7
    assert calls.list(start_time_after=now + SOON) == []
    assert len(calls.list(start_time_before=now + SOON)) == 7
    assert calls.list(start_time_before=now - SOON) == []
    assert calls.list(end_time_after=now - SOON) == []  # none of them was answered
    started = calls(sids[0]).fetch().start_time
    assert sids[0] in {call.sid for call in calls.list(start_time=started)}
    assert len(calls.list(start_time=started.strftime("%Y-%m-%d"))) == 7
    assert calls.list(start_time="2010-04-01") == []


def test_a_date_means_the_whole_day(line: Line, sids: list[str]):
    today = line.twilio.calls(sids[0]).fetch().start_time.date()
    midnight = datetime(today.year, today.month, today.day)
    calls = line.twilio.calls
    for day in (today, midnight, midnight.replace(tzinfo=UTC)):
        assert len(calls.list(start_time=day)) == 7
        assert calls.list(start_time=day - timedelta(days=1)) == []
        assert calls.list(start_time=day + timedelta(days=1)) == []
    assert calls.list(end_time=today) == []  # none of them was answered


def test_a_date_means_the_whole_day_of_texts():
    with simulator_line() as own:
        texts = own.twilio.messages
        sid = texts.create(to=OUT, from_=SIMULATOR_FROM_NUMBER, body="Hello").sid
        own.wait_for(f"Messages/{sid}", lambda message: message["status"] == "delivered")
        today = texts(sid).fetch().date_sent.date()
        for day in (today, datetime(today.year, today.month, today.day, tzinfo=UTC)):
            assert [text.sid for text in texts.list(date_sent=day)] == [sid]
            assert texts.list(date_sent=day - timedelta(days=1)) == []


@pytest.mark.parametrize("last", ["9999-12-31", "9999-12-31T23:59:59Z"])
def test_the_last_day_there_is(line: Line, sids: list[str], last: str):
    answer = line.http.get(line.path("Calls"), params={"StartTime": last})
    assert (answer.status_code, answer.json()["calls"]) == (200, [])
    assert len(line.twilio.calls.list(start_time_before=date.max)) == 7


def test_texts_are_listed_the_same_way(line: Line):
    sent = [
        line.twilio.messages.create(to=to, from_=SIMULATOR_FROM_NUMBER, body="Hello").sid
        for to in [BUSY, OUT, BUSY]
    ]
    for sid in sent:
        line.wait_for(f"Messages/{sid}", lambda message: message["status"] == "delivered")
    assert [text.sid for text in line.twilio.messages.list(page_size=2)] == sent[::-1]
    assert [text.sid for text in line.twilio.messages.list(to=OUT)] == [sent[1]]
    now = line.now()
    assert len(line.twilio.messages.list(date_sent_after=now - SOON)) == 3
    assert line.twilio.messages.list(date_sent_before=now - SOON) == []
    page = line.http.get(line.path("Messages")).json()
    assert_is_list("/2010-04-01/Accounts/{AccountSid}/Messages.json", page)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"PageSize": "1001"}, 20007),
        ({"PageSize": "0"}, 20001),
        ({"Page": "-1"}, 20001),
        ({"PageToken": "PAnobody"}, 20001),
        ({"PageToken": "PACA" + "0" * 32 + "f" * 15}, 20001),
        ({"StartTime>": "yesterday"}, 20001),
        ({"StartTime": "9999-12-31T23:59:59-14:00"}, 20001),
    ],
)
def test_unusable_queries(line: Line, query: dict[str, str], code: int):
    answer = line.http.get(line.path("Calls"), params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_accounts_do_not_see_each_other(line: Line, sids: list[str]):
    other = "AC" + "b" * 32
    path = f"/2010-04-01/Accounts/{other}"
    assert line.http.get(f"{path}/Calls.json", auth=(other, "x")).json()["calls"] == []
    assert line.http.get(f"{path}/Calls/{sids[0]}.json", auth=(other, "x")).status_code == 404
