"""A web server with TwiML documents that remembers how they were asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.servers import serve


@dataclass(frozen=True)
class Asked:
    """One request for a document; `url` is the whole address as the server sees it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    query_string: str
    url: str
    signature: str

    def said(self) -> dict[str, str]:
        return dict(self.query) | dict(self.form)


@dataclass
class Documents:
    """What is served under which path; `requests` are those received."""

    url: str = ""
    answers: dict[str, Response] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)

    def put(
        self, path: str, body: str | bytes, media_type: str = "text/xml", status: int = 200
    ) -> str:
        """Serve `body` under `path`; its address."""
        self.answers[path] = Response(body, status, {"content-type": media_type})
        return self.url + path

    def asked(self, path: str) -> list[Asked]:
        return [request for request in self.requests if request.path == path]

    def wait_for(self, path: str, count: int) -> list[Asked]:
        """The requests for `path` once there are that many."""
        return self.wait_until(lambda: len(self.asked(path)) >= count, path)

    def wait_until(self, is_so: Callable[[], bool], path: str) -> list[Asked]:
        deadline = time.monotonic() + 10
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"it never came to that: {self.asked(path)}")
            time.sleep(0.01)
        return self.asked(path)

    async def answer(self, request: Request) -> Response:
        query_string = request.scope["query_string"].decode()
        self.requests.append(
            Asked(
                request.method,
                request.url.path,
                parse_qsl(query_string, keep_blank_values=True),
                parse_qsl((await request.body()).decode(), keep_blank_values=True),
                query_string,
                f"{self.url}{request.scope['raw_path'].decode()}"
                + (f"?{query_string}" if query_string else ""),
                request.headers.get("x-twilio-signature", ""),
            )
        )
        return self.answers.get(request.url.path, Response("no such document", 404))


@contextmanager
def document_server() -> Iterator[Documents]:
    """A running server without documents."""
    documents = Documents()
    route = Route("/{path:path}", documents.answer, methods=["GET", "POST"])
    with serve(Starlette(routes=[route])) as url:
        documents.url = url
        yield documents
