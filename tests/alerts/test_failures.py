"""What can go wrong on the way to Twilio: a clear sentence, and nothing is called."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from simulator import SIMULATOR_AUTH_TOKEN
from storage import FTPStorage, InlineStorage, Instructions, LocalStorage
from tests.support.desks import CALL, TEXT, desk_at, posts, simulated_desk
from tests.support.s3_server import empty_moto, s3_storage
from tests.support.scripted_twilio import Answer, scripted_twilio
from tests.support.servers import free_port

LONG = replace(CALL, message="word " * 810)


def nowhere() -> str:
    return f"127.0.0.1:{free_port()}"


def no_bucket():
    return s3_storage(empty_moto())


def closed_port():
    return s3_storage(f"http://{nowhere()}")


def no_ftp_host():
    return FTPStorage(f"ftp://ann:pw@{nowhere()}/", "http://example.com")


def no_folder():
    return LocalStorage("/dev/null/twiml", "http://example.com")


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        (no_bucket, "does not exist"),
        (closed_port, "could not be reached"),
        (no_ftp_host, "refused the connection"),
        (no_folder, "/dev/null/twiml"),
        (InlineStorage, "4,000"),
    ],
)
async def test_what_cannot_be_stored_is_not_called(tmp_path, storage, words):
    async with simulated_desk(tmp_path, storage()) as desk:
        alert = await desk.send(LONG)
        assert [event.status for event in alert.events] == ["queued", "failed"]
        assert alert.error is not None
        assert words in alert.error.message
        assert alert.error.hint
        assert (alert.error.code, alert.sid, alert.twiml_url) == (None, None, None)
        assert posts(desk) == []
        # A text needs no document.
        assert (await desk.send(TEXT)).status == "placed"


@pytest.mark.parametrize("storage", [no_bucket, closed_port, no_ftp_host, no_folder])
async def test_a_short_document_is_then_sent_inside_the_request(tmp_path, storage):
    async with simulated_desk(tmp_path, storage()) as desk:
        alert = await desk.send(CALL)
        assert [event.status for event in alert.events] == ["queued", None, "sending", "placed"]
        assert alert.events[1].error is not None
        assert (alert.error, alert.twiml_url) == (None, None)
        assert "<Say" in posts(desk)[0]["Twiml"]


@pytest.mark.parametrize(
    "profile",
    [
        "credential_process = /nowhere/helper",
        "credential_process = echo nonsense",
        "web_identity_token_file = /nowhere/token\nrole_arn = arn:aws:iam::123456789012:role/x",
        "sso_session = gone\nsso_account_id = 123456789012\nsso_role_name = caller",
    ],
)
async def test_credentials_that_cannot_be_had_are_no_reason_not_to_call(
    tmp_path, monkeypatch, profile
):
    (tmp_path / "config").write_text(f"[profile ours]\n{profile}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    storage = s3_storage(None, profile="ours", access_key_id=None, secret_access_key=None)
    async with simulated_desk(tmp_path, storage) as desk:
        alert = await desk.send(CALL)
        assert [event.status for event in alert.events] == ["queued", None, "sending", "placed"]
        assert alert.events[1].error is not None
        assert "cannot be used" in alert.events[1].error.message
        assert "<Say" in posts(desk)[0]["Twiml"]


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (replace(CALL, to="+15005550001"), 21217, "check its digits"),
        (replace(CALL, to="+15005550003"), 21215, "country"),
        (replace(TEXT, to="+15005550001"), 21211, "check its digits"),
        (replace(TEXT, to="+14125550113"), 21610, "STOP"),
    ],
)
async def test_twilio_refuses(tmp_path, request_, code, words):
    async with simulated_desk(tmp_path) as desk:
        alert = await desk.send(request_)
        assert (alert.status, alert.sid) == ("failed", None)
        assert alert.error is not None
        assert alert.error.code == code
        assert words in alert.error.hint
        assert len(posts(desk)) == 1


async def test_twilio_refuses_the_caller_id(tmp_path):
    async with simulated_desk(tmp_path, from_number="+14155550100") as desk:
        alert = await desk.send(CALL)
    assert alert.error is not None
    assert (alert.error.code, alert.from_) == (21210, "+14155550100")


class FaultyStorage(InlineStorage):
    """A storage with a defect."""

    async def publish(self, name: str, xml: str) -> Instructions:
        raise RuntimeError("a defect")


async def test_a_defect_of_our_own(tmp_path, caplog):
    async with simulated_desk(tmp_path, FaultyStorage()) as desk:
        alert = await desk.send(CALL)
        assert posts(desk) == []
    assert alert.status == "unknown"
    assert alert.error is not None
    assert "Callboard itself failed" in alert.error.message
    (record,) = caplog.records
    assert alert.id in record.getMessage()
    assert record.exc_info[1].args == ("a defect",)


async def test_no_secret_in_what_went_wrong(caplog):
    reason = f"no such password: {SIMULATOR_AUTH_TOKEN}"
    refused = Answer(401, {"code": 20003, "message": reason})
    async with scripted_twilio(refused, looking=[]) as twilio, desk_at(twilio.url) as desk:
        alert = await desk.send(CALL)
        assert SIMULATOR_AUTH_TOKEN not in repr(desk.services)
    assert alert.error is not None
    assert "credentials" in alert.error.hint
    assert SIMULATOR_AUTH_TOKEN not in repr(alert)
    gc.collect()
    assert caplog.records == []
