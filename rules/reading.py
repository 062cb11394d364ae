"""Running a rule's query on its sources as they are now: what it lists, by key.

Previews, checks and dry runs all read a rule this way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeVar

from alerts.errors import UnusableInput
from rules.keys import Cases, KeyProblem, cases_in, place_of
from rules.rule import Rule
from rules.sandbox import Fix, Query, QueryError, QueryResult, Sandbox, Table
from rules.sandbox.quoting import readable
from rules.sources import Snapshot, SourceError, Sources

QUERY_SECONDS = 30.0
MOST_ROWS = 50_000
# Fewer rows than this are processed faster than a thread starts.
FEW_ROWS = 500
# A file may be written to while it is read.
ATTEMPTS = 3
MOST_NAMED = 5  # sources in one sentence
TOO_MANY = (
    f"More than {MOST_ROWS:,} rows are listed, so they can't be told apart from good ones: let the "
    "query list only what is bad."
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Data:
    """The sources of a rule as they were fetched, by the names that its query uses."""

    snapshots: Mapping[str, Snapshot]
    uses_clock: bool

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the query reads."""
        return tuple(replace(each.table, name=name) for name, each in self.snapshots.items())

    @property
    def prints(self) -> dict[str, str]:
        """A fingerprint of each source, by its name; it changes when the source does."""
        return {name: each.fingerprint for name, each in self.snapshots.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule's query lists, and how long it took, in seconds."""

    cases: Cases
    result: QueryResult
    data: Data

    @property
    def seconds(self) -> float:
        """How long the query ran."""
        return self.result.seconds


class RuleReader:
    """Reads rules: fetches their sources, and runs their queries in the sandbox.

    `time_zone` is for rules that name none.
    """

    def __init__(self, sources: Sources, sandbox: Sandbox, time_zone: str = "") -> None:
        self.sources = sources
        self.sandbox = sandbox
        self._time_zone = time_zone
        # The snapshots fetched last, so that unchanged sources aren't fetched again.
        self._known: dict[str, Snapshot] = {}

    def zone(self, rule: Rule) -> str:
        """Return the time zone that the rule's query reads and shows times in."""
        return rule.time_zone or self._time_zone or "UTC"

    def query(self, rule: Rule, data: Data, sql: str = "") -> Query:
        """Return the rule's query, or another one, on these data."""
        return Query(sql or rule.sql, data.tables, self.zone(rule), MOST_ROWS)

    async def fetch(self, rule: Rule) -> Data:
        """Fetch the sources that the rule's query names.

        Raises `QueryError` for a query that can't be read, or names a source that isn't there, and
        `SourceError` for data that can't be fetched.
        """
        if not rule.sql.strip():
            raise UnusableInput("sql", "Write a query whose rows are what is bad.")
        facts = await self.sandbox.examine(rule.sql)
        there = self.sources.names()
        spelled = {name.casefold(): name for name in there}
        for each in facts.tables:
            if each.casefold() not in spelled:
                raise _unknown_source(rule.sql, each, there)
        names = sorted(spelled[each.casefold()] for each in facts.tables)
        known = {name: each for name, each in self._known.items() if name in names}
        snapshots = await self.sources.fetch(names, known=known)
        self._known |= snapshots
        return Data(snapshots, facts.uses_clock)

    async def steadily(
        self, rule: Rule, work: Callable[[Data], Awaitable[Result]]
    ) -> tuple[Result, Data]:
        """Fetch the rule's sources and do `work` on them; returns its result, and the data used.

        If a file changed meanwhile, all of it is done again. Raises what `fetch` and `work` raise,
        and `SourceError` for a file that changes again and again.
        """
        for attempts_left in reversed(range(ATTEMPTS)):
            data = await self.fetch(rule)
            try:
                result = await work(data)
                await self.sources.confirm(data.snapshots.values())
                return result, data
            except (SourceError, QueryError):
                # A file may have been written to while it was read. If so, read it again.
                if not attempts_left or await self._is_unchanged(data):
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _is_unchanged(self, data: Data) -> bool:
        try:
            await self.sources.confirm(data.snapshots.values())
        except SourceError:
            return False
        return True

    async def run(self, rule: Rule, data: Data) -> Reading:
        """Run the rule's query on data that were fetched.

        Raises `QueryError`, also for too many rows, and `UnusableInput` about `key` or `to_column`.
        """
        result = await self.sandbox.run(self.query(rule, data), QUERY_SECONDS)
        if result.is_cut:
            raise QueryError(TOO_MANY, "limit")
        field = "to_column"
        try:
            if rule.to_column:
                columns = [each.name for each in result.columns]
                place_of(rule.to_column, columns, "The column of recipients")
            field = "key"
            if len(result.rows) < FEW_ROWS:
                cases = cases_in(result, rule.key, rule.to_column)
            else:
                cases = await asyncio.to_thread(cases_in, result, rule.key, rule.to_column)
        except KeyProblem as problem:
            raise UnusableInput(field, str(problem)) from None
        return Reading(cases, result, data)

    async def read(self, rule: Rule) -> Reading:
        """Fetch the sources and run the query. Raises what `fetch` and `run` do."""
        reading, _ = await self.steadily(rule, lambda data: self.run(rule, data))
        return reading


def _unknown_source(sql: str, name: str, known: Sequence[str]) -> QueryError:
    """Say that a query names a source that isn't there, and suggest which one was meant."""
    close = get_close_matches(name.casefold(), {each.casefold(): each for each in known}, n=1)
    meant = next((each for each in known if [each.casefold()] == close), "")
    if meant:
        also = f"Do you mean {meant}?"
    elif known:
        also = f"There is {', '.join(known[:MOST_NAMED])}."
    else:
        also = "Name one in sources.toml, or upload one."
    line = column = length = None
    if found := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE):
        before = sql[: found.start()]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        length = len(found[0])
    return QueryError(
        f"There is no source called {name}. {also}",
        "name",
        line=line,
        column=column,
        length=length,
        fix=Fix(name, readable(meant)) if meant else None,
    )
