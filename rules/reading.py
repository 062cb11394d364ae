"""Running a rule's query on its sources as they are now: what it lists, by key.

Previews, checks and dry runs read a rule in this one way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from alerts.errors import UnusableInput
from rules.guided import identifier
from rules.keys import Cases, KeyProblem, cases_in, place_of
from rules.rule import Rule
from rules.sandbox import Fix, Query, QueryError, QueryResult, Sandbox, Table
from rules.sources import Snapshot, Sources

# More rows than anybody is told of: whatever the limit of the rule, a person has to look first.
MOST_ROWS = 50_000
MOST_NAMED = 5  # of sources in one sentence
TOO_MANY = f"More than {MOST_ROWS:,} rows are bad: narrow the query, or group its rows."


@dataclass(frozen=True, slots=True)
class Data:
    """The sources of a rule as they were fetched, by the names that its query gives them."""

    snapshots: Mapping[str, Snapshot]
    uses_clock: bool

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the query reads."""
        return tuple(each.table for each in self.snapshots.values())

    @property
    def prints(self) -> dict[str, str]:
        """What is equal as long as no source has changed, by the source's name."""
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

    `time_zone` is that of rules which name none.
    """

    def __init__(self, sources: Sources, sandbox: Sandbox, time_zone: str = "") -> None:
        self.sources = sources
        self.sandbox = sandbox
        self.time_zone = time_zone

    def query(self, rule: Rule, data: Data) -> Query:
        """Return the rule's query on these data."""
        zone = rule.time_zone or self.time_zone or "UTC"
        return Query(rule.sql, data.tables, zone, MOST_ROWS)

    async def fetch(self, rule: Rule, known: Mapping[str, Snapshot] | None = None) -> Data:
        """Fetch the sources that the rule's query names; `known` are earlier snapshots.

        Raises `QueryError` for a query that can't be read, or names a source that isn't there, and
        `SourceError` for data that can't be had.
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
        snapshots = await self.sources.fetch(names, known=known or {})
        return Data(snapshots, facts.uses_clock)

    async def run(self, rule: Rule, data: Data) -> Reading:
        """Run the rule's query on data that were fetched.

        Raises `QueryError`, also for more rows than anybody could follow; `SourceError` if a file
        changed meanwhile; and `UnusableInput` about `key` or `to_column`.
        """
        result = await self.sandbox.run(self.query(rule, data))
        await self.sources.confirm(data.snapshots.values())
        if result.is_cut:
            raise QueryError(TOO_MANY, "limit")
        field = "to_column"
        try:
            if rule.to_column:
                columns = [each.name for each in result.columns]
                place_of(rule.to_column, columns, "The column of recipients")
            field = "key"
            # In a thread, because tens of thousands of keys take long.
            cases = await asyncio.to_thread(cases_in, result, rule.key, rule.to_column)
        except KeyProblem as problem:
            raise UnusableInput(field, str(problem)) from None
        return Reading(cases, result, data)

    async def read(self, rule: Rule) -> Reading:
        """Fetch, and run."""
        return await self.run(rule, await self.fetch(rule))


def _unknown_source(sql: str, name: str, known: Sequence[str]) -> QueryError:
    """Say that a query names a source that isn't there, with what may have been meant."""
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
        fix=Fix(name, identifier(meant)) if meant else None,
    )
