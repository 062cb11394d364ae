"""Sandbox: runs the SQL of rules where it can read their sources and nothing else."""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.sandbox import landlock
from rules.sandbox.conversation import NO_SENSE, ZygoteGone, ask
from rules.sandbox.limits import ALL_LAYERS, Layers
from rules.sandbox.query import Column, Facts, Query, QueryError, QueryResult, Table, Value
from rules.sandbox.quoting import folded
from rules.sandbox.wire import Job, columns_from, rows_from
from rules.sandbox.zygote_process import ZygoteProcess

MOST_AT_ONCE = 4
# If the zygote ends, it is started again, and the query run again.
ATTEMPTS = 2
EXAMINE_SECONDS = 10.0
COLUMNS_SECONDS = 60.0
MOST_REMEMBERED = 500
GONE = "The process that runs rules' queries ended twice: try again later."
CLOSED = "Rules' queries can't be run any more: the app is closing."


@dataclass(frozen=True, slots=True)
class Protections:
    """What keeps a query to its sources on this machine, besides the checks that hold everywhere.

    `landlock` is the version that the kernel has, 0 if none, and `tcp` whether it also forbids
    connections. `memory` is whether the system itself limits memory; otherwise it is watched.
    """

    landlock: int
    tcp: bool
    memory: bool

    def __str__(self) -> str:
        """Return one sentence for the doctor."""
        if not self.landlock:
            return (
                "Landlock is missing here (Linux 5.13 or newer has it), so only DuckDB's own locks "
                "and the check of each query keep rules from files other than their sources."
            )
        also = "" if self.tcp else " TCP is not forbidden by the kernel: that takes Linux 6.7."
        return f"Landlock keeps rules from files other than their sources.{also}"


class Sandbox:
    """Runs queries in processes that can read their sources and no more. For one event loop.

    The process that forks them is started at the first query, and again if it ended.
    """

    def __init__(self, layers: Layers = ALL_LAYERS) -> None:
        """Start nothing yet. `layers` leaves some protections out, for tests of the others."""
        self._layers = layers
        self._zygote: ZygoteProcess | None = None
        self._starting = asyncio.Lock()
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._facts: OrderedDict[str, Facts] = OrderedDict()
        self._closed = False

    async def run(self, query: Query, seconds: float = 30) -> QueryResult:
        """Return the rows that the query finds; it is stopped after `seconds`.

        Raises `QueryError`.
        """
        job = self._job(query, (query.as_of,), seconds)
        return (await self._results(job))[0]

    async def run_many(
        self, query: Query, as_ofs: Sequence[datetime], seconds: float = 60
    ) -> list[QueryResult]:
        """Return what the query finds as of each moment, in one process and `seconds` altogether.

        Clock functions return that moment, and tables with a time column end there. Raises
        `QueryError`, also for a table whose time column holds no times.
        """
        if not as_ofs:
            return []
        return await self._results(self._job(query, tuple(as_ofs), seconds))

    async def columns(self, tables: Iterable[Table]) -> dict[str, tuple[Column, ...]]:
        """Return each table's columns: those pinned, or those read or guessed from its files.

        Raises `QueryError` of kind "data" if a table can't be read.
        """
        job = Job("columns", tables=tuple(tables), seconds=COLUMNS_SECONDS, layers=self._layers)
        return {
            str(message["table"]): columns_from(message["columns"])
            for message in await self._messages(job)
        }

    async def tables_of(self, sql: str, known: Iterable[str] = ()) -> set[str]:
        """Return the names of the sources that the query reads.

        SQL ignores case, so a name is spelled as in `known` if it is there, else as in the query.
        Raises `QueryError` if the query isn't one that a rule may have.
        """
        spelled = {folded(each): each for each in known}
        facts = await self.examine(sql)
        return {spelled.get(folded(each), each) for each in facts.tables}

    async def examine(self, sql: str) -> Facts:
        """Return what is known from the query's text. Raises `QueryError` if rules can't use it."""
        if sql in self._facts:
            self._facts.move_to_end(sql)
            return self._facts[sql]
        job = Job("examine", sql, seconds=EXAMINE_SECONDS, layers=self._layers)
        messages = await self._messages(job)
        try:
            told = messages[0]
            facts = Facts(frozenset(map(str, told["tables"])), bool(told["uses_clock"]))
        except (LookupError, TypeError):
            raise QueryError(NO_SENSE, "failed") from None
        self._facts[sql] = facts
        if len(self._facts) > MOST_REMEMBERED:
            self._facts.popitem(last=False)
        return facts

    @property
    def zygote_pid(self) -> int | None:
        """The id of the process that forks those of queries; None before the first and once closed.

        It changes when that process ended and is started again.
        """
        return self._zygote.pid if self._zygote is not None else None

    def protections(self) -> Protections:
        """Return which protections work on this machine, for the doctor."""
        version = landlock.version()
        return Protections(version, version >= landlock.TCP_SINCE, sys.platform != "darwin")

    async def close(self) -> None:
        """Stop running queries, and leave no process behind."""
        self._closed = True
        async with self._starting:
            if self._zygote is not None:
                await self._zygote.close()
                self._zygote = None

    def _job(self, query: Query, as_ofs: tuple[datetime | None, ...], seconds: float) -> Job:
        return Job(
            "run",
            query.sql,
            query.tables,
            query.time_zone,
            query.most_rows,
            as_ofs,
            seconds,
            self._layers,
        )

    async def _results(self, job: Job) -> list[QueryResult]:
        messages = await self._messages(job)
        try:
            return _results(messages)
        except (ValueError, LookupError, TypeError):
            raise QueryError(NO_SENSE, "failed") from None

    async def _messages(self, job: Job) -> list[dict[str, Any]]:
        async with self._places:
            for _ in range(ATTEMPTS):
                zygote = await self._started()
                try:
                    return await ask(zygote, job)
                except ZygoteGone:
                    continue
        raise QueryError(GONE, "failed")

    async def _started(self) -> ZygoteProcess:
        async with self._starting:
            if self._closed:
                raise QueryError(CLOSED, "failed")
            if self._zygote is not None and self._zygote.is_gone:
                await self._zygote.close()
                self._zygote = None
            if self._zygote is None:
                try:
                    self._zygote = await ZygoteProcess.start()
                except OSError as error:
                    words = f"The process that runs rules' queries can't be started: {error}."
                    raise QueryError(words, "failed") from None
            return self._zygote


def _results(messages: list[dict[str, Any]]) -> list[QueryResult]:
    """Build the result for each moment from messages: the columns, rows in parts, and the end."""
    results = []
    columns = columns_from(messages[0]["columns"])
    rows: list[tuple[Value, ...]] = []
    for message in messages[1:]:
        if "rows" in message:
            rows += rows_from(message["rows"], len(columns))
        else:
            is_cut, seconds = bool(message["is_cut"]), float(message["seconds"])
            results.append(QueryResult(columns, rows, is_cut, seconds))
            rows = []
    return results
