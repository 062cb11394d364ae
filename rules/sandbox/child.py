"""One check, in a process that gives up all it doesn't need before it looks at the query."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import duckdb

from rules.sandbox import landlock
from rules.sandbox.answering import answer, answer_unguarded
from rules.sandbox.clock import set_clock
from rules.sandbox.duckdb_errors import in_words
from rules.sandbox.guard import check_query
from rules.sandbox.limits import (
    DUCKDB_MEMORY,
    close_descriptors,
    die_with_parent,
    limit_process,
)
from rules.sandbox.query import QueryError
from rules.sandbox.quoting import text
from rules.sandbox.views import check_files, columns_of, create_view
from rules.sandbox.wire import (
    Job,
    columns_message,
    error_message,
    pack,
    read_job,
)

# What DuckDB reads by itself, to learn how much memory and how many cores there are.
READ_BY_DUCKDB = (Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"), Path("/proc/meminfo"))
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "async_threads": "0",
    "memory_limit": DUCKDB_MEMORY,
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "enable_external_file_cache": "false",
    "temp_directory": "",
    "errors_as_json": "true",
}
# Long sums and many brackets make deep trees.
DEEPEST = 10_000


def be_child(channel: socket.socket, parent: int) -> NoReturn:
    """Do the one job that comes over the channel, answer there, and end the process."""
    status = 1
    try:
        sys.setrecursionlimit(DEEPEST)
        kept = socket.socket(fileno=close_descriptors(channel.detach()))
        die_with_parent(parent)
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            for message in _answers(read_job(kept)):
                kept.sendall(message)
        status = 0
    finally:
        # Nothing of the process that this one was forked from is to be cleaned up.
        os._exit(status)


def _answers(job: Job) -> Iterator[bytes]:
    try:
        yield from _do(job)
        yield pack({"done": True})
    except QueryError as error:
        yield pack(error_message(error))
    except (duckdb.Error, MemoryError) as error:
        yield pack(error_message(in_words(error, job.sql)))
    except RecursionError:
        words = "The query has too many brackets within brackets: make it simpler."
        yield pack(error_message(QueryError(words, "limit")))
    except Exception as error:  # noqa: BLE001 - the process ends here; the caller tells it
        words = f"The check failed inside: {type(error).__name__}."
        yield pack(error_message(QueryError(words, "failed")))


def _do(job: Job) -> Iterator[bytes]:
    _check_time_zone(job.time_zone)
    for table in job.tables:
        check_files(table)
    connection = _connected(job)
    names = [table.name for table in job.tables]
    if job.do == "examine":
        facts = check_query(connection, job.sql)
        yield pack({"tables": sorted(facts.tables), "uses_clock": facts.uses_clock})
        return
    if job.do == "run" and job.layers.guard:
        check_query(connection, job.sql, names)
    connection.execute(f"SET TimeZone = {text(job.time_zone)}")
    for table in job.tables:
        create_view(connection, table, job.time_zone)
    _lock(connection, job)
    if job.do == "columns":
        for table in job.tables:
            yield pack({"table": table.name, **columns_message(columns_of(connection, table))})
    if job.do == "run" and not job.layers.guard:
        yield from answer_unguarded(connection, job.sql)
        return
    for as_of in job.as_ofs if job.do == "run" else ():
        if as_of is not None:
            _go_to(connection, job, as_of)
        yield from answer(connection, job)


def _connected(job: Job) -> duckdb.DuckDBPyConnection:
    files = [file for table in job.tables for file in table.files]
    if job.layers.process_limits:
        limit_process(job.seconds, len(files))
    if job.layers.landlock and landlock.version():
        landlock.restrict([*files, *READ_BY_DUCKDB])
    return duckdb.connect(config=SETTINGS)


def _check_time_zone(time_zone: str) -> None:
    # Before files are out of reach: it is read from one, and then remembered.
    try:
        ZoneInfo(time_zone)
    except (ValueError, OSError, KeyError):
        raise QueryError(f"There is no time zone {time_zone}.", "refused") from None


def _lock(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    if not job.layers.duckdb_locks:
        return
    files = ", ".join(text(str(file)) for table in job.tables for file in table.files)
    connection.execute(f"SET allowed_paths = [{files}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _go_to(connection: duckdb.DuckDBPyConnection, job: Job, as_of: datetime) -> None:
    """Let the clock, and the tables' last rows, be those of another moment."""
    set_clock(connection, as_of, job.time_zone)
    for table in job.tables:
        if table.time_column:
            create_view(connection, table, job.time_zone, as_of)
