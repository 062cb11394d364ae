"""S3 for tests: moto's server over HTTP, and a server that records every request."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
from moto.server import ThreadedMotoServer
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from storage import S3Storage

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

XML = '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Grüße, 世界</Say></Response>'
SECRET = "wJalrXUtnFEMI-K7MDENG-test-secret"


@cache
def _moto() -> str:
    # One for the whole run: stopping it takes half a second, and it ends with the process anyway.
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def empty_moto() -> str:
    """Empty moto's server and return its URL."""
    httpx.post(f"{_moto()}/moto-api/reset").raise_for_status()
    return _moto()


async def fetched(url: str | None, **parameters: str) -> httpx.Response:
    """Fetch `url` with a plain GET."""
    async with httpx.AsyncClient() as client:
        return await client.get(str(url), params=parameters)


def s3_storage(endpoint_url: str | None, bucket: str = "twilio-xml", **options: Any) -> S3Storage:
    """Return a storage with its own credentials, so that no test depends on the machine's."""
    settings = {
        "region": "us-east-1",
        "access_key_id": "AKIATEST",
        "secret_access_key": SECRET,
        **options,
    }
    return S3Storage(bucket, endpoint_url=endpoint_url, **settings)


def s3_client(endpoint_url: str, region: str = "us-east-1") -> S3Client:
    """Return a plain boto3 client, to look at a bucket from outside."""
    import boto3  # noqa: PLC0415

    session = boto3.Session("AKIATEST", SECRET, region_name=region)
    return session.client("s3", endpoint_url=endpoint_url)


class RecordingS3:
    """An ASGI app that records every request and sends `answers`, then 200 to the rest."""

    def __init__(self, *answers: Response) -> None:
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []
        self._answers = list(answers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.bodies.append(await request.body())
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers else Response()
        await answer(scope, receive, send)


def s3_error(status: int, code: str, extra: str = "") -> Response:
    """Return an error as S3 sends it."""
    body = f"<Error><Code>{code}</Code><Message>No.</Message>{extra}</Error>"
    return Response(body, status_code=status, media_type="application/xml")


class OtherS3:
    """An ASGI app in front of moto that has its own answer to some requests, as other services do.

    A request is named by its method and the setting of the bucket, such as "GET policy", or just
    by the setting for every method.
    """

    def __init__(self, moto_url: str, answers: dict[str, Response]) -> None:
        self._moto_url = moto_url
        self._answers = answers
        self.requests: list[Request] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.requests.append(request)
        setting = next(iter(request.query_params), "")
        answer = self._answers.get(f"{request.method} {setting}") or self._answers.get(setting)
        if answer is None:
            answer = await self._answer_of_moto(request)
        await answer(scope, receive, send)

    async def _answer_of_moto(self, request: Request) -> Response:
        url = f"{self._moto_url}{request.url.path}?{request.url.query}"
        headers = {
            name: value for name, value in request.headers.items() if name != "content-length"
        }
        async with httpx.AsyncClient() as client:
            found = await client.request(
                request.method, url, content=await request.body(), headers=headers
            )
        return Response(
            found.content, found.status_code, media_type=found.headers.get("content-type")
        )
