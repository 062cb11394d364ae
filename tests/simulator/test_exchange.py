"""What the simulator remembers of calls, and what becomes of one that it fails at."""

from __future__ import annotations

from simulator import exchange
from simulator import log as request_log
from tests.support.simulator_line import Line, simulator_line


def test_an_unknown_call(line: Line):
    assert line.http.get("/simulator/calls/CA0").json()["code"] == 20404


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(exchange, "MOST_RECORDS", 3)
    monkeypatch.setattr(request_log, "MOST_ENTRIES", 5)
    with simulator_line() as line:
        sids = [line.place("+14125550101") for _ in range(3)]
        for sid in sids:
            line.finished(sid)
        newest = line.place()
        kept = [call.sid for call in line.twilio.calls.list()]
        assert kept == [newest, sids[2], sids[1]]
        assert len(line.http.get("/simulator/log").json()) == 5


def test_calls_that_go_on_are_never_forgotten(monkeypatch):
    monkeypatch.setattr(exchange, "MOST_RECORDS", 2)
    with simulator_line(speed=1) as line:
        sids = [line.place() for _ in range(4)]
        assert len(line.twilio.calls.list()) == len(sids)


def test_a_defect_ends_the_call_and_is_logged(line: Line, monkeypatch, caplog):
    def broken(call):
        raise RuntimeError("a defect")

    monkeypatch.setattr("simulator.twiml.interpreter.request_parameters", broken)
    sid = line.place(url="http://127.0.0.1:1/")
    assert line.finished(sid)["status"] == "failed"
    assert "a defect" in caplog.text
