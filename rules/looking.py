"""Looking at a rule's data: fetch its sources, run its query, and tell its rows apart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from alerts.errors import UnusableInput
from rules.health import stopped
from rules.keys import Cases, Value
from rules.reading import QUERY_SECONDS, Data, RuleReader
from rules.rule import Rule
from rules.sandbox import QueryError, Sandbox
from rules.sandbox.quoting import identifier
from rules.sources import Snapshot, SourceError, Sources

# For everything that a check waits for. Sources have shorter limits of their own.
LOOK_SECONDS = 300.0
TOO_SLOW = "Fetching the data took too long: it was stopped after 5 minutes."


class CheckFailed(Exception):
    """Why a check failed, in a sentence. `error` says where in the query, if the query is wrong.

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

    `prints` are the fingerprints of the sources and of the definition.
    """

    cases: Cases | None
    prints: Mapping[str, str]


class Looker:
    """Looks at the data of rules, on one event loop. `time_zone` is for rules that name none."""

    def __init__(self, sources: Sources, sandbox: Sandbox, time_zone: str) -> None:
        self._reader = RuleReader(sources, sandbox, time_zone)
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

        If nothing has changed since `prints`, and `may_skip` returns true, the query doesn't run.
        With `has_open`, an empty source is a failure, because it would end all open episodes.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._look(rule, now, prints, may_skip, has_open)
        except TimeoutError:
            raise CheckFailed(TOO_SLOW) from None
        except QueryError as error:
            raise CheckFailed(error.sentence, error=error) from None
        except (SourceError, UnusableInput) as problem:
            raise CheckFailed(str(problem)) from None

    async def _look(
        self,
        rule: Rule,
        now: datetime,
        known: Mapping[str, str] | None,
        may_skip: Callable[[], Awaitable[bool]] | None,
        has_open: bool,
    ) -> Seen:
        seen, data = await self._reader.steadily(
            rule, lambda data: self._look_at(rule, now, data, known, may_skip)
        )
        if has_open and seen.cases is not None and not seen.cases.bad:
            await self._refuse_empty(rule, data)
        return seen

    async def _look_at(
        self,
        rule: Rule,
        now: datetime,
        data: Data,
        known: Mapping[str, str] | None,
        may_skip: Callable[[], Awaitable[bool]] | None,
    ) -> Seen:
        """Run the query on the fetched data, unless the answer is known."""
        prints = {**data.prints, "": str(rule.revision)}
        await self._check_that_data_comes(rule, data, now)
        is_same = known == prints and not data.uses_clock
        if is_same and may_skip and await may_skip():
            return Seen(None, prints)
        return Seen((await self._reader.run(rule, data)).cases, prints)

    async def _check_that_data_comes(self, rule: Rule, data: Data, now: datetime) -> None:
        found = data.snapshots
        if not rule.stale_after_minutes or not found:
            return
        if rule.time_column:
            having = [each for each in found.values() if _has_column(each, rule.time_column)]
            if not having:
                raise CheckFailed(
                    f"{' or '.join(found)} has no column {rule.time_column}, so it isn't known "
                    "whether data still come. Name another time column."
                )
            moments = [await self._newest_row(rule, each) for each in having]
        else:
            moments = [each.newest_at for each in found.values()]
        known = [each for each in moments if each is not None]
        if sentence := stopped(rule, max(known, default=None), now):
            raise CheckFailed(sentence, is_stale=True)

    async def _newest_row(self, rule: Rule, snapshot: Snapshot) -> datetime | None:
        """Return the newest time in a source's column of times; None if there is no row."""
        key = (snapshot.table.name, snapshot.fingerprint, rule.time_column)
        if key not in self._newest:
            column, table = identifier(rule.time_column), identifier(snapshot.table.name)
            # In the sandbox too, where no column name, however odd, can do more than read this
            # table.
            sql = (
                f"SELECT max({column}) FILTER (WHERE {column} <= now() + INTERVAL 1 DAY), "  # noqa: S608
                f"max({column}) FROM {table}"
            )
            [[newest, last]] = await self._rows(rule, sql, snapshot)
            if newest != last:
                # A mistyped year must not keep the rule from ever being stale. Not remembered,
                # because a row of the near future may be in the past by the next check.
                return self._moment(newest, rule)
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
            moment = moment.replace(tzinfo=ZoneInfo(self._reader.zone(rule)))
        return moment.astimezone(UTC)

    async def _refuse_empty(self, rule: Rule, data: Data) -> None:
        """Raise `CheckFailed` for a source without rows: it is being replaced, or was truncated."""
        for name, each in data.snapshots.items():
            sql = f"SELECT 1 FROM {identifier(name)} LIMIT 1"  # noqa: S608 - as above
            if not await self._rows(rule, sql, each):
                raise CheckFailed(
                    f"{name} has no rows at all, so what was bad stays as it is until it has some."
                )

    async def _rows(self, rule: Rule, sql: str, snapshot: Snapshot) -> list[tuple[Value, ...]]:
        """Return the rows of one of our own queries over one source."""
        alone = Data({snapshot.table.name: snapshot}, uses_clock=False)
        query = self._reader.query(rule, alone, sql)
        return (await self._reader.sandbox.run(query, QUERY_SECONDS)).rows


def _has_column(snapshot: Snapshot, name: str) -> bool:
    return name.casefold() in {each.name.casefold() for each in snapshot.table.columns}
