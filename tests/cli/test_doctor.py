"""`python -m alerts doctor`: what it finds, and what it repairs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alerts import Desk
from alerts.doctor import examine
from settings import Settings
from simulator import create_app
from storage import Instructions
from tests.support.desks import simulated_desk
from tests.support.environment import ACCOUNT, ACCOUNT_SID, TOKEN, clean_environment
from tests.support.project_folder import build_project_folder
from tests.support.s3_server import OtherS3, empty_moto, s3_client, s3_error, s3_storage
from tests.support.servers import free_port, serve

SECRET = "hush-hush"


@pytest.fixture
def moto():
    return empty_moto()


@pytest.fixture
def customer(tmp_path, moto):
    """A user with an account and the name of a bucket that isn't there yet."""
    values = {
        "S3_BUCKET": "twilio-xml",
        "AWS_ENDPOINT_URL_S3": moto,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    with serve(create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN)) as url:
        yield build_project_folder(
            tmp_path, ACCOUNT | values | {"TWILIO_BASE_URL": url}, TOKEN, SECRET
        )


def verdicts(ended) -> dict[str, str]:
    """Whether each check passed, by its name, as it was printed."""
    return {line.split()[1]: line.split()[0] for line in ended.stdout.splitlines()}


def test_from_failing_checks_to_passing_ones(customer, moto):
    ill = customer.alerts("doctor", TWILIO_AUTH_TOKEN="another")
    assert ill.returncode == 1
    assert verdicts(ill) == {
        "Settings": "ok",
        "Database": "ok",
        "Twilio": "FAIL",
        "Storage": "FAIL",
    }
    assert "credentials" in ill.stdout
    assert "twilio-xml does not exist" in ill.stdout

    repaired = customer.alerts("doctor", "--create-bucket")
    assert (repaired.returncode, repaired.stderr) == (0, "")
    assert set(verdicts(repaired).values()) == {"ok"}
    assert "Created the bucket twilio-xml" in repaired.stdout

    well = customer.alerts("doctor")
    assert (well.returncode, well.stderr) == (0, "")
    assert set(verdicts(well).values()) == {"ok"}
    left = s3_client(moto).list_objects_v2(Bucket="twilio-xml")
    assert left["KeyCount"] == 0


async def examined(desk: Desk, **options) -> dict[str, tuple[bool, str]]:
    with clean_environment():
        settings = Settings(_env_file=None)
    checks = [check async for check in examine(settings, desk, **options)]
    assert all(check.sentence for check in checks)
    return {check.name: (check.passed, check.sentence) for check in checks}


async def test_a_simulation_passes(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        checks = await examined(desk)
    assert [passed for passed, _ in checks.values()] == [True] * 4
    assert list(tmp_path.glob("*.xml")) == []


async def test_there_is_no_bucket_to_create(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        checks = await examined(desk, create_bucket=True)
    passed, sentence = checks["Bucket"]
    assert not passed
    assert "S3_BUCKET" in sentence


class Elsewhere:
    """A storage that stores nothing; its documents are at `url`, whatever is there."""

    label = "a web server"

    def __init__(self, url: str) -> None:
        self._url = url

    async def publish(self, name: str, xml: str) -> Instructions:
        return Instructions(url=f"{self._url}/doctor.xml")

    async def delete(self, instructions: Instructions) -> None:
        """Nothing was stored."""

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response("<Response/>", media_type="text/xml"), "isn't the one that was stored"),
        (Response("<Response/>", media_type="text/plain"), "text/plain"),
        (Response("<Response/>"), "no content type"),
        (Response("gone", 404), "HTTP 404"),
        (Response("no", 403), "HTTP 403"),
    ],
)
async def test_what_twilio_could_not_read(tmp_path, answer, words):
    asked: list[Request] = []

    async def document(request: Request):
        asked.append(request)
        return answer

    with serve(Starlette(routes=[Route("/doctor.xml", document)])) as url:
        async with Desk(await services_with(tmp_path, url)) as desk:
            passed, sentence = (await examined(desk))["Storage"]
    assert not passed
    assert words in sentence
    assert asked[0].method == "GET"
    assert "CallSid" in asked[0].query_params


async def test_no_server_at_the_address_of_the_storage(tmp_path):
    async with Desk(await services_with(tmp_path, f"http://127.0.0.1:{free_port()}")) as desk:
        passed, sentence = (await examined(desk))["Storage"]
    assert not passed
    assert "No answer from" in sentence


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_bucket_that_nobody_may_read_gets_advice_that_does_not_go_in_a_circle(
    tmp_path, moto, status
):
    answers = {
        "GET CallSid": s3_error(status, "AccessDenied"),
        "policy": s3_error(501, "NotImplemented"),
    }
    with serve(OtherS3(moto, answers)) as url:
        async with simulated_desk(tmp_path, s3_storage(url)) as desk:
            services = replace(desk.services, documents=None, storage=s3_storage(url))
        async with Desk(services) as desk:
            checks = await examined(desk, create_bucket=True)
    created, done = checks["Bucket"]
    passed, sentence = checks["Storage"]
    assert (created, passed) == (True, False)
    assert "no bucket policies" in done
    assert "If that didn't help" in sentence
    assert "S3_PUBLIC_BASE_URL" in done
    assert "S3_PUBLIC_BASE_URL" in sentence


async def services_with(folder, url: str):
    """The services of a simulation, but with documents that are read over the network."""
    async with simulated_desk(folder) as desk:
        return replace(desk.services, storage=Elsewhere(url), documents=None)


async def test_a_database_that_cannot_be_used(tmp_path):
    nowhere = SecretStr("sqlite:////proc/callboard.sqlite")
    async with simulated_desk(tmp_path, database_url=nowhere) as desk:
        checks = await examined(desk)
    assert checks["Database"][0] is False
    assert checks["Database"][1].startswith("DATABASE_URL names")
