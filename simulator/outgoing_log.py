"""Writing the requests that the simulator makes, for documents and callbacks, into its log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx

from simulator.api.forms import Form, parse_form
from simulator.log import LONGEST_BODY, Entry, RequestLog
from simulator.masking import shortened


class OutgoingLog:
    """Writes what is asked on behalf of one account."""

    def __init__(self, log: RequestLog, account_sid: str) -> None:
        self._log = log
        self._account_sid = account_sid

    async def answered(self, response: httpx.Response) -> None:
        """Write an answer, once its body has been read; an event hook for httpx's client."""
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - the client's kind
        # What a server has compressed is no text to show.
        is_plain = "content-encoding" not in response.headers
        response.stream = _Overheard(response.stream, self, response, is_plain)

    def write(self, request: httpx.Request, status: int | None = None, body: bytes = b"") -> None:
        """Write one request; without a status, no answer came."""
        self._log.add(
            Entry(
                at=datetime.now(UTC),
                direction="out",
                method=request.method,
                path=shortened(str(request.url.copy_with(query=None))),
                parameters=_parameters(request).for_log(),
                status=status,
                body=body,
                account=self._account_sid,
            )
        )


class _Overheard(httpx.AsyncByteStream):
    """The body of an answer, remembered while somebody reads it and written when they are done."""

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        log: OutgoingLog,
        response: httpx.Response,
        is_plain: bool,
    ) -> None:
        self._stream = stream
        self._log = log
        self._response = response
        self._is_plain = is_plain
        self._body = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            if self._is_plain and len(self._body) < LONGEST_BODY:
                self._body += chunk[: LONGEST_BODY - len(self._body)]
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
        self._log.write(self._response.request, self._response.status_code, bytes(self._body))


def _parameters(request: httpx.Request) -> Form:
    return parse_form(request.url.query or request.content)
