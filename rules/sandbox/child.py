"""One check, in a process that gives up all it doesn't need before it looks at the query."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from typing import NoReturn
from zoneinfo import ZoneInfo

import duckdb

from rules.sandbox import landlock
from rules.sandbox.answering import answer, answer_unguarded
from rules.sandbox.duckdb_errors import TOO_DEEP, in_words
from rules.sandbox.guard import check_query
from rules.sandbox.limits import close_descriptors, die_with_parent, limit_process
from rules.sandbox.locked_database import READ_BY_DUCKDB, lock
from rules.sandbox.query import QueryError
from rules.sandbox.quoting import text
from rules.sandbox.views import check_files, columns_of, create_view
from rules.sandbox.wire import Job, columns_message, error_message, pack, read_job

# Python's recursion limit: long sums and many brackets make deep trees.
DEEPEST = 10_000


def be_child(channel: socket.socket, parent: int, database: duckdb.DuckDBPyConnection) -> NoReturn:
    """Do the one job that comes over the channel, answer there, and end the process.

    `database` is empty; what happens to it here happens to this process's own copy.
    """
    status = 1
    try:
        sys.setrecursionlimit(DEEPEST)
        kept = socket.socket(fileno=close_descriptors(channel.detach()))
        die_with_parent(parent)
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            for message in _answers(read_job(kept), database):
                kept.sendall(message)
        status = 0
    finally:
        # Skip clean-up, which would be that of the process that this one was forked from.
        os._exit(status)


def _answers(job: Job, database: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    try:
        yield from _do(job, database)
        yield pack({"done": True})
    except QueryError as error:
        yield pack(error_message(error))
    except (duckdb.Error, MemoryError) as error:
        yield pack(error_message(in_words(error, job.sql)))
    except RecursionError:
        yield pack(error_message(QueryError(TOO_DEEP, "limit")))
    except Exception as error:  # noqa: BLE001 - the process ends here; the caller tells it
        words = f"The check failed inside: {type(error).__name__}."
        yield pack(error_message(QueryError(words, "failed")))


def _do(job: Job, database: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    _check_time_zone(job.time_zone)
    for table in job.tables:
        check_files(table)
    _give_up(job)
    # A cursor of its own, so that each child draws other random numbers.
    connection = database.cursor()
    if job.do == "examine":
        facts = check_query(connection, job.sql)
        yield pack({"tables": sorted(facts.tables), "uses_clock": facts.uses_clock})
        return
    if job.do == "run" and job.layers.guard:
        check_query(connection, job.sql, [table.name for table in job.tables])
    connection.execute(f"SET TimeZone = {text(job.time_zone)}")
    for table in job.tables:
        create_view(connection, table)
    if job.layers.duckdb_locks:
        lock(connection, (file for table in job.tables for file in table.files))
    if job.do == "columns":
        for table in job.tables:
            yield pack({"table": table.name, **columns_message(columns_of(connection, table))})
    elif job.layers.guard:
        yield from answer(connection, job)
    else:
        yield from answer_unguarded(connection, job.sql)


def _give_up(job: Job) -> None:
    files = [file for table in job.tables for file in table.files]
    if job.layers.process_limits:
        limit_process(job.seconds, len(files))
    if job.layers.landlock and landlock.version():
        landlock.restrict([*files, *READ_BY_DUCKDB])


def _check_time_zone(time_zone: str) -> None:
    # Do this before files are out of reach, because it is read from a file and then remembered.
    try:
        ZoneInfo(time_zone)
    except (ValueError, OSError, KeyError):
        raise QueryError(f"There is no time zone {time_zone}.", "refused") from None
