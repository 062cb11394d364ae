"""The log: what was asked and answered, in both directions, in order, without secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, request_log
from tests.simulator_documents import document_server
from tests.simulator_line import TO, Line, simulator_line


@pytest.fixture
def line():
    with simulator_line() as opened:
        yield opened


def log(line: Line):
    return line.http.get("/simulator/log").json()


def test_an_entry_tells_who_asked_what_and_was_told_what(line: Line):
    sid = line.place(twiml="<Response/>")
    (entry,) = log(line)
    assert abs(datetime.fromisoformat(entry["at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert (entry["direction"], entry["method"], entry["status"]) == ("in", "POST", 201)
    assert entry["account"] == entry["user"] == SIMULATOR_ACCOUNT_SID
    assert entry["path"] == line.path("Calls")
    assert ["Twiml", "<Response/>"] in entry["parameters"]
    assert (entry["body"]["sid"], entry["body"]["to"]) == (sid, TO)
    assert entry["fault"] is None


def test_documents_and_callbacks_are_in_it_too(line: Line):
    with document_server() as documents:
        url = documents.put("/hello.xml", "<Response><Say>Hello</Say></Response>")
        told = documents.put("/status", "thanks", "text/plain")
        sid = line.place(url=f"{url}?room=5", method="GET", status_callback=told)
        line.finished(sid)
        line.wait_for(f"Calls/{sid}", lambda call: bool(documents.asked("/status")))
    going_out = [entry for entry in log(line) if entry["direction"] == "out"]
    assert [(entry["method"], entry["path"], entry["status"]) for entry in going_out] == [
        ("GET", url, 200),
        ("POST", told, 200),
    ]
    fetched, called_back = going_out
    assert fetched["body"] == "<Response><Say>Hello</Say></Response>"
    assert ["room", "5"] in fetched["parameters"]
    assert ["CallSid", sid] in fetched["parameters"]
    assert ["CallStatus", "completed"] in called_back["parameters"]
    assert (called_back["account"], called_back["user"]) == (SIMULATOR_ACCOUNT_SID, None)


def test_a_server_that_cannot_be_reached(line: Line):
    line.finished(line.place(url="http://user:hunter2@127.0.0.1:1/"))
    failed = [entry for entry in log(line) if entry["direction"] == "out"]
    assert [(entry["path"], entry["status"]) for entry in failed] == [
        ("http://********@127.0.0.1:1/", None),
        ("http://********@127.0.0.1:1/", None),
    ]
    assert "hunter2" not in line.http.get("/simulator/log").text


def test_secrets_in_answers_stay_out(line: Line):
    answer = line.http.post(
        line.path("Calls"),
        data={"To": TO, "From": "+15005550006", "Url": "https://me:hunter2@my_host.example/"},
    )
    assert "hunter2" in answer.text  # the client gets its own words back
    text = line.http.get("/simulator/log").text
    assert "my_host" in text
    assert "hunter2" not in text
    line.http.get(line.path("Calls"), auth=("hunter2", SIMULATOR_AUTH_TOKEN))
    text = line.http.get("/simulator/log").text
    assert "hunter2" not in text
    assert SIMULATOR_AUTH_TOKEN not in text


def test_it_is_cleared(line: Line):
    line.http.get("/nowhere")
    assert len(log(line)) == 1
    assert line.http.delete("/simulator/log").status_code == 204
    assert log(line) == []


def test_long_answers_are_bounded(line: Line, monkeypatch):
    monkeypatch.setattr(request_log, "MOST_BYTES", 5000)
    for _ in range(10):
        line.place()
    entries = log(line)
    assert 0 < len(entries) < 10
    assert entries[-1]["method"] == "POST"
