"""Sources on the web, from a real server."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from rules.sources import sources, web
from rules.sources.web import leads_inside
from tests.rules.sources.conftest import Lab
from tests.support.servers import free_port, serve

ROWS = "batch,ppb\n1407,148\n"
TOKEN = "s3cr3t-token"


class DataServer:
    """Answers every path as `answers` say, and remembers the requests."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, Response] = {}
        self.requests: list[Request] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.requests.append(request)
        answer = self.answers.get(request.url.path, Response("none", 404))
        etag = answer.headers.get("etag")
        if etag and request.headers.get("if-none-match") == etag:
            answer = Response(status_code=304, headers={"etag": etag})
        await answer(scope, receive, send)


@pytest.fixture
def server() -> Iterator[DataServer]:
    app = DataServer()
    with serve(app) as url:
        app.url = url
        yield app


def csv(content: str | bytes, **headers: str) -> Response:
    return Response(content, media_type="text/csv", headers=headers)


async def test_only_what_changed_is_sent_again(
    lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rules.sources.sources.REUSE_SECONDS", 0)
    modified = "Wed, 21 Oct 2015 07:28:00 GMT"
    server.answers["/lab.csv"] = csv(ROWS, etag='"1"', **{"last-modified": modified})
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')
    first = await lab.snapshot()
    assert await lab.rows() == [(1407, 148)]
    assert first.newest_at is not None
    assert first.newest_at.year == 2015

    lab.open()  # another process finds what this one fetched
    again = await lab.snapshot()
    assert again.fingerprint == first.fingerprint
    assert again.table.files == first.table.files
    assert server.requests[-1].headers["if-none-match"] == '"1"'
    assert server.requests[-1].headers["if-modified-since"] == modified

    server.answers["/lab.csv"] = csv(ROWS + "1408,31\n", etag='"2"')
    assert await lab.rows() == [(1407, 148), (1408, 31)]
    # A check that reads the version before can go on.
    assert first.table.files[0].read_text() == ROWS


async def test_the_same_content_is_the_same_without_an_etag(
    lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rules.sources.sources.REUSE_SECONDS", 0)
    server.answers["/lab.csv"] = csv(ROWS)
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')
    first = await lab.snapshot()

    second = await lab.snapshot()
    assert len(server.requests) == 2
    assert second == first


async def test_rules_that_are_checked_at_once_share_a_fetch(
    lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rules.sources.sources.REUSE_SECONDS", 600)
    server.answers["/lab.csv"] = csv(ROWS)
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    found = await asyncio.gather(*(lab.snapshot() for _ in range(20)))
    assert len(server.requests) == 1
    assert len({each.fingerprint for each in found}) == 1
    await lab.snapshot()
    assert len(server.requests) == 1


async def test_a_token_goes_only_where_it_belongs(lab: Lab, server: DataServer):
    other = DataServer()
    other.answers["/lab.csv"] = csv(ROWS)
    lab.values["SOURCE_TOKEN"] = TOKEN
    with serve(other) as url:
        server.answers["/lab.csv"] = RedirectResponse(f"{url}/lab.csv")
        lab.open(
            f'[lab]\nurl = "{server.url}/lab.csv"\n'
            'headers = { Authorization = "Bearer ${SOURCE_TOKEN}", X-Api-Key = "${SOURCE_TOKEN}" }'
        )
        assert await lab.rows() == [(1407, 148)]

    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "authorization" not in other.requests[0].headers
    assert "x-api-key" not in other.requests[0].headers


async def test_a_password_with_any_characters(lab: Lab, server: DataServer):
    server.answers["/lab.csv"] = csv(ROWS)
    lab.values["SOURCE_PASSWORD"] = "a:b@c/d?e#f%"
    host = server.url.removeprefix("http://")
    lab.open(f'[lab]\nurl = "http://reader:${{SOURCE_PASSWORD}}@{host}/lab.csv"')
    assert await lab.rows() == [(1407, 148)]

    # https://datatracker.ietf.org/doc/html/rfc7617: base64 of reader:a:b@c/d?e#f%
    assert server.requests[0].headers["authorization"] == "Basic cmVhZGVyOmE6YkBjL2Q/ZSNmJQ=="


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "127.0.0.1 answered HTTP 401; check the user name, password or token"),
        (403, "answered HTTP 403; check the token, and that it may read this"),
        (404, "answered HTTP 404; check the address"),
        (418, "answered HTTP 418; check the address and what it needs"),
        (503, "answered HTTP 503; try again later"),
    ],
)
async def test_refusals(lab: Lab, server: DataServer, status: int, sentence: str):
    server.answers["/lab.csv"] = Response(TOKEN, status)
    lab.values["SOURCE_TOKEN"] = TOKEN
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv?token=${{SOURCE_TOKEN}}"')

    said = await lab.problem()
    assert sentence in said
    assert TOKEN not in said
    assert TOKEN not in repr(lab.sources.get("lab")) + lab.sources.described("lab")


async def test_no_log_has_a_secret(lab: Lab, server: DataServer, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    server.answers["/lab.csv"] = csv(ROWS)
    lab.values["SOURCE_TOKEN"] = TOKEN
    host = server.url.removeprefix("http://")
    lab.open(
        f'[lab]\nurl = "http://reader:${{SOURCE_TOKEN}}@{host}/lab.csv?token=${{SOURCE_TOKEN}}"\n'
        'headers = { Authorization = "Bearer ${SOURCE_TOKEN}" }'
    )
    await lab.rows()

    assert f"GET http://{host}/lab.csv" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "address", ["s3://lab/a.csv", "lab.example.com", "https://", "http://[::1"]
)
async def test_a_variable_that_holds_no_address(lab: Lab, address: str):
    lab.values["SOURCE_LAB"] = address
    lab.open('[lab]\nurl = "${SOURCE_LAB}"\nformat = "csv"')

    said = await lab.problem()
    assert "is not an address that starts with https://" in said or "can't be reached" in said


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://127.0.0.1", "http://[::1"])
async def test_a_proxy_that_cannot_be_used(
    lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch, proxy: str
):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    assert "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY must look like http://" in await lab.problem()


async def test_a_header_that_cannot_be_sent(lab: Lab, server: DataServer):
    lab.values["SOURCE_TOKEN"] = "abc€"
    headers = 'headers = { Authorization = "Bearer ${SOURCE_TOKEN}" }'
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"\n{headers}')

    assert "a header has a character that can't be sent" in await lab.problem()


async def test_nothing_is_fetched_without_the_variable(lab: Lab, server: DataServer):
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv?token=${{SOURCE_TOKEN}}"')

    assert "lab needs the environment variable SOURCE_TOKEN, which isn't set" in await lab.problem()
    assert server.requests == []


async def test_a_page_to_sign_in_is_no_data(lab: Lab, server: DataServer):
    server.answers["/lab.csv"] = Response("<!doctype html><title>Sign in</title>\n")
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    said = await lab.problem()
    assert "CSV from 127.0.0.1 is a web page, not data: check the address" in said


async def test_an_answer_that_breaks_off(lab: Lab, server: DataServer):
    async def half() -> AsyncIterator[bytes]:
        yield ROWS.encode()
        raise RuntimeError("the server dies")

    server.answers["/lab.csv"] = StreamingResponse(half(), headers={"content-length": "1000"})
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    assert "127.0.0.1 broke off its answer; try again later" in await lab.problem()
    assert [each.name for each in (lab.data_dir / "sources" / "files" / "lab").iterdir()] == []


async def test_a_server_that_is_not_there(lab: Lab):
    lab.open(f'[lab]\nurl = "http://127.0.0.1:{free_port()}/lab.csv"')
    assert "127.0.0.1 can't be reached" in await lab.problem()


async def test_a_server_that_is_too_slow(
    lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch
):
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"1,2\n"
            await asyncio.sleep(0.01)

    monkeypatch.setattr(web, "MOST_SECONDS", 0.2)
    server.answers["/lab.csv"] = StreamingResponse(drip())
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    assert "127.0.0.1 did not answer in time" in await lab.problem()


async def test_too_much(lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch):
    # Small when it is sent, and large when it is unpacked.
    monkeypatch.setattr(web, "MOST_BYTES", 1_000_000)
    server.answers["/lab.csv"] = csv(
        gzip.compress(b"1,2\n" * 500_000), **{"content-encoding": "gzip"}
    )
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    assert "it is larger than" in await lab.problem()


async def test_unpacked_twice(lab: Lab, server: DataServer):
    bomb = gzip.compress(gzip.compress(b"1,2\n" * 500_000))
    server.answers["/lab.csv"] = csv(bomb, **{"content-encoding": "gzip, gzip"})
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    assert "compresses its answer more than once" in await lab.problem()


async def test_a_source_that_never_comes_leaves_the_others_their_threads(
    lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch
):
    lab.write("other.csv", ROWS)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/lab.csv"
        lab.open(f'[lab]\nurl = "{url}"\n[other]\nfile = "other.csv"')
        monkeypatch.setattr(sources, "MOST_SECONDS", 0.2)
        found = [await lab.problem() for _ in range(sources.THREADS + 1)]
        monkeypatch.undo()
        assert "it takes over" in found[0]
        assert all("an earlier attempt is still waiting" in each for each in found[1:])
        assert await lab.rows("other")
    # It breaks off with the connection, and from then on the source is fetched again.
    async with asyncio.timeout(20):
        while "an earlier attempt" in (problem := await lab.problem()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert "can't be reached" in problem


async def test_redirects_without_end_and_to_elsewhere(lab: Lab, server: DataServer):
    server.answers["/round.csv"] = RedirectResponse("/round.csv")
    server.answers["/file.csv"] = RedirectResponse("file:///etc/passwd")
    lab.open(f'[round]\nurl = "{server.url}/round.csv"\n[file]\nurl = "{server.url}/file.csv"\n')

    assert "127.0.0.1 redirects without end" in await lab.problem("round")
    assert "points to an address that isn't https" in await lab.problem("file")


@pytest.mark.parametrize(
    ("address", "to", "is_inside"),
    [
        ("http://93.184.216.34/a", "http://93.184.216.35/a", False),
        ("http://93.184.216.34/a", "http://10.0.0.7/a", True),
        ("http://93.184.216.34/a", "http://[::1]:8000/a", True),
        ("http://93.184.216.34/a", "http://[::ffff:127.0.0.1]/a", True),
        ("http://93.184.216.34/a", "http://0/a", True),
        ("http://10.0.0.7/a", "http://192.168.0.1/a", False),
        ("http://10.0.0.7/a", "http://localhost/a", True),
        ("http://127.0.0.1/a", "http://169.254.169.254/a", True),
        ("http://10.0.0.7/a", "http://93.184.216.34/a", False),
        ("http://lab.invalid/a", "http://10.0.0.7/a", False),
    ],
)
def test_which_redirects_lead_inside(address: str, to: str, is_inside: bool):
    assert leads_inside(address, to) is is_inside


async def test_a_redirect_to_where_clouds_hand_out_credentials(lab: Lab, server: DataServer):
    server.answers["/lab.csv"] = RedirectResponse("http://169.254.169.254/latest/meta-data/x.csv")
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    assert "points to 169.254.169.254, which is inside this network" in await lab.problem()


async def test_files_of_earlier_versions_are_removed_later(
    lab: Lab, server: DataServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rules.sources.sources.REUSE_SECONDS", 0)
    server.answers["/lab.csv"] = csv(ROWS)
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')
    first = (await lab.snapshot()).table.files[0]
    lab.make_older(first, 100_000)

    server.answers["/lab.csv"] = csv(ROWS + "1408,31\n")
    second = (await lab.snapshot()).table.files[0]
    # It counts from when there was a newer one.
    assert first.exists()
    lab.make_older(first, 901)
    server.answers["/lab.csv"] = csv(ROWS + "1408,32\n")
    await lab.snapshot()
    assert not first.exists()
    assert second.exists()


async def test_a_folder_that_can_not_be_written_to(lab: Lab, server: DataServer):
    server.answers["/lab.csv"] = csv(ROWS)
    lab.data_dir.write_text("a file where the folder should be")
    lab.open(f'[lab]\nurl = "{server.url}/lab.csv"')

    said = await lab.problem()
    assert "The data of lab can't be kept in" in said
    assert "Not a directory" in said
