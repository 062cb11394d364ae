"""The log: what was asked and answered, in both directions, in order, without secrets."""

from __future__ import annotations

from datetime import datetime, timedelta

from simulator import (
    SIMULATOR_ACCOUNT_SID,
    SIMULATOR_AUTH_TOKEN,
    SIMULATOR_FROM_NUMBER,
    untrusted_text,
)
from simulator import log as request_log
from tests.support.document_server import document_server
from tests.support.simulator_line import TO, Line, simulator_line


def log(line: Line):
    """The requests; what happens to calls meanwhile is left out."""
    entries = line.http.get("/simulator/log").json()
    return [entry for entry in entries if entry["direction"] != "event"]


def test_an_entry_tells_who_asked_what_and_was_told_what(line: Line):
    sid = line.place(twiml="<Response/>")
    (entry,) = log(line)
    assert abs(datetime.fromisoformat(entry["at"]) - line.now()) < timedelta(hours=1)
    assert (entry["direction"], entry["method"], entry["status"]) == ("in", "POST", 201)
    assert entry["account"] == entry["user"] == SIMULATOR_ACCOUNT_SID
    assert entry["path"] == line.path("Calls")
    assert ["Twiml", "<Response/>"] in entry["parameters"]
    assert (entry["body"]["sid"], entry["body"]["to"]) == (sid, TO)
    assert entry["fault"] is None


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


def test_secrets_in_requests_stay_out(line: Line):
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


def events(line: Line, resource: str):
    return [
        (entry["event"], *entry["parameters"])
        for entry in line.http.get("/simulator/log").json()
        if entry["direction"] == "event" and entry["path"] == line.path(resource)
    ]


def test_what_happens_to_a_call_is_in_it(line: Line):
    sid = line.place("+14125550106", "<Response><Gather><Say>Press 1.</Say></Gather></Response>")
    line.finished(sid)
    happened = events(line, f"Calls/{sid}")
    assert happened[:4] == [
        ("initiated", ["CallStatus", "queued"]),
        ("ringing", ["CallStatus", "ringing"]),
        ("answered", ["CallStatus", "in-progress"]),
        ("say", ["Text", "Press 1."]),
    ]
    assert ("digits", ["Text", "1"]) in happened
    assert happened[-1] == ("completed", ["CallStatus", "completed"])


def test_what_happens_to_a_text_is_in_it_between_the_requests(line: Line):
    sent = line.twilio.messages.create(to=TO, from_=SIMULATOR_FROM_NUMBER, body="Hello").sid
    line.wait_for(f"Messages/{sent}", lambda message: message["status"] == "delivered")
    assert events(line, f"Messages/{sent}") == [
        (status, ["MessageStatus", status]) for status in ("queued", "sending", "sent", "delivered")
    ]
    entries = line.http.get("/simulator/log").json()
    last_event = max(i for i, entry in enumerate(entries) if entry["direction"] == "event")
    first_request = min(i for i, entry in enumerate(entries) if entry["direction"] == "in")
    assert first_request < last_event < len(entries) - 1


def test_it_is_cleared(line: Line):
    line.http.get("/nowhere")
    assert len(log(line)) == 1
    assert line.http.delete("/simulator/log").status_code == 204
    assert log(line) == []


def test_long_parameters_are_cut_after_their_passwords(line: Line):
    secret = f"https://{'hunter2' * 2000}@x.example/"
    line.http.post(line.path("Calls"), data={"To": "1" * 200_000, "Url": secret})
    (entry,) = log(line)
    assert (
        max(len(value) for _, value in entry["parameters"])
        <= untrusted_text.LONGEST_LOGGED_CHARACTERS + 1
    )
    assert "hunter2" not in str(entry["parameters"])


def test_long_parameters_are_bounded(line: Line, monkeypatch):
    monkeypatch.setattr(request_log, "MOST_BYTES", 200_000)
    for _ in range(10):
        # An unknown client: requests are logged without a password too.
        answer = line.http.post(line.path("Calls"), data={"a": ["b"] * 500}, auth=("", ""))
        assert answer.status_code == 401
    assert 0 < len(log(line)) < 10


def test_long_answers_are_bounded(monkeypatch):
    monkeypatch.setattr(request_log, "MOST_BYTES", 5000)
    # Time stands still: the events of calls that go on would push the requests out of the log.
    with simulator_line(speed=0) as line:
        for _ in range(10):
            line.place()
        entries = log(line)
    assert 0 < len(entries) < 10
    assert entries[-1]["method"] == "POST"
