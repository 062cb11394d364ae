"""Record, Dial and Reject."""

from __future__ import annotations

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from simulator.handset import Handset
from tests.support.document_server import Documents
from tests.support.simulator_line import TO, Line, codes, said, simulator_line
from tests.support.stepped_exchange import frozen_exchange, place
from tests.support.twilio_schemas import assert_is

BUSY = "+14125550101"
IN_A_HURRY = "+14125550104"
NO_LINE = "+14125550105"
FRIEND = "+14125550150"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


def test_what_is_said_after_the_beep_is_recorded(line: Line, documents: Documents):
    done = documents.put("/recorded.xml", "<Response><Say>Thank you</Say></Response>")
    told = documents.put("/recording", "")
    twiml = (
        f"<Response><Record action='{done}' method='GET' maxLength='60' timeout='3' "
        f"recordingStatusCallback='{told}'/></Response>"
    )
    heard = line.heard(line.place(twiml=twiml))
    assert said(heard) == ["Thank you"]
    kinds = [(entry["kind"], entry["text"]) for entry in heard["transcript"]]
    assert kinds[:2] == [("play", "Beep"), ("record", "Recording, 60 s at most.")]
    (asked,) = documents.asked("/recorded.xml")
    (callback,) = documents.wait_for("/recording", 1)
    assert asked.method == "GET"
    assert asked.said()["RecordingDuration"] == "4"
    assert asked.said()["Digits"] == ""
    assert callback.said()["RecordingStatus"] == "completed"
    for fields in (asked.said(), callback.said()):
        assert fields["RecordingUrl"].endswith(fields["RecordingSid"])


def test_a_recording_without_action_returns_to_its_document(line: Line, documents: Documents):
    url = documents.put("/record-again.xml", "<Response><Record maxLength='1'/></Response>")
    line.finished(line.place(url=url, time_limit=200))
    assert len(documents.asked("/record-again.xml")) > 1


async def test_a_key_ends_a_recording():
    exchange, handset = frozen_exchange(), Handset()
    call = place(exchange, "<Response><Record playBeep='false'/><Pause/></Response>")
    exchange.attach_handset(call.sid, handset)
    await exchange.clock.step(0.5)
    handset.answer()
    await exchange.clock.step(2)
    assert handset.state.gathering
    handset.press("#")
    await exchange.clock.step(0)
    assert [line.text for line in call.transcript if line.kind == "record"][1] == "Recorded 2 s."
    assert not handset.state.gathering


def test_hanging_up_ends_a_recording_that_is_kept(documents: Documents):
    told = documents.put("/cut-off", "")
    twiml = f"<Response><Record recordingStatusCallback='{told}'/></Response>"
    with simulator_line(speed=0) as still:
        sid = still.place(twiml=twiml, time_limit=3)
        still.http.post("/simulator/clock", json={"step": 60})
        (callback,) = documents.wait_for("/cut-off", 1)
        assert callback.said()["RecordingDuration"] == "2"
        (kept,) = still.twilio.calls(sid).recordings.list()
        assert kept.duration == "2"


@pytest.mark.parametrize(
    ("to", "status", "bridged"),
    [
        (FRIEND, "completed", "true"),
        (IN_A_HURRY, "completed", "true"),
        (BUSY, "busy", "false"),
        (NO_LINE, "failed", "false"),
    ],
)
def test_a_second_call_is_dialed(line: Line, documents: Documents, to, status, bridged):
    documents.requests.clear()
    done = documents.put("/dialed.xml", "<Response><Say>Back</Say></Response>")
    sid = line.place(twiml=f"<Response><Dial action='{done}'>{to}</Dial></Response>")
    assert said(line.heard(sid)) == ["Back"]
    fields = documents.asked("/dialed.xml")[0].said()
    assert (fields["DialCallStatus"], fields["DialBridged"]) == (status, bridged)
    assert fields["CallSid"] == sid
    second = line.http.get(line.path(f"Calls/{fields['DialCallSid']}")).json()
    assert_is("api.v2010.account.call", second)
    assert (second["to"], second["from"], second["status"]) == (to, SIMULATOR_FROM_NUMBER, status)
    assert (second["parent_call_sid"], second["direction"]) == (sid, "outbound-dial")
    children = line.twilio.calls.list(parent_call_sid=sid)
    assert [child.sid for child in children] == [second["sid"]]


def test_the_next_verb_follows_a_dial_without_action(line: Line):
    twiml = f"<Response><Dial><Number>{BUSY}</Number></Dial><Say>Busy, then</Say></Response>"
    assert said(line.heard(line.place(twiml=twiml))) == ["Busy, then"]


def test_the_dialed_call_has_callbacks_of_its_own(line: Line, documents: Documents):
    told = documents.put("/number", "")
    number = (
        f"<Number statusCallback='{told}' statusCallbackEvent='ringing completed'>{BUSY}</Number>"
    )
    sid = line.place(twiml=f"<Response><Dial>{number}</Dial></Response>")
    calls = [asked.said() for asked in documents.wait_for("/number", 2)]
    assert [fields["CallStatus"] for fields in calls] == ["ringing", "busy"]
    assert {fields["ParentCallSid"] for fields in calls} == {sid}


async def test_hanging_up_ends_both_calls():
    exchange, handset = frozen_exchange(), Handset()
    call = place(exchange, f"<Response><Dial>{FRIEND}</Dial></Response>")
    exchange.attach_handset(call.sid, handset)
    await exchange.clock.step(0.5)
    handset.answer()
    await exchange.clock.step(5)
    (dialed,) = [other for other in exchange.calls.values() if other is not call]
    assert (call.status, dialed.status) == ("in-progress", "in-progress")
    handset.hang_up()
    await exchange.clock.step(0)
    assert (call.status, dialed.status) == ("completed", "completed")


async def test_the_star_ends_the_dialed_call_only():
    exchange, handset = frozen_exchange(), Handset()
    dial = f"<Dial hangupOnStar='true'>{FRIEND}</Dial>"
    call = place(exchange, f"<Response>{dial}<Pause length='9'/></Response>")
    exchange.attach_handset(call.sid, handset)
    await exchange.clock.step(0.5)
    handset.answer()
    await exchange.clock.step(5)
    handset.press("1*")
    await exchange.clock.step(0)
    statuses = [other.status for other in exchange.calls.values()]
    assert statuses == ["in-progress", "completed"]


async def test_the_dialed_call_rings_on_a_handset_too():
    exchange, handset = frozen_exchange(), Handset()
    exchange.ring_on_handset(FRIEND, handset)
    place(exchange, f"<Response><Dial>{FRIEND}</Dial></Response>")
    await exchange.clock.step(3)
    assert handset.state.phase == "ringing"
    handset.answer()
    await exchange.clock.step(1)
    handset.hang_up()
    await exchange.clock.step(0)
    assert [call.status for call in exchange.calls.values()] == ["completed", "completed"]


@pytest.mark.parametrize(
    ("dial", "expected"),
    [
        ("<Dial>nobody</Dial>", [13224]),
        ("<Dial><Client>anna</Client></Dial>", [None, 13224]),
        (f"<Dial callerId='{TO}'>{BUSY}</Dial>", [13214]),
        (f"<Dial timeout='soon'>{BUSY}</Dial>", [13212]),
    ],
)
def test_what_is_wrong_with_a_dial(line: Line, dial: str, expected):
    heard = line.heard(line.place(twiml=f"<Response>{dial}<Say>end</Say></Response>"))
    assert codes(heard) == expected
    assert said(heard) == ["end"]


@pytest.mark.parametrize(
    ("reason", "expected"), [("busy", []), ("rejected", []), ("bored", [13810])]
)
def test_reject_ends_the_call(line: Line, reason: str, expected):
    twiml = f"<Response><Reject reason='{reason}'/><Say>Never</Say></Response>"
    heard = line.heard(line.place(twiml=twiml))
    assert (said(heard), codes(heard)) == ([], expected)
    assert heard["transcript"][-1]["kind"] == "hangup"
