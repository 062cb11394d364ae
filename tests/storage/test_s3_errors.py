"""Every failure of S3 becomes a sentence that names the bucket and says what to check."""

import asyncio
import json
import os
import time
import traceback

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from storage import StorageError, s3
from tests.support.broken_server import broken, response
from tests.support.s3_server import SECRET, XML, RecordingS3, empty_moto, s3_error, s3_storage
from tests.support.servers import free_port, serve

pytestmark = pytest.mark.slow


async def failure(storage, **arguments) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await storage.publish("ann", XML)
    error = caught.value
    assert error.service == "S3"
    assert "twilio-xml" in error.message
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
    assert SECRET not in "".join(traceback.format_exception(error))
    return error


def slow_s3(seconds: float) -> Starlette:
    async def wait(_: object) -> Response:
        await asyncio.sleep(seconds)
        return Response()

    return Starlette(routes=[Route("/{path:path}", wait, methods=["PUT"])])


async def test_missing_bucket_at_a_real_server():
    error = await failure(s3_storage(empty_moto()))
    assert error.message == ("S3 bucket twilio-xml does not exist (NoSuchBucket, on PutObject).")
    assert "create it" in error.hint


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", "refused access"),
        (403, "InvalidAccessKeyId", "does not know the access key ID"),
        (403, "SignatureDoesNotMatch", "did not accept the secret access key"),
        (400, "ExpiredToken", "has expired"),
        (403, "RequestTimeTooSkewed", "this machine's time"),
        (403, "AllAccessDisabled", "is disabled"),
        (403, "SomethingNew", "refused access (SomethingNew"),
        (418, "Teapot", "answered PutObject with Teapot (HTTP 418)"),
    ],
)
async def test_refusals_of_s3(status, code, said):
    with serve(RecordingS3(s3_error(status, code))) as url:
        error = await failure(s3_storage(url))
    assert said in error.message


async def test_a_redirect_that_leads_nowhere_names_the_region():
    answers = [s3_error(301, "PermanentRedirect") for _ in range(3)]
    with serve(RecordingS3(*answers)) as url:
        error = await failure(s3_storage(url))
    assert "is in another region" in error.message


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (("read",), "broke off its answer"),
        (("read", "reset"), "broke off its answer"),
        (("read", b"SSH-2.0\r\n"), "broke off its answer"),
        (
            ("read", response("301 Moved Permanently", "", "Location: https://127.0.0.1:1/")),
            "answers with redirects that lead nowhere",
        ),
        (
            ("read", response("403 Forbidden", "<Error/>")),
            "refused access (HTTP 403, on PutObject)",
        ),
    ],
)
async def test_a_server_that_is_no_s3(steps, said):
    async with broken(*steps) as server:
        error = await failure(s3_storage(server.address))
    assert said in error.message


async def test_credentials_are_read_once_from_a_slow_s3(monkeypatch, tmp_path):
    """Reading them again may take a sign-in, and helps nobody whom S3 doesn't answer in time."""
    monkeypatch.setattr(s3, "READ_SECONDS", 0.2)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    asked, keys = tmp_path / "asked", tmp_path / "keys.json"
    keys.write_text(json.dumps({"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": SECRET}))
    program = tmp_path / "program.sh"
    program.write_text(f"echo asked >> {asked}; cat {keys}\n")
    (tmp_path / "config").write_text(f"[default]\ncredential_process = sh {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for steps in (("read", 60.0), ("read",)):
        asked.unlink(missing_ok=True)
        async with broken(*steps) as server:
            storage = s3_storage(server.address, access_key_id=None, secret_access_key=None)
            await failure(storage)
            await failure(storage)
        assert asked.read_text() == "asked\n"


async def test_passing_server_error_is_tried_again():
    s3_server = RecordingS3(s3_error(503, "SlowDown"))
    with serve(s3_server) as url:
        await s3_storage(url).publish("ann", XML)
    assert len(s3_server.requests) == 2


async def test_closed_port():
    error = await failure(s3_storage(f"http://127.0.0.1:{free_port()}"))
    assert "could not be reached" in error.message


@pytest.mark.parametrize("endpoint", ["not a url", "http://", "http://exa mple"])
async def test_nonsense_as_endpoint(endpoint):
    error = await failure(s3_storage(endpoint))
    assert "the address of its service is malformed" in error.message


async def test_no_credentials(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    error = await failure(s3_storage(None, access_key_id=None, secret_access_key=None))
    assert "no AWS credentials were found" in error.message

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    error = await failure(s3_storage(None, access_key_id=None, secret_access_key=None))
    assert "half of the AWS credentials is missing" in error.message

    error = await failure(s3_storage(None, profile="nobody"))
    assert "profile was not found" in error.message


async def test_server_that_never_answers_times_out(monkeypatch):
    monkeypatch.setattr(s3, "READ_SECONDS", 0.2)
    with serve(slow_s3(2)) as url:
        error = await failure(s3_storage(url))
    assert "did not answer in time" in error.message


async def test_deadline_covers_everything_else(monkeypatch):
    monkeypatch.setattr(s3, "UPLOAD_DEADLINE_SECONDS", 0.2)
    with serve(slow_s3(60)) as url:
        began = time.monotonic()
        error = await failure(s3_storage(url))
        assert time.monotonic() - began < 30
    assert "did not answer in time" in error.message
