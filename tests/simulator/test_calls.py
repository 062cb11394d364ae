"""Calls, judged by Twilio's own package and Twilio's own schemas."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import PEOPLE, SIMULATOR_FROM_NUMBER
from simulator.models.call import Call
from tests.support.simulator_line import TO, Line, said, simulator_line
from tests.support.twilio_schemas import assert_is

HELLO = '<Response><Say voice="alice" language="en-GB">Hello there</Say></Response>'
LONG = "<Response><Say>Hello</Say><Pause length='300'/></Response>"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


@pytest.fixture(scope="module")
def slow_line():
    with simulator_line(speed=10) as opened:
        yield opened


def test_a_call_is_created_and_fetched(line: Line):
    created = line.twilio.calls.create(
        to="(412) 555-0199", from_=SIMULATOR_FROM_NUMBER, twiml=HELLO
    )
    assert (created.status, created.to, created._from) == ("queued", TO, SIMULATOR_FROM_NUMBER)
    assert_is("api.v2010.account.call", line.http.get(line.path(f"Calls/{created.sid}")).json())
    finished = line.finished(created.sid)
    assert_is("api.v2010.account.call", finished)
    fetched = line.twilio.calls(created.sid).fetch()
    assert fetched.status == "completed"
    assert fetched.start_time <= fetched.end_time
    assert finished["to_formatted"] == "(412) 555-0199"
    assert finished["price"].startswith("-0.0")


def test_duration_counts_simulated_seconds(line: Line):
    sid = line.place(twiml="<Response><Pause length='90'/></Response>")
    assert 90 <= int(line.finished(sid)["duration"]) < 130


def test_the_transcript_says_who_heard_what(line: Line):
    heard = line.heard(line.place(twiml=HELLO))
    (spoken,) = [entry for entry in heard["transcript"] if entry["kind"] == "say"]
    assert spoken["text"] == "Hello there"
    assert (spoken["voice"], spoken["language"]) == ("alice", "en-GB")
    assert heard["character"]["name"] == "Anybody"
    assert heard["errors"] == []


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("Busy", ["ringing", "busy"]),
        ("Out", ["ringing", "no-answer"]),
        ("Voicemail", ["ringing", "in-progress", "completed"]),
        ("In a hurry", ["ringing", "in-progress", "completed"]),
        ("No line", ["failed"]),
        ("Attentive", ["ringing", "in-progress", "completed"]),
        ("In a meeting", ["ringing", "busy"]),
        ("Landline", ["ringing", "in-progress", "completed"]),
    ],
)
def test_everybody_goes_their_own_way(line: Line, monkeypatch, name: str, statuses: list[str]):
    seen: list[str] = []
    become = Call._become

    def watched(call: Call, status: str) -> None:
        seen.append(status)
        become(call, status)

    monkeypatch.setattr(Call, "_become", watched)
    (person,) = [person for person in PEOPLE if person.name == name]
    finished = line.finished(line.place(person.number, HELLO))
    assert seen == statuses
    assert finished["status"] == statuses[-1]
    assert (finished["duration"] is None) == (statuses[-1] != "completed")
    assert finished["answered_by"] is None


def test_one_in_a_hurry_does_not_hear_the_end(line: Line):
    text = "A long story. " * 100
    heard = line.heard(
        line.place("+14125550104", f"<Response><Say>{text}</Say><Say>end</Say></Response>")
    )
    assert said(heard) == [text.strip()]
    assert heard["transcript"][-1]["kind"] == "hangup"


@pytest.mark.parametrize(
    ("to", "mode", "in_background", "answered_by"),
    [
        ("+14125550103", "Enable", False, "machine_start"),
        ("+14125550103", "DetectMessageEnd", False, "machine_end_beep"),
        ("+14125550103", "Enable", True, "machine_start"),
        (TO, "Enable", False, "human"),
    ],
)
def test_machines_are_told_from_people(line: Line, to, mode, in_background, answered_by):
    options = {"machine_detection": mode} | ({"async_amd": "true"} if in_background else {})
    twiml = "<Response><Say>Hello</Say><Pause length='20'/></Response>"
    sid = line.place(to, twiml, **options)
    assert line.finished(sid)["answered_by"] == answered_by
    first = line.inside(sid)["transcript"][0]
    assert (first["at"] < 2) is in_background


def test_nothing_is_detected_after_the_call(line: Line):
    options = {"machine_detection": "Enable", "async_amd": "true"}
    short = line.place(twiml="<Response/>", **options)
    line.finished(short)
    line.finished(line.place(twiml="<Response><Pause length='30'/></Response>"))
    assert line.finished(short)["answered_by"] is None


def test_a_short_timeout_ends_the_ringing(line: Line):
    assert line.finished(line.place(timeout=1))["status"] == "no-answer"


def test_the_time_limit_ends_the_call(line: Line):
    sid = line.place(twiml=LONG, time_limit=30)
    assert 30 <= int(line.finished(sid)["duration"]) < 60


def test_a_call_is_ended_while_it_is_heard(slow_line: Line):
    sid = slow_line.place(twiml=LONG)
    slow_line.wait_for(f"Calls/{sid}", lambda call: call["status"] == "in-progress")
    assert slow_line.twilio.calls(sid).update(status="canceled").status == "in-progress"
    assert slow_line.twilio.calls(sid).update(status="completed").status == "completed"
    with pytest.raises(TwilioRestException) as refusal:
        slow_line.twilio.calls(sid).update(status="completed")
    assert (refusal.value.status, refusal.value.code) == (400, 21220)


@pytest.mark.parametrize("status", ["canceled", "completed"])
def test_a_call_is_canceled_before_it_is_answered(slow_line: Line, status: str):
    sid = slow_line.place("+14125550102")
    assert slow_line.twilio.calls(sid).update(status=status).status == "canceled"
    assert slow_line.finished(sid)["duration"] is None


def test_a_call_is_redirected_while_it_is_heard(slow_line: Line):
    sid = slow_line.place(twiml="<Response><Pause length='3'/><Say>Old</Say></Response>")
    slow_line.wait_for(f"Calls/{sid}", lambda call: call["status"] == "in-progress")
    new = "<Response><Pause length='6'/><Say>New</Say></Response>"
    slow_line.twilio.calls(sid).update(twiml=new)
    assert said(slow_line.heard(sid)) == ["New"]


def test_a_call_that_was_not_answered_cannot_be_redirected(slow_line: Line):
    sid = slow_line.place("+14125550102")
    with pytest.raises(TwilioRestException) as refusal:
        slow_line.twilio.calls(sid).update(twiml=HELLO)
    assert refusal.value.code == 21220
