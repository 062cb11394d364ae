"""The log of requests, and what stays out of it."""

from __future__ import annotations

from simulator import SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER, exchange
from simulator import log as request_log
from tests.support.simulator_line import TO, Line, simulator_line


def log(line: Line):
    """The requests; what happens to calls meanwhile is left out."""
    entries = line.http.get("/simulator/log").json()
    return [entry for entry in entries if entry["direction"] != "event"]


def test_every_request_is_logged_in_order(line: Line):
    sid = line.place(twiml="<Response/>")
    line.http.get(line.path(f"Calls/{sid}"), params={"a": "1"})
    line.http.post(line.path("Messages"), data={"To": "x", "MediaUrl": ["a", "b"]})
    line.http.get("/nowhere")
    entries = log(line)
    assert [(entry["method"], entry["status"]) for entry in entries] == [
        ("POST", 201),
        ("GET", 200),
        ("POST", 400),
        ("GET", 404),
    ]
    assert entries[0]["path"] == line.path("Calls")
    assert ["To", TO] in entries[0]["parameters"]
    assert ["Twiml", "<Response/>"] in entries[0]["parameters"]
    assert entries[1]["parameters"] == [["a", "1"]]
    assert entries[2]["parameters"] == [["To", "x"], ["MediaUrl", "a"], ["MediaUrl", "b"]]


def test_secrets_stay_out(line: Line):
    secret = "hunter2"
    line.http.post(
        line.path("Calls"),
        data={
            "To": TO,
            "From": SIMULATOR_FROM_NUMBER,
            "Url": f"https://user:{secret}@127.0.0.1:1/",
            "StatusCallback": f"https://{secret}@example.com/",
            "SipAuthPassword": secret,
        },
    )
    text = line.http.get("/simulator/log").text
    assert "127.0.0.1:1" in text
    assert secret not in text
    assert SIMULATOR_AUTH_TOKEN not in text


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
