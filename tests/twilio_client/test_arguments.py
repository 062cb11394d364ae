"""Arguments that contradict each other are refused before anything is sent."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest

from tests.support.recording_server import (
    ACCOUNT_SID,
    CALL_SID,
    FROM,
    KEY_SID,
    MESSAGE_SID,
    TO,
    TOKEN,
    Recorder,
)
from twilio_client import TwilioClient

URL = "https://example.com/a.xml"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def client(recorder) -> TwilioClient:
    return TwilioClient(ACCOUNT_SID, TOKEN, transport=httpx.ASGITransport(app=recorder))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"to": ""}, "The number to call is missing."),
        ({"from_": ""}, "The From number is missing."),
        ({"url": None}, "A call needs either url or twiml, not both."),
        ({"twiml": "<Response/>"}, "A call needs either url or twiml, not both."),
        ({"url": None, "twiml": "x" * 4001}, "TwiML in the request is limited to 4,000 characters"),
        ({"status_callback_event": ["ringing"]}, "status_callback_event needs a status_callback."),
        ({"async_amd": True}, "async_amd needs machine_detection."),
        ({"async_amd_status_callback": URL}, "async_amd_status_callback needs async_amd."),
        ({"timeout": 0}, "A phone rings 1 to 600 seconds."),
        ({"timeout": 601}, "A phone rings 1 to 600 seconds."),
        ({"send_digits": "12,3"}, "send_digits takes up to 32 of"),
        ({"send_digits": "w" * 33}, "send_digits takes up to 32 of"),
        ({"send_digits": ""}, "send_digits takes up to 32 of"),
        ({"url": "https://example.com/\ud83d"}, "Url contains half a character: remove it."),
    ],
)
async def test_calls(client, recorder, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        await client.create_call(**({"to": TO, "from_": FROM, "url": URL} | changes))
    assert recorder.requests == []


async def test_twiml_of_4000_characters_goes_out(client, recorder):
    await client.create_call(to=TO, from_=FROM, twiml="x" * 4000)
    assert len(recorder.requests) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"to": ""}, "The number to text is missing."),
        ({"from_": None}, "A text needs either from_ or messaging_service_sid, not both."),
        ({"messaging_service_sid": "MG" + "0" * 32}, "A text needs either from_ or"),
        ({"from_": None, "messaging_service_sid": "MG-1"}, "The messaging service SID must be MG"),
        ({"body": ""}, "The text is empty."),
        ({"body": "x" * 1601}, "A text is limited to 1,600 characters."),
        ({"media_url": [URL] * 11}, "A text is limited to 10 media files."),
        ({"body": "\ud83d"}, "Body contains half a character: remove it."),
    ],
)
async def test_messages(client, recorder, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        await client.create_message(**({"to": TO, "from_": FROM, "body": "x"} | changes))
    assert recorder.requests == []


@pytest.mark.parametrize(
    "sid", ["", "CA", "CA1/", CALL_SID + "\n", f"../Calls/{CALL_SID}", MESSAGE_SID]
)
async def test_only_a_sid_gets_into_the_path(client, recorder, sid):
    with pytest.raises(ValueError, match="The call SID must be CA and then letters and digits"):
        await client.fetch_call(sid)
    with pytest.raises(ValueError, match="The call SID must be"):
        await client.update_call(sid, status="completed")
    assert recorder.requests == []


async def test_updates_change_one_thing(client, recorder):
    with pytest.raises(ValueError, match="An update needs one of status, twiml and url"):
        await client.update_call(CALL_SID)
    with pytest.raises(ValueError, match="An update needs one of status, twiml and url"):
        await client.update_call(CALL_SID, status="completed", url=URL)
    with pytest.raises(ValueError, match="An update needs either status or body"):
        await client.update_message(MESSAGE_SID)
    with pytest.raises(ValueError, match="can only be emptied"):
        await client.update_message(MESSAGE_SID, body="other words")
    assert recorder.requests == []


@pytest.mark.parametrize(
    "filters",
    [
        {"page_size": 0},
        {"page_size": 1001},
        {"limit": 0},
        {"started_after": datetime(2026, 3, 1)},
    ],
)
def test_a_list_is_checked_when_it_is_asked_for(client, filters):
    with pytest.raises(ValueError, match=r"\.$"):
        client.list_calls(**filters)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"account_sid": "AC/1"}, "The account SID must be AC and then letters and digits."),
        ({"auth_token": None}, "Twilio needs an auth token or an API key."),
        ({"auth_token": ""}, "Twilio needs an auth token or an API key."),
        ({"api_key_sid": KEY_SID}, "An API key needs both"),
        ({"api_key_secret": "x"}, "An API key needs both"),
        ({"api_key_sid": "SK-1", "api_key_secret": "x"}, "The API key SID must be SK"),
        ({"base_url": "api.twilio.com"}, "The address of Twilio's API must look like"),
        ({"base_url": "https://user:pass@api.twilio.com"}, "The address of Twilio's API must"),
        ({"base_url": "https://"}, "The address of Twilio's API must look like"),
        ({"base_url": "https://[::1"}, "The address of Twilio's API must look like"),
        ({"timeout": 0}, "The timeout must be more than 0 seconds."),
    ],
)
def test_the_client_itself(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        TwilioClient(**({"account_sid": ACCOUNT_SID, "auth_token": TOKEN} | changes))
