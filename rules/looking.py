"""Looking at a rule's data: fetch its sources, run its query, and tell its rows apart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rules.health import stopped
from rules.keys import Cases, KeyProblem, cases_in
from rules.rule import Rule
from rules.sandbox import Query, QueryError, Sandbox

if TYPE_CHECKING:
    from rules.sources import Snapshot, Sources

QUERY_SECONDS = 30.0
# Fewer are told apart faster than in a thread.
FEW_ROWS = 500
# A file that somebody writes into may change while it is read.
ATTEMPTS = 3
# Of all that a check waits for; sources have shorter limits of their own.
LOOK_SECONDS = 300.0
TOO_SLOW = "Fetching the data took too long: it was stopped after 5 minutes."


class CheckFailed(Exception):
    """Why a check counts for nothing, in a sentence. `error` says where in the query, if it does.

    `is_stale` means that the data stopped.
    """

    def __init__(
        self, sentence: str, *, error: QueryError | None = None, is_stale: bool = False
    ) -> None:
        super().__init__(sentence)
        self.error = error
        self.is_stale = is_stale


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw: everything that the query lists, None if it would be the same as before.

    `prints` are those of the sources and of the definition that were seen.
    """

    cases: Cases | None
    prints: Mapping[str, str]


class Looker:
    """Looks at the data of rules. Use it from one event loop. `time_zone` is of rules without."""

    def __init__(self, sources: Sources, sandbox: Sandbox, time_zone: str) -> None:
        self._sources = sources
        self._sandbox = sandbox
        self._time_zone = time_zone
        # What was fetched last, so that unchanged sources aren't fetched again.
        self._known: dict[str, Snapshot] = {}
        # The newest time in a source, by its name, its print and the column.
        self._newest: dict[tuple[str, str, str], datetime | None] = {}

    async def look(
        self,
        rule: Rule,
        now: datetime,
        *,
        prints: Mapping[str, str] | None = None,
        may_skip: Callable[[], Awaitable[bool]] | None = None,
        has_open: bool = False,
    ) -> Seen:
        """Return what the rule's query lists now. Raises `CheckFailed`.

        If nothing has changed since `prints`, the query doesn't run, as long as `may_skip`. With
        `has_open` it matters whether a source is empty: then nothing can be told from it.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._look(rule, now, prints, may_skip, has_open)
        except TimeoutError:
            raise CheckFailed(TOO_SLOW) from None
        except QueryError as error:
            raise CheckFailed(error.sentence, error=error) from None
        except KeyProblem as problem:
            raise CheckFailed(str(problem)) from None

    async def _look(
        self,
        rule: Rule,
        now: datetime,
        known: Mapping[str, str] | None,
        may_skip: Callable[[], Awaitable[bool]] | None,
        has_open: bool,
    ) -> Seen:
        from rules.sources import SourceError  # noqa: PLC0415 - the first page needs none of it

        try:
            for attempts_left in reversed(range(ATTEMPTS)):
                names = await self._sandbox.tables_of(rule.sql, self._sources.names())
                known_ones = {name: each for name, each in self._known.items() if name in names}
                found = await self._sources.fetch(sorted(names), known=known_ones)
                self._known |= found
                try:
                    seen = await self._look_at(rule, now, found, known, may_skip)
                    await self._sources.confirm(found.values())
                    break
                except (SourceError, QueryError):
                    # Somebody may have written into a file while it was read: then read it again.
                    if not attempts_left or await self._is_unchanged(found):
                        raise
        except SourceError as error:
            raise CheckFailed(str(error)) from None
        if has_open and seen.cases is not None and not seen.cases.bad:
            await self._refuse_empty(rule, found)
        return seen

    async def _is_unchanged(self, found: Mapping[str, Snapshot]) -> bool:
        from rules.sources import SourceError  # noqa: PLC0415 - as above

        try:
            await self._sources.confirm(found.values())
        except SourceError:
            return False
        return True

    async def _look_at(
        self,
        rule: Rule,
        now: datetime,
        found: Mapping[str, Snapshot],
        known: Mapping[str, str] | None,
        may_skip: Callable[[], Awaitable[bool]] | None,
    ) -> Seen:
        """Run the query on what was fetched, unless the answer is known."""
        prints = {name: each.fingerprint for name, each in found.items()}
        prints[""] = str(rule.revision)
        await self._check_that_data_comes(rule, found, now)
        is_same = known == prints and not await self._sandbox.uses_clock(rule.sql)
        if is_same and may_skip and await may_skip():
            return Seen(None, prints)
        result = await self._sandbox.run(self._query(rule, rule.sql, found), QUERY_SECONDS)
        if result.is_cut:
            raise CheckFailed(
                f"More than {len(result.rows):,} rows are listed, so they can't be told apart from "
                "good ones: let the query list only what is bad."
            )
        if len(result.rows) < FEW_ROWS:
            return Seen(cases_in(result, rule.key, rule.to_column), prints)
        cases = await asyncio.to_thread(cases_in, result, rule.key, rule.to_column)
        return Seen(cases, prints)

    async def _check_that_data_comes(
        self, rule: Rule, found: Mapping[str, Snapshot], now: datetime
    ) -> None:
        if not rule.stale_after_minutes or not found:
            return
        if rule.time_column:
            moments = [await self._newest_row(rule, each) for each in found.values()]
        else:
            moments = [each.newest_at for each in found.values()]
        known = [each for each in moments if each is not None]
        if sentence := stopped(rule, max(known, default=None), now):
            raise CheckFailed(sentence, is_stale=True)

    async def _newest_row(self, rule: Rule, snapshot: Snapshot) -> datetime | None:
        """Return the newest time in a source's `time_column`; None if it has no such column."""
        key = (snapshot.table.name, snapshot.fingerprint, rule.time_column)
        if key not in self._newest:
            column, table = _quoted(rule.time_column), _quoted(snapshot.table.name)
            # In the sandbox too: nothing that is quoted can do more there than read this table.
            sql = f"SELECT max({column}) FROM {table}"  # noqa: S608
            query = self._query(rule, sql, {snapshot.table.name: snapshot})
            try:
                [[newest]] = (await self._sandbox.run(query, QUERY_SECONDS)).rows
            except QueryError as error:
                if error.kind != "name":
                    raise
                newest = None
            for old in [each for each in self._newest if each[0] == key[0] and each[2] == key[2]]:
                del self._newest[old]
            self._newest[key] = self._moment(newest, rule)
        return self._newest[key]

    def _moment(self, value: object, rule: Rule) -> datetime | None:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self._zone(rule)))
        return moment.astimezone(UTC)

    async def _refuse_empty(self, rule: Rule, found: Mapping[str, Snapshot]) -> None:
        """Raise `CheckFailed` for a source without rows: it is being replaced, or was truncated."""
        for name, each in found.items():
            sql = f"SELECT 1 FROM {_quoted(name)} LIMIT 1"  # noqa: S608 - as above
            query = self._query(rule, sql, {name: each})
            if not (await self._sandbox.run(query, QUERY_SECONDS)).rows:
                raise CheckFailed(
                    f"{name} has no rows at all, so what was bad stays as it is until it has some."
                )

    def _query(self, rule: Rule, sql: str, found: Mapping[str, Snapshot]) -> Query:
        tables = tuple(replace(each.table, name=name) for name, each in found.items())
        return Query(sql, tables, self._zone(rule))

    def _zone(self, rule: Rule) -> str:
        return rule.time_zone or self._time_zone or "UTC"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
