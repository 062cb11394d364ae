"""Recordings: made by the Record verb, listed, fetched as audio, deleted."""

from __future__ import annotations

import io
import wave

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from simulator.api.recordings import silent_mp3
from simulator.app import create_app
from simulator.models.recording import Recording
from simulator.models.sids import new_sid
from tests.support.document_server import Documents, document_server
from tests.support.simulator_line import Line

TWIML = "<Response><Record timeout='1' recordingStatusCallback='{}'/></Response>"


@pytest.fixture
def documents():
    with document_server() as opened:
        yield opened


def record(line: Line, documents: Documents) -> dict[str, str]:
    """What the callback of a new recording says."""
    before = len(documents.asked("/told"))
    told = documents.put("/told", "")
    sid = line.place(twiml=TWIML.format(told))
    # A call without an address for its documents ends in an error after the recording.
    line.finished(sid)
    return documents.wait_for("/told", before + 1)[-1].said()


def test_it_is_listed_and_fetched(line: Line, documents: Documents):
    told = record(line, documents)
    call = line.twilio.calls(told["CallSid"])
    other = line.place()
    for found in (line.twilio.recordings.list(), call.recordings.list()):
        assert [each.sid for each in found] == [told["RecordingSid"]]
    assert line.twilio.recordings.list(call_sid=other) == []
    assert line.twilio.calls(other).recordings.list() == []
    fetched = line.twilio.recordings(told["RecordingSid"]).fetch()
    assert (fetched.call_sid, fetched.duration) == (told["CallSid"], told["RecordingDuration"])
    assert (fetched.status, fetched.source, fetched.channels) == ("completed", "RecordVerb", 1)
    assert call.recordings(fetched.sid).fetch().sid == fetched.sid
    with pytest.raises(TwilioRestException):
        line.twilio.calls(other).recordings(fetched.sid).fetch()
    assert fetched.start_time <= fetched.date_created
    day = fetched.date_created.date()
    assert len(line.twilio.recordings.list(date_created=day)) == 1
    assert len(line.twilio.recordings.list(date_created_before=day)) == 1


def test_its_address_leads_to_audio_without_a_password(line: Line, documents: Documents):
    told = record(line, documents)
    assert told["RecordingUrl"].startswith(line.base_url)
    seconds = int(told["RecordingDuration"])
    assert seconds > 0
    for ending in ("", ".wav"):
        answer = httpx.get(told["RecordingUrl"] + ending)
        assert answer.headers["content-type"] == "audio/x-wav"
        with wave.open(io.BytesIO(answer.content)) as audio:
            assert audio.getnframes() == seconds * audio.getframerate()
    answer = httpx.get(told["RecordingUrl"] + ".mp3")
    assert (answer.headers["content-type"], answer.content[:2]) == ("audio/mpeg", b"\xff\xe3")
    for ending in (".json", ".xml"):
        assert httpx.get(told["RecordingUrl"] + ending).status_code == 401
        own = line.http.get(told["RecordingUrl"] + ending)
        assert told["RecordingSid"] in own.text
        assert told["RecordingUrl"] in own.text  # as its media_url
    stranger = told["RecordingUrl"].replace(told["AccountSid"], "AC" + "b" * 32)
    assert httpx.get(stranger).status_code == 404


def test_it_is_deleted_with_its_audio(line: Line, documents: Documents):
    told = record(line, documents)
    assert line.twilio.recordings(told["RecordingSid"]).delete()
    assert line.twilio.recordings.list() == []
    assert httpx.get(told["RecordingUrl"]).status_code == 404


@pytest.mark.parametrize("seconds", [0, 1, 4, 60])
def test_an_mp3_is_made_of_whole_frames(seconds: int):
    audio = silent_mp3(seconds)
    frames = [audio[start : start + 72] for start in range(0, len(audio), 72)]
    assert all(frame[:4] == b"\xff\xe3\x18\xc4" and len(frame) == 72 for frame in frames)
    assert 0 <= len(frames) * 0.072 - seconds < 0.072


def test_an_exchange_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr("simulator.exchange.MOST_RECORDS", 2)
    exchange = create_app().state.exchange
    now = exchange.clock.now()
    sids = [new_sid("RE") for _ in range(3)]
    for sid in sids:
        exchange.add_recording(Recording(sid, "AC", "CA", now, now, 1))
    assert list(exchange.recordings) == sids[1:]
