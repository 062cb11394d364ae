"""The messages between the app's process and a check's process: JSON in frames, never pickles.

A frame is its length, in four bytes, and that many bytes of JSON.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from rules.sandbox.limits import ALL_LAYERS, Layers
from rules.sandbox.query import Column, Fix, QueryError, Table, Value

LENGTH = struct.Struct("!I")
MOST_FRAME_BYTES = 2 << 20
MOST_ANSWER_BYTES = 32 << 20
PLAIN = (str, int, float, bool, type(None))
KINDS = ("syntax", "name", "refused", "limit", "data", "failed")


@dataclass(frozen=True, slots=True)
class Job:
    """A child's task: run a query as of each moment, examine its text, or list columns."""

    do: Literal["run", "examine", "columns"]
    sql: str = ""
    tables: tuple[Table, ...] = ()
    time_zone: str = "UTC"
    most_rows: int = 0
    as_ofs: tuple[datetime | None, ...] = (None,)
    seconds: float = 30
    layers: Layers = ALL_LAYERS


def pack(message: Any) -> bytes:
    """Return a message as a frame."""
    content = json.dumps(message, separators=(",", ":")).encode()
    return LENGTH.pack(len(content)) + content


def job_frame(job: Job) -> bytes:
    """Return a job as a frame."""
    as_ofs = [each and each.isoformat() for each in job.as_ofs]
    tables = [
        {
            "name": each.name,
            "files": [str(file) for file in each.files],
            "format": each.format,
            "columns": _pairs(each.columns),
            "time_column": each.time_column,
            "options": dict(each.options),
        }
        for each in job.tables
    ]
    return pack(
        {
            "do": job.do,
            "sql": job.sql,
            "tables": tables,
            "time_zone": job.time_zone,
            "most_rows": job.most_rows,
            "as_ofs": as_ofs,
            "seconds": job.seconds,
            "layers": asdict(job.layers),
        }
    )


def read_job(channel: socket.socket) -> Job:
    """Wait for a job on a channel. Raises EOFError if the caller went away."""
    (length,) = LENGTH.unpack(_exactly(channel, LENGTH.size))
    told = json.loads(_exactly(channel, length))
    tables = tuple(
        Table(
            each["name"],
            tuple(Path(file) for file in each["files"]),
            each["format"],
            columns_from(each["columns"]),
            each["time_column"],
            each["options"],
        )
        for each in told["tables"]
    )
    as_ofs = tuple(each and datetime.fromisoformat(each) for each in told["as_ofs"])
    return Job(
        told["do"],
        told["sql"],
        tables,
        told["time_zone"],
        told["most_rows"],
        as_ofs,
        told["seconds"],
        Layers(**told["layers"]),
    )


def error_message(error: QueryError) -> dict[str, Any]:
    """Return an error as a message."""
    place = [error.line, error.column, error.length]
    fix = error.fix and [error.fix.find, error.fix.replace]
    return {"error": error.sentence, "kind": error.kind, "place": place, "fix": fix}


def error_from(message: Mapping[str, Any]) -> QueryError:
    """Return the error in a message. Raises ValueError if it isn't one."""
    place, fix = message.get("place"), message.get("fix")
    sentence, kind = message.get("error"), message.get("kind")
    if not isinstance(sentence, str) or kind not in KINDS:
        raise ValueError("not an error")
    if not isinstance(place, list) or not all(each is None or type(each) is int for each in place):
        raise ValueError("not a place")
    line, column, length = place
    meant = Fix(str(fix[0]), str(fix[1])) if isinstance(fix, list) and len(fix) == 2 else None
    return QueryError(sentence, kind, line=line, column=column, length=length, fix=meant)


def columns_message(columns: tuple[Column, ...]) -> dict[str, Any]:
    """Return columns as a message."""
    return {"columns": _pairs(columns)}


def columns_from(pairs: object) -> tuple[Column, ...]:
    """Return columns from a message. Raises ValueError if they aren't any."""
    if not isinstance(pairs, list):
        raise ValueError("not columns")
    return tuple(Column(str(name), str(kind)) for name, kind in pairs)


def rows_from(rows: object, width: int) -> list[tuple[Value, ...]]:
    """Return rows from a message. Raises ValueError unless they are plain values, as many each."""
    if not isinstance(rows, list):
        raise ValueError("not rows")
    for row in rows:
        if not isinstance(row, list) or len(row) != width:
            raise ValueError("not a row")
        if not all(isinstance(value, PLAIN) for value in row):
            raise ValueError("not a plain value")
    return [tuple(row) for row in rows]


def _pairs(columns: tuple[Column, ...]) -> list[list[str]]:
    return [[each.name, each.type] for each in columns]


def _exactly(channel: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = channel.recv(min(size - len(found), 1 << 16))
        if not part:
            raise EOFError
        found += part
    return bytes(found)
