"""Filters by date, in every form in which clients write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from simulator.api.forms import Form
from simulator.api.lists import date_filter
from tests.support.simulator_line import TO, Line, simulator_line

DAY = datetime(2024, 2, 29, tzinfo=UTC)
NOON = DAY + timedelta(hours=12, microseconds=500)
BEFORE, AFTER = NOON - timedelta(days=1), NOON + timedelta(days=1)
DAYS = {"before": BEFORE, "on": NOON, "after": AFTER}


def passed(*pairs: tuple[str, str]) -> set[str]:
    test = date_filter(Form(pairs), "StartTime")
    return {name for name, moment in DAYS.items() if test(moment)}


@pytest.mark.parametrize("date", ["2024-02-29", "2024-02-29T00:00:00Z"])
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("StartTime", "{}", {"on"}),
        ("StartTime>", "{}", {"on", "after"}),
        ("StartTime<", "{}", {"before", "on"}),
        ("StartTime>=", "{}", {"on", "after"}),
        ("StartTime<=", "{}", {"before", "on"}),
        ("StartTime>={}", "", {"on", "after"}),
        ("StartTime<={}", "", {"before", "on"}),
        ("StartTime>{}", "", {"after"}),
        ("StartTime<{}", "", {"before"}),
        ("StartTime", ">={}", {"on", "after"}),
        ("StartTime", "<={}", {"before", "on"}),
        ("StartTime", ">{}", {"after"}),
        ("StartTime", "<{}", {"before"}),
        ("StartTime<", "", {"before", "on", "after"}),
        ("StartTime", "", {"before", "on", "after"}),
        ("StartTimes", "{}", {"before", "on", "after"}),
        ("MyStartTime<", "{}", {"before", "on", "after"}),
    ],
)
def test_a_day(name: str, value: str, expected: set[str], date: str):
    assert passed((name.format(date), value.format(date))) == expected


@pytest.mark.parametrize(
    ("sign", "expected"), [("", {"on"}), (">", {"on", "after"}), ("<", {"before", "on"})]
)
def test_a_second(sign: str, expected: set[str]):
    assert passed((f"StartTime{sign}", "2024-02-29T12:00:00Z")) == expected


def test_two_filters_are_one_span():
    assert passed(("StartTime>", "2024-02-28"), ("StartTime<", "2024-02-29")) == {"before", "on"}
    assert passed(("StartTime>", "2024-02-29"), ("StartTime<", "2024-02-28")) == set()


def test_what_has_no_date_is_found_without_a_filter_only():
    assert date_filter(Form(), "EndTime")(None)
    assert not date_filter(Form((("EndTime<", "2024-02-29"),)), "EndTime")(None)


def test_nothing_comes_after_the_last_day():
    assert passed(("StartTime>9999-12-31", "")) == set()


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        opened.finished(opened.place())
        sent = opened.twilio.messages.create(to=TO, from_=SIMULATOR_FROM_NUMBER, body="Hello")
        opened.wait_for(f"Messages/{sent.sid}", lambda text: text["status"] == "delivered")
        yield opened


@pytest.mark.parametrize(
    ("resource", "name", "field"),
    [
        ("Calls", "StartTime", "start_time"),
        ("Calls", "EndTime", "end_time"),
        ("Messages", "DateSent", "date_sent"),
    ],
)
@pytest.mark.parametrize("is_quoted", [True, False])
def test_every_list_takes_them(line: Line, resource: str, name: str, field: str, is_quoted: bool):
    key = resource.lower()
    (record,) = line.http.get(line.path(resource)).json()[key]
    day = datetime.strptime(record[field], "%a, %d %b %Y %H:%M:%S %z").date()
    for query, days, expected in [
        (f"{name}=", 0, 1),
        (f"{name}>=", 0, 1),
        (f"{name}<=", 0, 1),
        (f"{name}<=", -1, 0),
        (f"{name}>=", 1, 0),
        (f"{name}>", 0, 0),
        (f"{name}<", 0, 0),
        (f"{name}<", 1, 1),
    ]:
        text = f"{query}{day + timedelta(days=days)}"
        encoded = quote(text, safe="=") if is_quoted else text
        found = line.http.get(f"{line.path(resource)}?{encoded}").json()
        assert len(found[key]) == expected, text
