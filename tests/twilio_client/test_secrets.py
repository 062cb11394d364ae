"""The auth token and the API key's secret are in the request's header and nowhere else."""

from __future__ import annotations

import asyncio
import logging
import traceback
from base64 import b64encode
from typing import Any

import pytest

from tests.support.broken_server import broken
from tests.support.error_text import error_text
from tests.support.recording_server import (
    ACCOUNT_PATH,
    ACCOUNT_SID,
    CALL_SID,
    FROM,
    KEY_SID,
    TO,
    TOKEN,
    Recorder,
    always,
)
from tests.support.servers import free_port, serve
from twilio_client import TwilioClient, TwilioError

CALL: Any = {"to": TO, "from_": FROM, "url": "https://example.com/a.xml"}
KEY_SECRET = "key-secret-that-must-stay-secret"
ENCODED = [
    b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode(),
    b64encode(f"{KEY_SID}:{KEY_SECRET}".encode()).decode(),
]
SECRETS = [TOKEN, KEY_SECRET, *ENCODED]


def assert_secret_free(text: str) -> None:
    assert not [secret for secret in SECRETS if secret in text]


def test_the_story_would_show_a_secret():
    def fail(secret: str) -> None:
        raise KeyError(len(secret))

    with pytest.raises(KeyError) as caught:
        fail(KEY_SECRET)
    with pytest.raises(AssertionError):
        assert_secret_free(error_text(caught.value))


async def test_the_token_signs_in():
    recorder = Recorder()
    with serve(recorder) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            await client.create_call(**CALL)
    assert recorder.requests[0].headers["authorization"] == f"Basic {ENCODED[0]}"


async def test_the_api_key_signs_in_when_there_is_one():
    recorder = Recorder()
    with serve(recorder) as address:
        async with TwilioClient(
            ACCOUNT_SID, TOKEN, api_key_sid=KEY_SID, api_key_secret=KEY_SECRET, base_url=address
        ) as client:
            await client.create_call(**CALL)
    assert recorder.requests[0].headers["authorization"] == f"Basic {ENCODED[1]}"
    assert recorder.requests[0].path == f"{ACCOUNT_PATH}/Calls.json"


async def test_no_repr_and_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    with serve(Recorder()) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            await client.create_call(**CALL)
            parts = [client, *vars(client).values(), *vars(client._connections).values()]
            assert_secret_free(repr(parts) + str(parts))
    assert "POST" in caplog.text
    assert_secret_free(caplog.text)


@pytest.mark.parametrize(
    "changes",
    [
        {"account_sid": "AC-1"},
        {"api_key_sid": None},
        {"api_key_sid": "SK-1"},
        {"base_url": "nowhere"},
        {"timeout": -1},
    ],
)
def test_no_error_about_arguments(changes):
    arguments = {"account_sid": ACCOUNT_SID, "api_key_sid": KEY_SID} | changes
    # Build it in a lambda, so that no local variable of this test contains the secrets.
    error = _constructed(
        lambda: TwilioClient(auth_token=TOKEN, api_key_secret=KEY_SECRET, **arguments)
    )
    assert_secret_free(error_text(error))


def _constructed(construct: Any) -> ValueError:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        construct()
    return caught.value


async def failure(address: str, **changes: Any) -> BaseException:
    async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address, timeout=0.2) as client:
        with pytest.raises((TwilioError, ValueError)) as caught:
            await client.create_call(**(CALL | changes))
    return caught.value


@pytest.mark.parametrize("steps", [[], ["read"], ["read", 30], ["read", b"junk\r\n\r\n"]])
async def test_no_broken_connection(steps):
    async with broken(*steps) as server:
        error = await failure(server.address)
    assert_secret_free(error_text(error))
    assert error.__context__ is None


async def test_no_refused_connection():
    error = await failure(f"http://127.0.0.1:{free_port()}")
    assert_secret_free(error_text(error))
    assert error.__context__ is None


@pytest.mark.parametrize("status", [201, 400, 401, 429, 500])
async def test_no_answer_that_echoes_the_request(status):
    echo = {"code": 20003, "message": f"Bad credentials: {TOKEN}, Basic {ENCODED[0]}"}
    with serve(always(echo, status=status)) as address:
        error = await failure(address)
    assert_secret_free(error_text(error).replace(f"{echo['message']}", ""))
    assert_secret_free(str(error) + repr(error))


async def test_no_rejected_argument():
    assert_secret_free(error_text(await failure("http://127.0.0.1:9", to="")))
    assert_secret_free(error_text(await failure("http://127.0.0.1:9", to="\ud83d")))


async def test_no_account_that_comes_with_its_token():
    payload = {"auth_token": TOKEN, "friendly_name": "no SID"}
    with serve(always(payload)) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            with pytest.raises(TwilioError) as caught:
                await client.fetch_account()
    error = caught.value
    del payload
    story = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert_secret_free("".join(story.format()))


async def test_no_canceled_request():
    async with broken("read", 30) as server:
        client = TwilioClient(ACCOUNT_SID, TOKEN, base_url=server.address)
        placing = asyncio.create_task(client.fetch_call(CALL_SID))
        async with asyncio.timeout(10):
            while not server.requests:  # noqa: ASYNC110 - a list has no event
                await asyncio.sleep(0.01)
        placing.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await placing
        await client.close()
    assert_secret_free(error_text(caught.value))
