"""One conversation with one child: the job, its answer, and what to say if it ends without one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

from rules.sandbox.limits import MEMORY_BYTES, TOO_MUCH_MEMORY
from rules.sandbox.orders import COULD_NOT_FORK
from rules.sandbox.query import QueryError
from rules.sandbox.wire import (
    LENGTH,
    MOST_ANSWER_BYTES,
    MOST_FRAME_BYTES,
    Job,
    error_from,
    job_frame,
)
from rules.sandbox.zygote_process import Ending, ZygoteProcess

# A child that crashed holding more than this ran out of memory.
OUT_OF_MEMORY_FROM_BYTES = 0.25 * MEMORY_BYTES
# A child bounds its frames itself; this limit is for one that misbehaves.
MOST_BYTES = MOST_ANSWER_BYTES + 4 * MOST_FRAME_BYTES
CRASHED = "DuckDB crashed on this query: make it simpler. Nothing else was harmed."
NO_PROCESS = "The machine can't start another process for the query: try again later."
NO_ANSWER = "The check ended without an answer: try again."
NO_SENSE = "The answer to the query can't be read."


class ZygoteGone(Exception):
    """The zygote ended while its child ran. The job can be done again, since it only reads."""


async def ask(zygote: ZygoteProcess, job: Job) -> list[dict[str, Any]]:
    """Make a child do the job, and return all its messages.

    Raises `QueryError`, also after `job.seconds`, and `ZygoteGone`. However it ends, even if the
    caller is canceled, the child is gone afterwards.
    """
    try:
        number, channel = await zygote.fork()
    except ConnectionError:
        raise ZygoteGone from None
    ended = False
    try:
        async with asyncio.timeout(job.seconds):
            messages = await _exchange(channel, job)
        if messages and messages[-1].get("done") is True:
            return messages[:-1]
        ended = True
        raise _why(await zygote.kill(number))
    except TimeoutError:
        words = f"The query was stopped after {job.seconds:g} s: let it read fewer rows."
        raise QueryError(words, "limit") from None
    finally:
        if not ended:
            zygote.kill_soon(number)


async def _exchange(channel: socket.socket, job: Job) -> list[dict[str, Any]]:
    try:
        reader, writer = await asyncio.open_connection(sock=channel)
    except BaseException:
        channel.close()
        raise
    try:
        writer.write(job_frame(job))
        return [message async for message in _messages(reader)]
    finally:
        # Not `close`, which would first wait until all is written.
        writer.transport.abort()


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """Yield messages until the child ends. Raises the error that it reports."""
    received = 0
    while True:
        try:
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            received += length
            if length > MOST_FRAME_BYTES or received > MOST_BYTES:
                raise QueryError(NO_SENSE, "failed")
            frame = await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        yield _read(frame)


def _read(frame: bytes) -> dict[str, Any]:
    try:
        message = json.loads(frame)
        if not isinstance(message, dict):
            raise ValueError("not a message")
        problem = error_from(message) if "error" in message else None
    except (ValueError, RecursionError, IndexError):
        raise QueryError(NO_SENSE, "failed") from None
    if problem:
        raise problem
    return message


def _why(ending: Ending | None) -> Exception:
    """Return why a child ended before it was done."""
    if ending is None:
        return ZygoteGone()
    if ending.status == COULD_NOT_FORK:
        return QueryError(NO_PROCESS, "failed")
    if not os.WIFSIGNALED(ending.status):
        return QueryError(NO_ANSWER, "failed")
    killed_by = os.WTERMSIG(ending.status)
    if killed_by in {signal.SIGXCPU, signal.SIGALRM}:
        return QueryError("The query took too long and was stopped: let it read less.", "limit")
    # When memory runs out, the kernel kills the process that holds the most.
    if killed_by == signal.SIGKILL or ending.memory > OUT_OF_MEMORY_FROM_BYTES:
        return QueryError(TOO_MUCH_MEMORY, "limit")
    return QueryError(CRASHED, "failed")
