"""Where documents live: stored, read as Twilio would, deleted; and when they are gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from doctor.documents import DocumentChecks
from storage import FTPStorage, InlineStorage, Instructions
from tests.support.desks import simulated_desk
from tests.support.doctor_lines import lines_of, settings_with, verdicts
from tests.support.ftp_host import ftp_host
from tests.support.s3_server import OtherS3, empty_moto, s3_client, s3_error, s3_storage
from tests.support.servers import free_port, serve

NEAR = {"TWILIO_BASE_URL": "http://127.0.0.1:9"}
LOCAL, WORLD = "http://localhost:9", "https://api.twilio.com"


@pytest.fixture
def moto():
    return empty_moto()


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


async def asked(folder, storage=None, values=None, **options):
    async with simulated_desk(folder) as desk:
        services = desk.services
        if storage is not None:
            services = replace(services, storage=storage, documents=None)
        settings = settings_with(NEAR | (values or {}))
        return list(await lines_of(DocumentChecks(settings, services, **options), "storage"))


async def test_this_app(tmp_path):
    stored, gone = await asked(tmp_path)
    assert verdicts([stored, gone]) == ["fine", "fine"]
    assert stored.words.startswith("This app: written, read as Twilio would, and deleted, in 0.")
    assert gone.words == "Documents are gone after 24 hours."
    assert list(tmp_path.glob("*.xml")) == []


async def test_inside_the_request(tmp_path):
    [line] = await asked(tmp_path, InlineStorage())
    assert line.words == "Documents go inside the request; nothing is stored."


async def test_there_is_no_bucket_to_create(tmp_path):
    bucket, *rest = await asked(tmp_path, create_bucket=True)
    assert (bucket.verdict, bucket.fixes[0].text) == ("broken", "S3_BUCKET=…")
    assert verdicts(rest) == ["fine", "fine"]


async def test_from_no_bucket_to_one_that_expires(tmp_path, moto):
    [missing] = await asked(tmp_path, s3_storage(moto))
    assert missing.verdict == "broken"
    assert "does not exist" in missing.seen
    assert missing.fixes[0].text.endswith("doctor --create-bucket")
    done, stored, gone = await asked(tmp_path, s3_storage(moto), create_bucket=True)
    assert verdicts([done, stored, gone]) == ["fine"] * 3
    assert "Created the bucket twilio-xml" in done.seen
    assert gone.words == "Documents are gone after 7 days."
    client = s3_client(moto)
    assert client.list_objects_v2(Bucket="twilio-xml")["KeyCount"] == 0
    client.delete_bucket_lifecycle(Bucket="twilio-xml")
    _, forever = await asked(tmp_path, s3_storage(moto))
    assert forever.verdict == "to do"
    assert "stay in the bucket for good" in forever.words


async def test_a_service_that_cannot_expire(tmp_path, moto):
    await asked(tmp_path, s3_storage(moto), create_bucket=True)
    with serve(OtherS3(moto, {"lifecycle": s3_error(501, "NotImplemented")})) as url:
        _, line = await asked(tmp_path, s3_storage(url))
    assert line.verdict == "unknown"


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_bucket_that_nobody_may_read_gets_advice_that_does_not_go_in_a_circle(
    tmp_path, moto, status
):
    answers = {
        "GET CallSid": s3_error(status, "AccessDenied"),
        "policy": s3_error(501, "NotImplemented"),
    }
    with serve(OtherS3(moto, answers)) as url:
        done, line = await asked(tmp_path, s3_storage(url), create_bucket=True)
    assert (done.verdict, line.verdict) == ("fine", "broken")
    assert "no bucket policies" in done.seen
    assert "If the command didn't help" in line.seen
    assert "S3_PUBLIC_BASE_URL" in done.seen
    assert "S3_PUBLIC_BASE_URL" in line.seen


async def test_an_ftp_host_keeps_everything(tmp_path):
    folder = tmp_path / "host"
    folder.mkdir()
    files = Starlette(routes=[Mount("/", StaticFiles(directory=folder))])
    with ftp_host(folder) as host, serve(files) as url:
        stored, forever = await asked(tmp_path, FTPStorage(host.url(), url))
    assert verdicts([stored, forever]) == ["fine", "to do"]
    assert "-mtime +7 -delete" in forever.fixes[0].text


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
    read: list[Request] = []

    async def document(request: Request):
        read.append(request)
        return answer

    with serve(Starlette(routes=[Route("/doctor.xml", document)])) as url:
        [line] = await asked(tmp_path, Elsewhere(url))
    assert line.verdict == "broken"
    assert line.words == "Nobody hears a word: Twilio can't read what calls say."
    assert words in line.seen
    assert read[0].method == "GET"
    assert "CallSid" in read[0].query_params


async def test_no_server_at_the_address_of_the_storage(tmp_path):
    [line] = await asked(tmp_path, Elsewhere(f"http://127.0.0.1:{free_port()}"))
    assert (line.verdict, "No answer from" in line.seen) == ("broken", True)


@pytest.mark.parametrize(
    ("twilio", "values", "fix"),
    [
        (WORLD, {"PUBLIC_URL": LOCAL}, "cloudflared"),
        (
            WORLD,
            {"STORAGE": "ftp", "FTP_URL": "ftp://a:b@c", "FTP_PUBLIC_BASE_URL": LOCAL},
            "FTP_PUBLIC_BASE_URL=",
        ),
        (WORLD, {"S3_BUCKET": "twilio-xml", "S3_PUBLIC_BASE_URL": LOCAL}, "S3_PUBLIC_BASE_URL="),
        (LOCAL, {"PUBLIC_URL": LOCAL}, None),
    ],
)
async def test_documents_that_only_this_machine_can_read(tmp_path, twilio, values, fix):
    [line] = await asked(tmp_path, Elsewhere(LOCAL), {**values, "TWILIO_BASE_URL": twilio})
    assert line.verdict == "broken"
    if fix is None:
        assert "No answer from" in line.seen
    else:
        assert "each machine's own name for itself" in line.seen
        assert line.fixes[0].text.startswith(fix)
