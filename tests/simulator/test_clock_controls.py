"""The clock over HTTP: a call that goes on step by step."""

from __future__ import annotations

import pytest

from tests.support.simulator_line import Line, said, simulator_line

STORY = (
    "<Response><Say>Hello there</Say><Pause length='10'/><Say>Good bye</Say>"
    "<Pause length='10'/></Response>"
)


@pytest.fixture
def line():
    with simulator_line(speed=0) as opened:
        yield opened


@pytest.fixture(scope="module")
def still():
    """A clock that isn't stepped."""
    with simulator_line(speed=0) as opened:
        yield opened


def turn(line: Line, **body) -> dict[str, float]:
    answer = line.http.post("/simulator/clock", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, float] = answer.json()
    found.pop("now")
    return found


def status(line: Line, sid: str) -> str:
    return str(line.http.get(line.path(f"Calls/{sid}")).json()["status"])


def test_a_call_step_by_step(line: Line):
    sid = line.place(twiml=STORY)
    assert status(line, sid) == "queued"
    assert turn(line, step=1) == {"speed": 0, "seconds": 1}
    assert status(line, sid) == "ringing"
    turn(line, step=2)
    assert (status(line, sid), said(line.inside(sid))) == ("in-progress", ["Hello there"])
    turn(line, step=11)
    assert said(line.inside(sid)) == ["Hello there", "Good bye"]
    turn(line, step=15)
    assert status(line, sid) == "completed"
    assert [entry["at"] for entry in line.inside(sid)["transcript"]] == [0, 0.79, 10.79, 11.36]


def test_one_step_is_as_good_as_many(line: Line):
    sid = line.place(twiml=STORY)
    turn(line, step=60)
    assert status(line, sid) == "completed"
    assert [entry["at"] for entry in line.inside(sid)["transcript"]] == [0, 0.79, 10.79, 11.36]


def test_the_speed_is_changed_under_way(line: Line):
    sid = line.place(twiml=STORY)
    assert turn(line, speed=500)["speed"] == 500
    assert line.finished(sid)["status"] == "completed"
    assert line.http.get("/simulator/clock").json()["seconds"] > 20


def test_stop_and_step_at_once(line: Line):
    turn(line, speed=100)
    assert turn(line, speed=0, step=5)["seconds"] >= 5


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"hands": 2}', b'{"speed": -1}', b'{"step": "1"}', b'{"step": NaN}']
)
def test_unusable_settings(still: Line, body: bytes):
    answer = still.http.post("/simulator/clock", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
    clock = still.http.get("/simulator/clock").json()
    assert (clock["speed"], clock["seconds"]) == (0, 0)
