"""The whole chain over real HTTP: settings, S3, Twilio, and Twilio fetching the document."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alerts import Desk
from settings import Settings
from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from storage import S3Storage
from storage.s3_client import S3Connection
from tests.support.desks import CALL, TEXT, followed
from tests.support.environment import ACCOUNT_SID, TOKEN, clean_environment, write_env
from tests.support.s3_server import empty_moto
from tests.support.servers import serve
from tests.support.waiting import until

BUCKET = "twilio-xml"


@pytest.fixture(autouse=True)
def environment():
    with clean_environment():
        yield


@pytest.fixture(scope="module")
def twilio():
    app = create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=100)
    with serve(app) as url:
        yield url


@pytest.fixture
def moto():
    return empty_moto()


def settings(folder, twilio: str, moto: str, **more: str) -> Settings:
    values = {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER,
        "TWILIO_BASE_URL": twilio,
        "S3_BUCKET": BUCKET,
        "AWS_ENDPOINT_URL_S3": moto,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "hush",
    }
    return Settings(_env_file=write_env(folder, values | more))


async def heard(twilio: str, sid: str | None):
    async with httpx.AsyncClient(auth=(ACCOUNT_SID, TOKEN)) as client:
        answer = await client.get(f"{twilio}/simulator/calls/{sid}")
        return answer.raise_for_status().json()


async def test_twilio_speaks_what_lies_in_s3(tmp_path, twilio, moto):
    async with Desk.from_settings(settings(tmp_path, twilio, moto)) as desk:
        assert isinstance(desk.services.storage, S3Storage)
        assert desk.services.simulator is None
        await desk.services.storage.create_bucket()
        alert = await followed(desk, CALL)
        text = await followed(desk, TEXT)
    assert (alert.status, alert.error, text.status) == ("completed", None, "delivered")
    assert f"/{BUCKET}/twiml/" in str(alert.twiml_url)
    told = await heard(twilio, alert.sid)
    assert told["errors"] == []
    assert [line["text"] for line in told["transcript"] if line["kind"] == "say"] == ["Hello"] * 3


async def test_boto3_is_loaded_before_the_first_call(tmp_path, twilio, moto, monkeypatch):
    loaded: list[S3Connection] = []
    warm_up = S3Connection.warm_up

    def noted(connection: S3Connection):
        warm_up(connection)
        loaded.append(connection)

    monkeypatch.setattr(S3Connection, "warm_up", noted)
    async with Desk.from_settings(settings(tmp_path, twilio, moto)) as desk:
        await desk.open()
        await until(lambda: loaded)


async def test_twilio_asks_with_get_and_parameters_of_its_own(tmp_path, twilio, moto):
    asked: list[Request] = []

    async def fetch(request: Request) -> Response:
        """What a CDN in front of the bucket does."""
        asked.append(request)
        url = f"{moto}/{BUCKET}{request.url.path}?{request.url.query}"
        async with httpx.AsyncClient() as client:
            answer = await client.request(request.method, url)
        return Response(answer.content, answer.status_code, dict(answer.headers))

    route = Route("/{path:path}", fetch, methods=["GET", "POST"])
    with serve(Starlette(routes=[route])) as cdn:
        chosen = settings(tmp_path, twilio, moto, S3_PUBLIC_BASE_URL=cdn)
        async with Desk.from_settings(chosen) as desk:
            assert isinstance(desk.services.storage, S3Storage)
            await desk.services.storage.create_bucket()
            alert = await followed(desk, CALL)
    assert alert.status == "completed"
    assert (await heard(twilio, alert.sid))["errors"] == []
    (request,) = asked
    assert request.method == "GET"
    assert request.url.path == urlsplit(str(alert.twiml_url)).path
    parameters = parse_qs(request.url.query)
    assert parameters["CallSid"] == [alert.sid]
    assert parameters["To"] == [alert.to]
    assert "CallStatus" in parameters


async def test_wrong_credentials(tmp_path, twilio, moto):
    chosen = settings(tmp_path, twilio, moto, TWILIO_AUTH_TOKEN="another", STORAGE="inline")
    async with Desk.from_settings(chosen) as desk:
        alert = await desk.send(CALL)
    assert alert.status == "failed"
    assert alert.error is not None
    assert alert.error.code == 20003
    assert "credentials" in alert.error.hint
