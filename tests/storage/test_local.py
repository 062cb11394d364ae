"""Documents in a folder, read over HTTP the way Twilio does."""

import os
import time
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from storage import LocalStorage, StorageError, twiml_route
from tests.support.servers import serve

XML = "<Response>\r\n<Say>Grüße</Say></Response>"
PARAMETERS = {"CallSid": "CA1", "From": "+15550001111", "name": "../../secret"}


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "twiml", "https://host.example/apps/board/")


@pytest.fixture
def hosted(storage):
    app = Starlette(routes=[Mount("/apps/board", routes=[twiml_route(storage)])])
    with serve(app) as url, httpx.Client(base_url=url) as client:
        yield client


async def test_document_is_served_to_get_and_post_whatever_the_parameters(storage, hosted):
    instructions = await storage.publish("2026-11-23-0942-ann", XML)
    assert instructions.url.startswith("https://host.example/apps/board/twiml/2026-11-23-0942-ann-")
    path = urlsplit(instructions.url).path

    for answer in (hosted.get(path, params=PARAMETERS), hosted.post(path, data=PARAMETERS)):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.decode() == XML


async def test_other_processes_share_the_folder(storage, tmp_path):
    instructions = await storage.publish("ann", XML)
    other = LocalStorage(tmp_path / "twiml", "https://host.example")
    assert await other.read(name_of(instructions)) == XML


async def test_expired_document_is_not_served_and_then_swept(storage, hosted, tmp_path):
    instructions = await storage.publish("ann", XML)
    [path] = (tmp_path / "twiml").iterdir()
    bystander = tmp_path / "twiml" / "notes.xml"
    bystander.write_text("keep me")
    for file in (path, bystander):
        os.utime(file, times=(time.time() - 86_401,) * 2)

    assert await storage.read(name_of(instructions)) is None
    assert hosted.get(urlsplit(instructions.url).path).status_code == 404

    after_a_restart = LocalStorage(tmp_path / "twiml", "https://host.example")
    fresh = await after_a_restart.publish("bob", XML)
    left = {file.name for file in (tmp_path / "twiml").iterdir()}
    assert left == {"notes.xml", f"{name_of(fresh)}.xml"}


async def test_deleted_document_is_gone_and_deleting_again_is_fine(storage, tmp_path):
    instructions = await storage.publish("ann", XML)
    await storage.delete(instructions)
    await storage.delete(instructions)
    assert list((tmp_path / "twiml").iterdir()) == []
    assert await storage.read(name_of(instructions)) is None


@pytest.mark.parametrize(
    "path",
    [
        "/twiml/nothing.xml",
        "/twiml/" + "0" * 32 + ".xml",
        "/twiml/..%2Fsecret.xml",
        "/twiml/..%5Csecret.xml",
        "/twiml/%2e%2e%2fsecret.xml",
        "/twiml/%00.xml",
        "/twiml/.xml",
    ],
)
def test_anything_else_is_a_404_in_plain_words(storage, hosted, tmp_path, path):
    (tmp_path / "secret.xml").write_text("secret")
    answer = hosted.get("/apps/board" + path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_unknown_document_is_reported_in_one_sentence(hosted):
    answer = hosted.get("/apps/board/twiml/" + "0" * 32 + ".xml")
    assert answer.text == "There is no TwiML document at this address, or it has expired."
    assert answer.headers["content-type"].startswith("text/plain")


@given(name=st.text() | st.from_regex(r"(\.\./)+secret"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_name_leads_out_of_the_folder(storage, tmp_path, name):
    (tmp_path / "secret.xml").write_text("secret")
    assert await storage.read(name) is None


async def test_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "twiml").write_text("a file where the folder should be")
    storage = LocalStorage(tmp_path / "twiml", "https://host.example")
    with pytest.raises(StorageError) as caught:
        await storage.publish("ann", XML)
    assert caught.value.service == "this app"
    assert str(tmp_path / "twiml") in caught.value.message
    assert "disk" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host.example",
        "ftp://host.example",
        "https://",
        "https://under_score.example",
        "https://ann:pw@host.example",
        "https://host.example/?x=1",
        "https://host.example:port",
        "https://host .example",
    ],
)
def test_address_that_twilio_cannot_use_is_refused_without_repeating_it(tmp_path, address):
    with pytest.raises(StorageError, match="public address of this app") as caught:
        LocalStorage(tmp_path, address)
    assert "pw" not in str(caught.value)


def name_of(instructions):
    return instructions.url.rsplit("/", 1)[-1].removesuffix(".xml")
