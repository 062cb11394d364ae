"""A server that drops the connection at a chosen point, and calls to it."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET

import pytest

from tests.support.recording_server import ACCOUNT_SID, FROM, TO, TOKEN
from twilio_client import TwilioClient, TwilioError


@dataclass
class Broken:
    """The server's address, and the first line of every request it read completely."""

    address: str
    requests: list[str] = field(default_factory=list)


@asynccontextmanager
async def broken(
    *steps: bytes | str | float, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Broken]:
    """Take these steps for every connection, then close it.

    "read" reads a whole request, bytes are sent as they are, a number waits for that many seconds
    or until the client hangs up, and "reset" makes the close a reset.
    """
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            for step in steps:
                if step == "read":
                    state.requests.append(await _read_request(reader))
                elif step == "reset":
                    # With a linger time of zero, closing sends RST instead of FIN.
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
                elif isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(), timeout=float(step))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The client hung up first, or the test is over.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    state = Broken(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield state
    finally:
        server.close()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    for line in head.splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            await reader.readexactly(int(value))
    return head.splitlines()[0]


def response(status: str, body: str, *headers: str) -> bytes:
    """Return a complete HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers, "", body]
    return "\r\n".join(lines).encode()


CREATED = response("201 Created", '{"sid": "CA1"}')


def connected(server: Broken) -> TwilioClient:
    return TwilioClient(ACCOUNT_SID, TOKEN, base_url=server.address)


async def failed_call(address: str, timeout: float = 5) -> TwilioError:  # noqa: ASYNC109
    """Place a call that fails, and return its error."""
    async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address, timeout=timeout) as client:
        with pytest.raises(TwilioError) as caught:
            await client.create_call(to=TO, from_=FROM, url="https://example.com/a.xml")
    return caught.value
